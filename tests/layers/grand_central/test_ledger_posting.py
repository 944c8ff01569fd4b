"""One transfer at a time: what posts, what is refused, and that a refusal moves nothing."""

from uuid import uuid4

import psycopg
import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError

from sentinel.public import legal_entity
from tests.small_core import SmallCore, permit

EXTERNAL = "NL91ABNA0417164300"


@pytest.fixture
def core(entity):
    return SmallCore()


@pytest.fixture
def account(core):
    account = core.open()
    core.fund(account, 100_00)
    return account


def test_a_transfer_between_own_accounts_moves_the_amount(core, account):
    savings = core.open(kind="customer_savings")

    status, transfer_id, position, balance = core.pay(account, core.iban(savings), 30_00)

    assert status == "posted"
    assert balance == 70_00
    assert position
    assert core.balance(account) == 70_00
    assert core.balance(savings) == 30_00
    assert core.execute("SELECT status FROM gc_execution WHERE token = %s", [transfer_id]) == (
        "posted",
    )
    core.assert_balanced()


def test_money_for_another_bank_goes_to_clearing(core, account):
    before = core.balance(core.clearing)

    status, *_ = core.pay(account, EXTERNAL, 100_00)

    assert status == "posted"
    assert core.balance(account) == 0
    assert core.balance(core.clearing) == before + 100_00


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (100_01, "insufficient_funds"),
        (0, "amount_refused"),
        (-1, "amount_refused"),
        (10**15 + 1, "amount_refused"),
    ],
)
def test_amounts_that_cannot_be_paid_move_nothing(core, account, amount, expected):
    before = core.state()

    status, *_ = core.pay(account, EXTERNAL, amount)

    assert status == expected
    assert core.state() == before


def test_an_account_cannot_pay_itself(core, account):
    before = core.state()

    assert core.pay(account, core.iban(account), 1_00)[0] == "same_account"
    assert core.state() == before


def test_an_unknown_number_of_this_bank_is_refused_and_not_sent_to_clearing(core, account):
    before = core.state()

    assert core.pay(account, "NL24MRDN9999999999", 1_00)[0] == "account_unknown"
    assert core.state() == before


def test_an_unknown_debtor_is_refused(core, account):
    assert core.pay(uuid4(), core.iban(account), 1_00)[0] == "account_unknown"


@pytest.mark.parametrize(("new", "expected"), [("closed", "account_closed"),
                                               ("blocked", "account_blocked")])  # fmt: skip
def test_a_closed_or_blocked_account_pays_nothing(core, new, expected):
    account = core.open()
    token = core.permit("accounts.set_status", f"account_status/v1|{account}|{new}")
    core.execute("SELECT * FROM core_set_account_status(%s, %s, %s)", [token, account, new])
    before = core.state()

    assert core.pay(account, EXTERNAL, 1)[0] == expected
    assert core.state() == before


def test_an_account_with_money_in_it_cannot_be_closed(core, account):
    token = core.permit("accounts.set_status", f"account_status/v1|{account}|closed")

    row = core.execute("SELECT * FROM core_set_account_status(%s, %s, 'closed')", [token, account])

    assert row[0] == "account_not_empty"


def test_another_currency_is_refused(core, account):
    dollars = core.open(currency="USD")
    before = core.state()

    assert core.pay(account, core.iban(dollars), 1_00)[0] == "currency_mismatch"
    assert core.pay(account, core.iban(dollars), 1_00, currency="USD")[0] == "currency_mismatch"
    assert core.state() == before


def test_invariant_03_a_repeated_id_is_compared_before_it_is_judged(core, account):
    status, transfer_id, _, _ = core.pay(account, EXTERNAL, 90_00)
    assert status == "posted"
    before = core.state()

    # The same again exists, although 90 more would overdraw the account.
    again = core.pay(account, EXTERNAL, 90_00, token=transfer_id)
    other = core.pay(account, EXTERNAL, 90_00, token=transfer_id, remittance="rent")

    assert again[0] == "exists"
    assert other[0] == "exists_with_different"
    assert core.state() == before


def test_invariant_01_the_application_cannot_insert_a_transfer(core, account):
    before = core.state()

    for sql in (
        "INSERT INTO ledger_transfer (id, debit_account, credit_account, amount, currency, code,"
        " kind, booking_date, value_date, remittance, counterparty_name, counterparty_iban,"
        " end_to_end_id, category_hint, token) VALUES (gen_random_uuid(), %s, %s, 1, 'EUR', 0, 0,"
        " now(), now(), '', '', '', '', '', gen_random_uuid())",
        "UPDATE ledger_account SET credits_posted = credits_posted + 1 WHERE id IN (%s, %s)",
        "DELETE FROM ledger_transfer WHERE debit_account IN (%s, %s)",
        "SELECT ledger_book(%s, gen_random_uuid(), %s, NULL, 1, 'EUR', 0::smallint, '', '', '',"
        " '', '', NULL)",
        "INSERT INTO gc_outbox (event_id, type, subject, payload) VALUES (%s, 'x', %s, '{}')",
        "INSERT INTO sentinel_redemption (token, action_kind, params_hash, idempotency_key)"
        " VALUES (%s, 'payments.transfer', '', %s)",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            core.execute(sql, [account, core.clearing])

    assert core.state() == before


def test_invariant_01_a_posting_function_without_redemption_is_refused(core, account):
    before = core.state()

    assert core.pay(account, EXTERNAL, 1_00, token=uuid4())[0] == "no_redemption"
    assert core.hold(account, EXTERNAL, 1_00)[0] == "held"
    hold = core.execute("SELECT id FROM ledger_transfer WHERE kind = 1")[0]
    after_hold = core.state()
    assert core.execute("SELECT status FROM ledger_hold_void(%s, %s)", [uuid4(), hold]) == (
        "no_redemption",
    )
    assert core.execute(
        "SELECT statuses FROM ledger_post_batch(%s, %s, '{}')", [uuid4(), uuid4()]
    ) == (["no_redemption"],)

    assert core.state() == after_hold != before


@pytest.mark.parametrize(
    ("iban", "amount", "currency"),
    [(EXTERNAL, 101, "EUR"), ("NL02ABNA0123456789", 100, "EUR"), (EXTERNAL, 100, "USD")],
)
def test_invariant_01_a_redemption_of_other_parameters_is_refused(
    core, account, iban, amount, currency
):
    token = core.permit("payments.transfer", f"transfer/v1|{account}|{EXTERNAL}|100|EUR")
    before = core.state()

    assert core.pay(account, iban, amount, token=token, currency=currency)[0] == "no_redemption"
    assert core.state() == before
    assert core.pay(account, EXTERNAL, 100, token=token)[0] == "posted"


def test_a_redemption_without_an_effect_posts_nothing(core, account):
    token = permit("payments.transfer", None)

    assert core.pay(account, EXTERNAL, 100, token=token)[0] == "no_redemption"


def test_control_characters_end_at_the_constraint(core, account):
    with pytest.raises(IntegrityError), transaction.atomic():
        core.pay(account, EXTERNAL, 100, remittance="rent\u0007")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_transfer SET amount = amount + 1",
        "DELETE FROM ledger_transfer",
        "TRUNCATE ledger_transfer CASCADE",
    ],
)
def test_a_transfer_cannot_be_changed_even_by_the_owner(owner_connection, sql):
    def execute(statement, arguments=()):
        cursor = owner_connection.execute(statement, arguments)
        return cursor.fetchone() if cursor.description else None

    with owner_connection.transaction(force_rollback=True):
        execute("SELECT set_config('frontline.entity', 'meridian-nl', true)")
        core = SmallCore(execute=execute)
        account = core.open()
        core.fund(account, 100)
        with pytest.raises(psycopg.Error, match="append-only"), owner_connection.transaction():
            execute(sql)


def test_invariant_13_two_legal_entities_do_not_see_or_pay_each_others_accounts(core, account):
    iban = core.iban(account)

    with legal_entity(entity="meridian-be"):
        other = SmallCore(country="BE", bank_code="998")
        assert core.counters(account) is None
        # To the other bank it is a number elsewhere: the money leaves through clearing.
        payer = other.open(iban="BE71998000000001")
        other.fund(payer, 100)
        assert other.pay(account, other.iban(payer), 1)[0] == "account_unknown"
        assert other.pay(payer, iban, 100)[0] == "posted"
        other.assert_balanced()

    assert core.balance(account) == 100_00
    core.assert_balanced()
