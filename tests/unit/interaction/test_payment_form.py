"""The payment form: what is taken, and the words for everything that is not."""

from datetime import date
from uuid import UUID

import pytest

import nexus.public
from interaction.payment_form import Choices, FormRefused, amount_minor_units, read_order
from interaction.widgets.accounts import AccountLine
from sentinel.vocabulary import Money, Provenance, Source

TODAY = date(2026, 11, 21)
ACCOUNT = UUID(int=1)
SAVINGS = UUID(int=2)
PAYEE = UUID(int=3)
OWN_IBAN, PAYEE_IBAN, NEW_IBAN = "NL91ABNA0417164300", "NL20INGB0001234567", "BE68539007547034"


def _account(account_id: UUID, *, can_pay: bool) -> AccountLine:
    nothing = Money(0, "EUR")
    return AccountLine(
        account_id, "Account", OWN_IBAN, nothing, nothing, nothing, is_open=True, can_pay=can_pay
    )


CHOICES = Choices(
    accounts=(_account(ACCOUNT, can_pay=True), _account(SAVINGS, can_pay=False)),
    payees=(nexus.public.PayeeView(PAYEE, "Bob Jansen", PAYEE_IBAN, TODAY, is_trusted=False),),
    today=TODAY,
    reference="form:1",
)
TYPED = {
    "account": str(ACCOUNT),
    "payee": str(PAYEE),
    "amount": "25",
    "remittance": "Dinner",
    "execution_date": "2026-11-21",
}


@pytest.mark.parametrize(
    ("typed", "minor_units"),
    [
        ("25", 2500),
        ("25.5", 2550),
        ("25,50", 2550),
        ("0.01", 1),
        ("1,250.00", 125000),
        ("1.250,00", 125000),
        ("1,234,567.89", 123456789),
        ("€ 120.00", 12000),
        (" 007 ", 700),
    ],
)
def test_amounts_are_read_as_people_write_them(typed: str, minor_units: int) -> None:
    assert amount_minor_units(typed, exponent=2) == minor_units


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter the amount."),
        ("0", "Enter an amount above zero."),
        ("0,00", "Enter an amount above zero."),
        ("-5", "Enter an amount above zero."),
        ("\u22125", "Enter an amount above zero."),
        ("1.234", "An amount has at most two decimals; write thousands without a separator."),
        ("10.2345", "An amount has at most two decimals; write thousands without a separator."),
        ("1e3", "Enter the amount in digits, for example 120.00."),
        ("0x10", "Enter the amount in digits, for example 120.00."),
        ("twelve", "Enter the amount in digits, for example 120.00."),
        ("١٢", "Enter the amount in digits, for example 120.00."),
        ("NaN", "Enter the amount in digits, for example 120.00."),
        ("1" + "0" * 18, "That is more than one payment can carry."),
        ("10000000000.01", "That is more than one payment can carry."),
    ],
)
def test_other_amounts_are_refused_with_words(typed: str, words: str) -> None:
    with pytest.raises(ValueError, match="^" + words.replace(".", r"\.") + "$"):
        amount_minor_units(typed, exponent=2)


def test_a_known_payee_is_selected_and_the_rest_is_typed() -> None:
    order = read_order(typed=TYPED, choices=CHOICES)

    assert order.parameters == {
        "debtor_account_id": str(ACCOUNT),
        "creditor_name": "Bob Jansen",
        "creditor_iban": PAYEE_IBAN,
        "amount": {"minor_units": 2500, "currency": "EUR"},
        "remittance": "Dinner",
        "execution_date": "2026-11-21",
    }
    assert order.sources["creditor_iban"] == Source(Provenance.CUSTOMER_SELECTED, "form:1")
    assert order.sources["amount"] == Source(Provenance.CUSTOMER_TYPED, "form:1")
    assert set(order.sources) == set(order.parameters)


def test_a_new_payee_is_typed_by_the_customer() -> None:
    typed = TYPED | {"payee": "new", "name": "  Zoë   Peeters ", "iban": "be68 5390 0754 7034"}

    order = read_order(typed=typed, choices=CHOICES)

    assert order.parameters["creditor_name"] == "Zoë Peeters"
    assert order.parameters["creditor_iban"] == NEW_IBAN
    assert order.sources["creditor_iban"] == Source(Provenance.CUSTOMER_TYPED, "form:1")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"account": str(SAVINGS)}, "account"),
        ({"account": str(UUID(int=9))}, "account"),
        ({"account": "' OR 1=1"}, "account"),
        ({"payee": ""}, "payee"),
        ({"payee": str(UUID(int=9))}, "payee"),
        ({"payee": "new", "name": "", "iban": NEW_IBAN}, "name"),
        ({"payee": "new", "name": "Zoë", "iban": "BE68539007547035"}, "iban"),
        ({"payee": "new", "name": "Zoë", "iban": "hello"}, "iban"),
        ({"amount": "1e3"}, "amount"),
        ({"remittance": "x" * 141}, "remittance"),
        ({"execution_date": "2026-11-20"}, "execution_date"),
        ({"execution_date": "2027-11-22"}, "execution_date"),
        ({"execution_date": "tomorrow"}, "execution_date"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, str], field: str) -> None:
    with pytest.raises(FormRefused) as refusal:
        read_order(typed=TYPED | change, choices=CHOICES)

    assert [name for name, _ in refusal.value.errors] == [field]


def test_every_wrong_field_is_named_in_the_order_of_the_page() -> None:
    with pytest.raises(FormRefused) as refusal:
        read_order(typed={}, choices=CHOICES)

    assert [name for name, _ in refusal.value.errors] == ["account", "payee", "amount"]


def test_a_description_keeps_its_words_but_no_control_characters() -> None:
    order = read_order(typed=TYPED | {"remittance": "a\x00b\n<b>c\u202e"}, choices=CHOICES)

    assert order.parameters["remittance"] == "a b <b>c"
