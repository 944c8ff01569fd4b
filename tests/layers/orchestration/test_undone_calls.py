"""A caller that undoes: what it has called undoes for itself, in its turn."""

import pytest

from orchestration.core.state import Wait
from orchestration.durable import doorbell, engine, store, sweeping
from orchestration.effects.carrying import carry_effects_once
from orchestration.public import TaskFilters, complete, tasks
from tests.layers.orchestration.flows import AT, nodes_of
from tests.layers.orchestration.test_across_flows import child_of
from tests.layers.orchestration.test_compensation import (  # noqa: F401  (fixtures)
    SOURCES,
    call,
    cards,
    decided_for,
    end_and_undo,
    processor,
    undoing,
)


def stops(number, target):
    return f"""
<serviceTask id="stop{number}" name="Stop card {number}">
<extensionElements>{call("stop", number)}</extensionElements></serviceTask>
<sequenceFlow id="f{number}" sourceRef="stop{number}" targetRef="{target}"/>
"""


PERSON = """
<userTask id="{name}" name="Look"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask>
"""
# The called process stops the second card, then the third, and asks somebody before it ends.
INNER = f"""
<startEvent id="s"/><sequenceFlow id="f0" sourceRef="s" targetRef="stop2"/>
{stops(2, "stop3")}{undoing(2)}{stops(3, "look")}{undoing(3)}
{PERSON.format(name="look")}
<sequenceFlow id="f4" sourceRef="look" targetRef="e"/><endEvent id="e"/>
"""
# Its caller has stopped the first card before; somebody looks after it, and has all undone or not.
OUTER = f"""
<startEvent id="s"/><sequenceFlow id="f0" sourceRef="s" targetRef="stop1"/>
{stops(1, "call")}{undoing(1)}
<callActivity id="call" name="Stop the others" calledElement="inner"><extensionElements>
<frontline:input name="card2" value="= card2"/><frontline:input name="card3" value="= card3"/>
<frontline:input name="sources" value="= sources"/></extensionElements></callActivity>
<sequenceFlow id="f2" sourceRef="call" targetRef="decide"/>
{PERSON.format(name="decide")}
<sequenceFlow id="f3" sourceRef="decide" targetRef="back"/>
<intermediateThrowEvent id="back"><compensateEventDefinition/></intermediateThrowEvent>
<sequenceFlow id="f4" sourceRef="back" targetRef="e"/><endEvent id="e"/>
"""


def work():
    for _ in range(5):
        carry_effects_once()
        sweeping.sweep(limit=50, clock=doorbell.database_time)


def answered(employee, **answer):
    (task,) = tasks(principal=employee, filters=TaskFilters())
    complete(task_id=task.id, principal=employee, answer=answer, comment="Seen.", at=AT)
    work()


@pytest.fixture
def under_way(flows, processor, cards):  # noqa: F811
    """All three cards are stopped, and the called process waits for somebody."""
    flows.published(INNER, process="inner")
    given = {f"card{number}": card for number, card in enumerate(cards, 1)}
    caller = flows.started(flows.published(OUTER, process="outer"), sources=SOURCES, **given)
    work()
    assert nodes_of(caller) == {"call"}
    assert nodes_of(child_of(caller)) == {"look"}
    return caller


@pytest.fixture
def called(under_way, employee):
    """The called process is done; its caller waits for somebody."""
    answered(employee)
    assert store.read_instance(child_of(under_way)).status == "completed"
    assert nodes_of(under_way) == {"decide"}
    return under_way


def acts(processor, cards):  # noqa: F811
    return [(verb, cards.index(card) + 1) for _, card, verb in processor.books()["acts"]]


STOPPED = [("stop", 1), ("stop", 2), ("stop", 3)]


def proved(*instances):
    for each in instances:
        assert engine.rebuilt_state(each) == store.read_instance(each).state


def test_a_call_that_is_done_is_undone_by_what_was_called_the_last_first(
    called,
    processor,  # noqa: F811
    cards,  # noqa: F811
    employee,
):
    child = child_of(called)

    answered(employee)

    assert acts(processor, cards) == [*STOPPED, ("release", 3), ("release", 2), ("release", 1)]
    assert store.read_instance(called).status == "completed"
    assert store.read_instance(child).status == "cancelled"
    assert decided_for(called)[-3:] == [
        ("release3", "system"),
        ("release2", "system"),
        ("release1", "system"),
    ]
    proved(called, child)


@pytest.mark.parametrize("moment", ["under_way", "called"])
def test_who_ends_and_undoes_a_caller_has_all_undone_across_both_the_last_first(
    moment,
    request,
    processor,  # noqa: F811
    cards,  # noqa: F811
    employee,
):
    caller = request.getfixturevalue(moment)
    child = child_of(caller)

    end_and_undo(caller, employee)
    assert store.read_instance(caller).status == "running"
    work()

    assert acts(processor, cards) == [*STOPPED, ("release", 3), ("release", 2), ("release", 1)]
    assert {store.read_instance(each).status for each in (caller, child)} == {"cancelled"}
    assert tasks(principal=employee, filters=TaskFilters()) == ()
    proved(caller, child)


@pytest.mark.parametrize("moment", ["under_way", "called"])
def test_what_the_called_process_cannot_undo_goes_to_a_person_and_its_caller_waits(
    moment,
    request,
    processor,  # noqa: F811
    cards,  # noqa: F811
    employee,
):
    caller = request.getfixturevalue(moment)
    child = child_of(caller)
    processor.fault("refuse", 1)

    end_and_undo(caller, employee)
    work()

    (task,) = tasks(principal=employee, filters=TaskFilters())
    assert task.title == "Undo by hand: Stop card 3"
    assert task.form["title"] == "Not undone: Stop card 3. To be undone after it: Stop card 2."
    assert acts(processor, cards) == STOPPED
    (token,) = store.read_instance(caller).state.tokens
    assert (token.node, token.wait) == ("call", Wait.CHILD)
    assert "release3" in nodes_of(child)

    answered(employee, resolution="undone_by_hand")

    assert acts(processor, cards) == [*STOPPED, ("release", 2), ("release", 1)]
    assert {store.read_instance(each).status for each in (caller, child)} == {"cancelled"}
    proved(caller, child)


def test_an_undone_process_is_ended_once_and_never_twice_undone(
    called,
    processor,  # noqa: F811
    cards,  # noqa: F811
    employee,
):
    end_and_undo(called, employee)
    work()
    before = acts(processor, cards)

    work()

    assert acts(processor, cards) == before
    row = store.read_instance(child_of(called))
    assert (row.status, row.state.tokens) == ("cancelled", ())
