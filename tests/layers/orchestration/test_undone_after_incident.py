"""An incident may be settled by ending its case and undoing what it did, once that is confirmed."""

import pytest

from apps.workspace.forms import answered, fields_of
from orchestration.durable import store
from orchestration.effects.carrying import carry_effects_once
from orchestration.public import AnswerRefused, TaskFilters, case, complete, run_page, tasks
from tests.layers.orchestration.flows import AT
from tests.layers.orchestration.test_compensation import (  # noqa: F401  (fixtures)
    HEAD,
    SOURCES,
    cards,
    processor,
    step,
    undoing,
)

# Two cards are stopped, then a step breaks that nothing catches.
BREAKS = f"""
{HEAD}{step(1)}{undoing(1)}{step(2)}{undoing(2)}
<serviceTask id="stop3" name="Ask"><extensionElements><frontline:task call="read:balance"/>
<frontline:retry attempts="1" backoff="PT1S"/></extensionElements></serviceTask>
<sequenceFlow id="f3" sourceRef="stop3" targetRef="e"/><endEvent id="e"/>
"""


@pytest.fixture
def stopped(flows, processor, cards):  # noqa: F811
    given = {f"card{number}": card for number, card in enumerate(cards, 1)}
    instance_id = flows.started(flows.published(BREAKS), sources=SOURCES, **given)
    carry_effects_once()
    carry_effects_once()
    assert [processor.acts(card) for card in cards] == [["stop"], ["stop"], []]
    return instance_id


@pytest.fixture
def incident(stopped, employee):
    (task,) = tasks(principal=employee, filters=TaskFilters(kind="incident"))
    return task


def settled(incident, employee, **answer):
    complete(task_id=incident.id, principal=employee, answer=answer, comment="Wrong one.", at=AT)
    for _ in range(3):
        carry_effects_once()


def test_ending_and_undoing_is_offered_with_what_it_does_in_words(incident):
    resolution, confirmed = fields_of(schema=incident.form)

    assert [(each.value, each.label) for each in resolution.choices] == [
        ("retry", "Try the step again"),
        ("cancel", "End the case: what has been done stays done"),
        ("undo", "End and undo: each finished step that has a way back is undone"),
    ]
    assert confirmed.widget == "check"
    assert confirmed.label == "Yes, end it and undo what it did"
    assert "the last first" in confirmed.hint
    assert "What cannot be undone goes to a person" in confirmed.hint


@pytest.mark.parametrize("said", [{}, {"is_confirmed": False}])
def test_undoing_that_is_not_confirmed_is_refused_and_nothing_moves(
    stopped,
    incident,
    processor,  # noqa: F811
    cards,  # noqa: F811
    employee,
    said,
):
    row = store.read_instance(stopped)

    with pytest.raises(AnswerRefused) as refused:
        settled(incident, employee, resolution="undo", **said)

    assert list(refused.value.errors) == ["is_confirmed"]
    assert store.read_instance(stopped) == row
    assert [processor.acts(card) for card in cards] == [["stop"], ["stop"], []]
    assert tasks(principal=employee, filters=TaskFilters(kind="incident")) == (incident,)


def test_what_was_done_is_undone_the_last_first_before_the_case_ends(
    stopped,
    incident,
    processor,  # noqa: F811
    cards,  # noqa: F811
    employee,
):
    settled(incident, employee, resolution="undo", is_confirmed=True)

    assert [(verb, cards.index(card)) for _, card, verb in processor.books()["acts"]] == [
        ("stop", 0),
        ("stop", 1),
        ("release", 1),
        ("release", 0),
    ]
    assert store.read_instance(stopped).status == "cancelled"
    assert tasks(principal=employee, filters=TaskFilters()) == ()
    assert run_page(instance_id=stopped, principal=employee, at=AT).incidents == ()
    seen = case(case_id=incident.case_id, principal=employee, at=AT)
    assert seen.state == "closed"
    assert any("what it did is undone" in line.words for line in seen.history)


def test_ending_alone_needs_no_confirmation_and_undoes_nothing(
    stopped,
    incident,
    processor,  # noqa: F811
    cards,  # noqa: F811
    employee,
):
    settled(incident, employee, resolution="cancel", is_confirmed=False)

    assert store.read_instance(stopped).status == "cancelled"
    assert [processor.acts(card) for card in cards] == [["stop"], ["stop"], []]


def test_what_cannot_be_undone_after_an_incident_goes_to_a_person(
    stopped,
    incident,
    processor,  # noqa: F811
    cards,  # noqa: F811
    employee,
):
    processor.fault("refuse", 1)

    settled(incident, employee, resolution="undo", is_confirmed=True)

    (task,) = tasks(principal=employee, filters=TaskFilters())
    assert task.title == "Undo by hand: Stop card 2"
    assert store.read_instance(stopped).status == "running"
    assert [processor.acts(card) for card in cards] == [["stop"], ["stop"], []]


def test_what_was_answered_is_told_in_words(incident):
    said = answered(schema=incident.form, answers=[{"resolution": "undo", "is_confirmed": True}])

    assert said == (
        ("What to do", "End and undo: each finished step that has a way back is undone"),
        ("Yes, end it and undo what it did", "Yes"),
    )
