"""Amounts and account numbers as a person reads them."""

import pytest

from interaction.widgets.money import differing, figure, grouped_iban, spoken
from sentinel.vocabulary import Money


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(0, "EUR"), "EUR\u00a00.00"),
        (Money(5, "EUR"), "EUR\u00a00.05"),
        (Money(123456789, "EUR"), "EUR\u00a01,234,567.89"),
        (Money(-4215, "EUR"), "EUR\u00a0\u221242.15"),
        (Money(1500, "JPY"), "JPY\u00a01,500"),
        (Money(1500, "BHD"), "BHD\u00a01.500"),
    ],
)
def test_amounts_show_currency_digits_and_a_real_minus(money: Money, text: str) -> None:
    assert figure(money).text == text


def test_only_a_signed_amount_shows_a_plus() -> None:
    assert figure(Money(100, "EUR"), is_signed=True).sign == "+"
    assert figure(Money(100, "EUR")).sign == ""
    assert figure(Money(0, "EUR"), is_signed=True).sign == ""


def test_a_button_says_the_symbol_where_there_is_one() -> None:
    assert spoken(Money(12000, "EUR")) == "€\u00a0120.00"
    assert spoken(Money(12000, "CHF")) == "CHF\u00a0120.00"


def test_ibans_stand_in_groups_of_four_that_do_not_break() -> None:
    assert grouped_iban("NL91ABNA0417164300") == "NL91\u00a0ABNA\u00a00417\u00a01643\u00a000"
    assert grouped_iban("NL91 ABNA 0417 1643 00") == grouped_iban("NL91ABNA0417164300")


def test_differing_groups_of_two_ibans_are_named() -> None:
    groups = differing(iban="NL91ABNA0417164300", other="NL91ABNA0999164300")

    assert [group for group, differs in groups if differs] == ["0417"]


def test_a_longer_iban_differs_where_the_other_has_ended() -> None:
    groups = differing(iban="NL91ABNA04171643", other="NL91ABNA0417")

    assert [differs for _, differs in groups] == [False, False, False, True]
