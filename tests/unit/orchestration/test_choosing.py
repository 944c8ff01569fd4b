"""Who gets a piece of work: role, skill, presence, load."""

from datetime import UTC, datetime

import pytest

from orchestration.worklist.choosing import Choice, Need, Worker, choose, may_take

ANY = Need(("operations",), (), ())


def worker(name, **more) -> Worker:
    return Worker(name, ("operations",), **{"skills": ("dutch",), "capacity": 10, **more})


def test_the_least_busy_for_their_capacity_is_chosen():
    people = [
        worker("a", open_count=4),
        Worker("b", ("operations",), (), 2, 1),
        worker("c", open_count=3),
    ]

    assert choose(ANY, people) == Choice("c", "3 of 10 on the desk; the least busy of 3")


def test_equally_busy_people_take_turns():
    noon, one = (datetime(2026, 11, 20, hour, tzinfo=UTC) for hour in (12, 13))

    chosen = choose(ANY, [worker("a", last_assigned_at=one), worker("b", last_assigned_at=noon)])

    assert chosen.principal_id == "b"


def test_a_skill_that_is_asked_for_must_be_there():
    need = Need(("operations",), ("dutch", "trade_finance"), ())
    people = [worker("a"), worker("b", skills=("dutch", "trade_finance"), open_count=9)]

    assert choose(need, people) == Choice("b", "9 of 10 on the desk; has dutch, trade finance")


def test_the_absent_and_the_excluded_are_passed_over():
    need = Need(("operations",), (), ("a",))

    chosen = choose(need, [worker("a"), worker("b", is_absent=True), worker("c", open_count=9)])

    assert chosen.principal_id == "c"


def test_a_deputy_comes_first():
    need = Need(("operations",), (), (), preferred="b")

    chosen = choose(need, [worker("a"), worker("b", open_count=8)])

    assert chosen == Choice("b", "8 of 10 on the desk; stands in for the colleague who is away")


@pytest.mark.parametrize(
    ("people", "why"),
    [
        ([], "Nobody in operations with dutch may do this."),
        ([worker("a", skills=())], "Nobody in operations with dutch may do this."),
        ([worker("a", is_absent=True)], "All 1 who could do this are away."),
        ([worker("a", open_count=10)], "All 1 who could do this have their hands full."),
        ([worker("a", capacity=0)], "All 1 who could do this have their hands full."),
    ],
)
def test_nobody_is_chosen_with_the_reason(people, why):
    assert choose(Need(("operations",), ("dutch",), ()), people) == Choice(None, why)


@pytest.mark.parametrize(
    ("person", "why"),
    [
        (Worker("a", ("adviser",), (), 5), "This work belongs to another role."),
        (worker("a", skills=()), "This work asks for: dutch."),
        (worker("x"), "They took part in an earlier step, so somebody else must do this one."),
        (worker("a", is_absent=True), "They are away."),
        (worker("a", open_count=99), ""),
    ],
)
def test_a_colleague_can_be_given_work_or_not(person, why):
    assert may_take(person, Need(("operations",), ("dutch",), ("x",))) == why
