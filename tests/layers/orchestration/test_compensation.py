"""Undoing what other systems did: the last first, and a person for what cannot be undone."""

from uuid import uuid4

import pytest
from django.db import connection

from orchestration.core.state import Wait
from orchestration.durable import engine, store
from orchestration.effects.carrying import carry_effects_once
from orchestration.effects.journal import effects_of
from orchestration.public import MoveRefused, TaskFilters, case, complete, run_page, steer, tasks
from tests.authority import found_bank
from tests.layers.orchestration.flows import AT, nodes_of
from tests.processor import Processor

HEAD = """
<startEvent id="s"><outgoing>f0</outgoing></startEvent>
<sequenceFlow id="f0" sourceRef="s" targetRef="stop1"/>
"""
TAIL = """
<boundaryEvent id="failed" attachedToRef="stop3"><outgoing>f4</outgoing>
<errorEventDefinition/></boundaryEvent>
<sequenceFlow id="f4" sourceRef="failed" targetRef="back"/>
<intermediateThrowEvent id="back"><incoming>f4</incoming><outgoing>f5</outgoing>
<compensateEventDefinition/></intermediateThrowEvent>
<sequenceFlow id="f5" sourceRef="back" targetRef="undone"/>
<endEvent id="undone"><incoming>f5</incoming></endEvent>
<endEvent id="e"><incoming>f3</incoming></endEvent>
"""
REASONS = {"stop": "stolen", "release": "undone"}


def call(verb, number):
    return f"""
<frontline:task call="action:cards.{verb}"/>
<frontline:input name="parameters"
    value='= {{card_id: card{number}, reason: "{REASONS[verb]}"}}'/>
<frontline:input name="sources" value="= sources"/>
<frontline:input name="resource" value='= "card:" + card{number}'/>
"""


def step(number):
    target = f"stop{number + 1}" if number < 3 else "e"
    return f"""
<serviceTask id="stop{number}" name="Stop card {number}">
<extensionElements>{call("stop", number)}</extensionElements>
<incoming>f{number - 1}</incoming><outgoing>f{number}</outgoing></serviceTask>
<sequenceFlow id="f{number}" sourceRef="stop{number}" targetRef="{target}"/>
"""


def undoing(number):
    return f"""
<boundaryEvent id="c{number}" attachedToRef="stop{number}">
<compensateEventDefinition/></boundaryEvent>
<serviceTask id="release{number}" name="Release card {number}" isForCompensation="true">
<extensionElements>{call("release", number)}</extensionElements></serviceTask>
<association id="a{number}" sourceRef="c{number}" targetRef="release{number}"/>
"""


SAGA = HEAD + step(1) + step(2) + step(3) + undoing(1) + undoing(2) + TAIL
SOURCES = {
    name: {"provenance": "employee_confirmed", "reference": "test:1"}
    for name in ("card_id", "reason")
}


@pytest.fixture
def processor(tmp_path, settings, entity):
    found_bank()
    started = Processor(tmp_path).start()
    started.configure(settings)
    yield started
    started.kill()


@pytest.fixture
def cards():
    return [str(uuid4()) for _ in range(3)]


@pytest.fixture
def saga(flows, processor, cards):
    """Three cards to be stopped; two of them are."""
    given = {f"card{number}": card for number, card in enumerate(cards, 1)}
    instance_id = flows.started(flows.published(SAGA), sources=SOURCES, **given)
    carry_effects_once()
    carry_effects_once()
    assert [processor.acts(card) for card in cards] == [["stop"], ["stop"], []]
    return instance_id


def tries_of(instance_id):
    return effects_of(case_id=store.read_instance(instance_id).case_id)


def decided_for(instance_id):
    """Return who asked for each effect, in order."""
    found = []
    for each in tries_of(instance_id):
        with connection.cursor() as cursor:
            cursor.execute("SELECT principal_id FROM sentinel_decision WHERE id = %s", [each.token])
            found.append((each.node, cursor.fetchone()[0].partition(":")[0]))
    return found


def test_what_was_done_is_undone_the_last_first_by_the_bank_itself(saga, processor, cards):
    processor.fault("refuse", 1)

    for _ in range(3):
        carry_effects_once()

    row = store.read_instance(saga)
    assert row.status == "completed"
    assert [processor.acts(card) for card in cards] == [
        ["stop", "release"],
        ["stop", "release"],
        [],
    ]
    assert [verb + card for _, card, verb in processor.books()["acts"]] == [
        "stop" + cards[0],
        "stop" + cards[1],
        "release" + cards[1],
        "release" + cards[0],
    ]
    assert decided_for(saga) == [
        ("stop1", "employee"),
        ("stop2", "employee"),
        ("stop3", "employee"),
        ("release2", "system"),
        ("release1", "system"),
    ]
    assert len({each.token for each in tries_of(saga)}) == 5


def test_what_cannot_be_undone_goes_to_a_person_who_sees_what_is_left(
    saga, processor, cards, employee
):
    processor.fault("refuse", 2)

    for _ in range(3):
        carry_effects_once()

    (task,) = tasks(principal=employee, filters=TaskFilters())
    assert task.title == "Undo by hand: Stop card 2"
    left = "Not undone: Stop card 2. To be undone after it: Stop card 1."
    assert task.form["title"] == left
    seen = case(case_id=task.case_id, principal=employee, at=AT)
    assert left in [line.words for line in seen.history]
    assert nodes_of(saga) >= {"back", "release2"}
    waits = {token.node: token.wait for token in store.read_instance(saga).state.tokens}
    assert waits["release2"] is Wait.INCIDENT
    # Nothing else moves until somebody has seen to it.
    assert processor.acts(cards[0]) == ["stop"]

    complete(
        task_id=task.id,
        principal=employee,
        answer={"resolution": "undone_by_hand"},
        comment="Called the processor.",
        at=AT,
    )
    carry_effects_once()

    assert store.read_instance(saga).status == "completed"
    assert [processor.acts(card) for card in cards] == [["stop", "release"], ["stop"], []]
    assert tasks(principal=employee, filters=TaskFilters()) == ()


def test_a_person_may_have_it_tried_again_under_a_token_of_its_own(
    saga, processor, cards, employee
):
    processor.fault("refuse", 2)
    for _ in range(3):
        carry_effects_once()
    (task,) = tasks(principal=employee, filters=TaskFilters())

    complete(task_id=task.id, principal=employee, answer={"resolution": "retry"}, comment="", at=AT)
    for _ in range(2):
        carry_effects_once()

    assert store.read_instance(saga).status == "completed"
    assert [processor.acts(card) for card in cards][:2] == [["stop", "release"]] * 2
    again = [each for each in tries_of(saga) if each.node == "release2"]
    assert [(each.number, each.end) for each in again] == [(1, "failed"), (2, "done")]


def end_and_undo(instance_id, employee):
    steer(
        instance_id=instance_id,
        move="undo",
        principal=employee,
        reason="Begun for the wrong customer.",
        at=AT,
    )


def test_who_ends_and_undoes_a_run_has_all_undone_before_it_ends(saga, processor, cards, employee):
    end_and_undo(saga, employee)
    assert store.read_instance(saga).status == "running"
    with pytest.raises(MoveRefused):
        end_and_undo(saga, employee)

    for _ in range(3):
        carry_effects_once()

    row = store.read_instance(saga)
    assert (row.status, engine.rebuilt_state(saga)) == ("cancelled", row.state)
    assert [verb + card for _, card, verb in processor.books()["acts"]] == [
        "stop" + cards[0],
        "stop" + cards[1],
        "release" + cards[1],
        "release" + cards[0],
    ]
    assert decided_for(saga)[-2:] == [("release2", "system"), ("release1", "system")]
    lines = run_page(instance_id=saga, principal=employee, at=AT).lines
    assert any("Begun for the wrong customer." in line.words for line in lines)


def test_what_cannot_be_undone_after_an_end_goes_to_a_person(saga, processor, cards, employee):
    processor.fault("refuse", 1)
    end_and_undo(saga, employee)

    for _ in range(2):
        carry_effects_once()

    (task,) = tasks(principal=employee, filters=TaskFilters())
    assert task.title == "Undo by hand: Stop card 2"
    assert store.read_instance(saga).status == "running"
    complete(
        task_id=task.id,
        principal=employee,
        answer={"resolution": "undone_by_hand"},
        comment="Called the processor.",
        at=AT,
    )
    carry_effects_once()
    assert store.read_instance(saga).status == "cancelled"
    assert [processor.acts(card) for card in cards] == [["stop", "release"], ["stop"], []]
