"""The check of a payee's name."""

import pytest

from grand_central.names import compare_names, masked


@pytest.mark.parametrize(
    ("given", "registered", "is_organisation", "result"),
    [
        ("Anna de Vries", "Anna de Vries", False, "match"),
        ("de vries anna", "Anna de Vries", False, "match"),
        ("Mevr. Anna de Vries", "Anna de Vries", False, "match"),
        ("A. de Vries", "Anna de Vries", False, "close"),
        ("Ana de Vries", "Anna de Vries", False, "close"),
        ("Anna de Vreis", "Anna de Vries", False, "close"),
        ("Hans de Vries", "Anna de Vries", False, "mismatch"),
        ("B. de Vries", "Anna de Vries", False, "mismatch"),
        ("Bob Jansen", "Anna de Vries", False, "mismatch"),
        ("", "Anna de Vries", False, "mismatch"),
        ("Lucia Garcia", "Lucía García", False, "match"),
        ("Hendriks Vastgoed", "Hendriks Vastgoed B.V.", True, "match"),
        ("Hendricks Vastgoed BV", "Hendriks Vastgoed B.V.", True, "close"),
        ("Hendriks Bouw B.V.", "Hendriks Vastgoed B.V.", True, "mismatch"),
    ],
)
def test_names_are_compared(given, registered, is_organisation, result):
    check = compare_names(given=given, registered=registered, is_organisation=is_organisation)

    assert check.result == result
    assert (check.matched_name_masked is not None) == (result == "close")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Anna de Vries", "A. de Vries"),
        ("Bob Jansen", "B. Jansen"),
        ("Anna Maria van den Berg", "A. M. van den Berg"),
        ("Prince", "Prince"),
    ],
)
def test_a_close_name_shows_the_right_initials_and_no_more(name, shown):
    assert masked(name) == shown


def test_the_name_of_somebody_else_is_not_given_away():
    check = compare_names(given="Bob Jansen", registered="Anna de Vries", is_organisation=False)

    assert check.matched_name_masked is None
