import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.vocabulary import DecisionToken, Money, Principal

AMOUNTS = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(
    ("minor_units", "currency", "words"),
    [
        (125_000, "EUR", "1250.00"),
        (5, "EUR", "0.05"),
        (-5, "EUR", "-0.05"),
        (0, "EUR", "0.00"),
        (1_500, "JPY", "1500"),
        (1_500, "KWD", "1.500"),
        (-1, "KWD", "-0.001"),
    ],
)
def test_amount_as_decimal(minor_units, currency, words):
    assert Money(minor_units, currency).as_decimal() == words


@given(AMOUNTS, st.integers(1, 100))
def test_parts_add_up_and_differ_by_one_at_most(minor_units, parts):
    split = Money(minor_units, "EUR").split(parts)

    assert sum(part.minor_units for part in split) == minor_units
    assert max(split, key=by_size).minor_units - min(split, key=by_size).minor_units <= 1


def by_size(money):
    return money.minor_units


def test_chain_is_nearest_first():
    anna = Principal("customer:1", "customer", "p", "nl")
    agent = Principal("agent:a", "agent", "", "nl", on_behalf_of=anna)

    assert [link.id for link in agent.chain()] == ["agent:a", "customer:1"]


def test_token_does_not_show_itself():
    token = DecisionToken(id=None, compact="secret.secret.secret", audience="x", expires_at=None)

    assert "secret" not in repr(token)
