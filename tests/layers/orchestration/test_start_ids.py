"""An id begins one thing: the same again is the same instance, anything else is refused."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from orchestration.core.events import Migrated
from orchestration.core.migration import migrate
from orchestration.durable import claims, engine, store, workers
from orchestration.durable.definitions import flow_of
from orchestration.durable.large_values import LARGE_CHARACTERS
from orchestration.durable.mass import begin_all
from orchestration.durable.starting import NewInstance, begin
from orchestration.public import ChangeNotProposed, StartConflict
from orchestration.versions.asking import ask
from tests.layers.orchestration.flows import AT, SCRIPTS, TIMER

OTHER = UUID("0b7e4b2a-6c1d-4f5e-9a3b-2d1c0e9f8a7b")
LONG = "n" * (LARGE_CHARACTERS + 1)


def started_by_one(new):
    return engine.start(new)


def left_to_workers(new):
    return begin(new)


def begun_with_others(new):
    begin_all([new])
    return store.read_instance(new.id).case_id


def moved_to(later, instance_id):
    row = store.read_instance(instance_id)
    old = flow_of(row.definition)
    step = migrate(old=old.definition, new=later.definition, state=row.state, at=AT, mapping={})
    with transaction.atomic():
        run = engine.bench(replace(row, definition=later.digest), AT)
        engine.go_over(run, Migrated(row.definition, later.digest, (), "employee:1"), step)
        store.set_definition(instance_id, later.digest)


WAYS = [started_by_one, left_to_workers, begun_with_others]


def counted():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM orch_instance), (SELECT count(*) FROM orch_case),"
            " (SELECT count(*) FROM orch_history), (SELECT count(*) FROM orch_inbox)"
        )
        return cursor.fetchone()


@pytest.fixture
def new(flows):
    flow = flows.published(SCRIPTS, opens_case="at_start")
    variables = {"amount": 21, "note": LONG, "about": {"b": [1, 2], "a": "x"}}
    return NewInstance(uuid4(), flow, flows.employee, variables, AT, customer_id=uuid4())


@pytest.mark.parametrize("again", WAYS)
@pytest.mark.parametrize("first", WAYS)
def test_the_same_again_is_the_instance_that_is_there(new, first, again):
    case_id = first(new)
    before = counted()

    assert again(new) == case_id
    reordered = {"about": {"a": "x", "b": [1, 2]}, "note": LONG, "amount": 21}
    assert again(replace(new, variables=reordered)) == case_id
    assert counted() == before


@pytest.mark.parametrize("again", WAYS)
@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize(
    "other",
    [
        {"variables": {"amount": 22, "note": LONG, "about": {"b": [1, 2], "a": "x"}}},
        {"variables": {"amount": 21, "note": LONG + "n", "about": {"b": [1, 2], "a": "x"}}},
        {"variables": {"amount": 21}},
        {"customer_id": OTHER},
        {"customer_id": None},
        {"case_id": OTHER},
        {"start_node": "s"},
    ],
    ids=["amount", "long", "fewer", "customer", "nobody", "case", "entrance"],
)
def test_anything_else_under_an_id_is_refused_and_nothing_moves(new, first, again, other):
    first(new)
    row, before = store.read_instance(new.id), counted()

    with pytest.raises(StartConflict) as refused:
        again(replace(new, **other))

    assert (refused.value.code, refused.value.is_retryable) == ("start_id_reused", False)
    assert refused.value.args == (str(new.id),)
    assert (store.read_instance(new.id), counted()) == (row, before)


@pytest.mark.parametrize("again", WAYS)
def test_another_person_is_not_given_what_somebody_began(new, again):
    engine.start(new)

    with pytest.raises(StartConflict):
        again(replace(new, principal=replace(new.principal, id="employee:other")))


@pytest.mark.parametrize("again", WAYS)
def test_another_flow_under_an_id_is_refused(new, flows, again):
    engine.start(new)
    other = flows.published(SCRIPTS, process="q", opens_case="at_start")

    with pytest.raises(StartConflict):
        again(replace(new, flow=other))
    with pytest.raises(StartConflict):
        again(replace(new, flow=other, is_by_name=True))


@pytest.mark.parametrize("again", WAYS)
def test_another_version_is_another_start_unless_it_was_asked_for_by_name(new, flows, again):
    case_id = engine.start(new)
    later = flows.published(SCRIPTS.replace("amount * 2", "amount * 3"), opens_case="at_start")

    with pytest.raises(StartConflict):
        again(replace(new, flow=later))
    assert again(replace(new, flow=later, is_by_name=True)) == case_id
    assert store.read_instance(new.id).definition == new.flow.digest


def test_what_has_moved_to_another_version_was_begun_in_the_first(new, flows):
    case_id = engine.start(new)
    later = flows.published(SCRIPTS.replace("amount * 2", "amount * 3"), opens_case="at_start")
    moved_to(later, new.id)

    assert engine.start(new) == case_id
    with pytest.raises(StartConflict):
        engine.start(replace(new, flow=later))


def test_an_instance_that_has_ended_still_holds_its_id(flows):
    flow = flows.published(TIMER)
    new = NewInstance(uuid4(), flow, flows.employee, {"n": 1}, AT)
    begin(new)
    (taken,) = claims.claim(at=AT, limit=1)
    workers.run_claims([taken], AT)

    assert begin(new) == store.read_instance(new.id).case_id
    with pytest.raises(StartConflict):
        begin(replace(new, variables={"n": 2}))


def test_one_of_many_under_a_used_id_begins_none_of_them(new):
    engine.start(new)
    before = counted()
    fresh = replace(new, id=uuid4())

    with pytest.raises(StartConflict):
        begin_all([fresh, replace(new, variables={"amount": 1})])

    assert counted() == before


def test_two_that_differ_under_one_id_begin_nothing_together(new):
    with pytest.raises(StartConflict):
        begin_all([new, replace(new, variables={"amount": 1})])

    assert counted() == (0, 0, 0, 0)
    assert begin_all([new, new]) == 1


def test_a_change_asked_for_under_a_used_id_is_refused_in_words(flows, employee):
    flows.published(SCRIPTS, process="change_p", opens_case="at_start")
    said = {
        "change_id": uuid4(),
        "flow": "change_p",
        "about": {"amount": "1"},
        "parameters": {"share": 1},
        "words": "give more",
        "principal": employee,
        "at": AT,
    }
    case_id = ask(**said)

    assert ask(**said) == case_id
    with pytest.raises(ChangeNotProposed) as refused:
        ask(**{**said, "parameters": {"share": 2}})
    assert refused.value.reason == "start_id_reused"
    assert "Something else was asked for" in refused.value.words
