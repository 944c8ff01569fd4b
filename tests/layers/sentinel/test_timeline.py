"""Decisions over time: the same decisions as the list, counted in stretches."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from sentinel.public import (
    DecisionFilter,
    decision_timeline,
    decisions,
    legal_entity,
)
from tests.authority import customer, decided, facts, payment

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def taken(bank) -> datetime:
    """Two decisions: one that a rule denied, one that waits for a second factor."""
    anna = customer()
    decided(payment(), anna, facts(screening_status="hit"))
    decided(payment(), anna)
    return decisions(filters=DecisionFilter()).rows[0].decided_at


def bars(taken, *, days=30, **asked):
    until = taken + timedelta(seconds=1)
    filters = DecisionFilter(since=until - timedelta(days=days), **asked)
    midnight = taken.replace(hour=0, minute=0, second=0, microsecond=0)
    return decision_timeline(filters=filters, origin=midnight, until=until)


def total(counted):
    found: dict[str, int] = {}
    for bar in counted:
        for verdict, count in bar.verdicts.items():
            found[verdict] = found.get(verdict, 0) + count
    return found


def test_each_decision_is_counted_once_in_the_stretch_it_was_taken_in(taken):
    counted = bars(taken)

    here = [bar for bar in counted if bar.count]
    listed = decisions(filters=DecisionFilter(since=counted[0].since)).rows
    assert sum(bar.count for bar in counted) == len(listed)
    assert total(counted)["deny"] == 1
    assert all(bar.since <= taken < bar.until for bar in here)


@pytest.mark.parametrize(("days", "length"), [(1, timedelta(hours=1)), (30, timedelta(days=1))])
def test_stretches_fit_on_a_screen_and_join(taken, days, length):
    counted = bars(taken, days=days)

    assert {bar.until - bar.since for bar in counted} == {length}
    assert all(one.until == two.since for one, two in pairwise(counted))
    assert len(counted) <= 72


def test_the_plot_follows_every_filter(taken):
    assert total(bars(taken, verdict="deny")) == {"deny": 1}
    assert total(bars(taken, action_kind="cards.block")) == {}
    assert total(bars(taken, policy_id="sanctions-hit")) == {"deny": 1}
    assert total(bars(taken, search="no-such-id")) == {}
    assert total(bars(taken, until=taken - timedelta(days=1))) == {}


def test_decades_still_fit(taken):
    counted = bars(taken, days=9_000)

    assert len(counted) <= 72
    assert total(counted)["deny"] == 1


def test_another_legal_entity_counts_nothing_of_it(taken):
    with legal_entity(entity="meridian-be"):
        assert total(bars(taken)) == {}


def test_a_person_is_found_by_the_beginning_of_their_id(taken):
    rows = decisions(filters=DecisionFilter(search="customer:")).rows

    assert {row.principal_kind for row in rows} == {"customer"}
    assert total(bars(taken, search="customer:"))["deny"] == 1
