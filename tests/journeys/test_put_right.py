"""A case put right by hand: one person proposes, another agrees, and it is all on record."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection

import sentinel.public
from deploy.sample.seeding import DESK_HOURS
from orchestration.core.events import TokenMoved
from orchestration.durable import engine, store
from orchestration.durable.publication import publish
from orchestration.durable.starting import NewInstance
from orchestration.journeys import FlowContent, FlowSource
from orchestration.public import (
    InterventionRefused,
    TaskFilters,
    case,
    change_instance,
    complete,
    incidents,
    pass_over,
    tasks,
)
from orchestration.worklist.calendars import read_calendar
from orchestration.worklist.rows import tasks_of_case
from sentinel.vocabulary import OutcomeKind
from tests.journeys.test_hostile_browser import signed_in
from tests.layers.orchestration.flows import CALLS, HEAD, SCRIPTS, nodes_of

WHY = "The other system was down."


def maker_of(bank):
    return next(each for each in bank.employees.values() if "operations" in each.roles)


@pytest.fixture
def begun(bank):
    """Begin a small flow for somebody of operations."""

    def begin(body, **variables):
        executable = f'<process id="p" isExecutable="true">{body}</process>'
        content = FlowContent(
            drawing="p.bpmn", title="A test", summary="A test.", purpose="servicing"
        )
        flow = publish(FlowSource("t", "p", f"{HEAD}{executable}</definitions>", {}, content, {}))
        instance_id, at = uuid4(), bank.clock.now()
        maker = maker_of(bank)
        engine.start(NewInstance(instance_id, flow, maker, variables, at))
        return instance_id

    return begin


@pytest.fixture
def second(bank):
    """Another person of operations."""
    first = maker_of(bank)
    return replace(first, id=f"employee:{uuid4()}", person_id=str(uuid4()))


def agree(principal, at, verdict="approve"):
    found = tasks(principal=principal, filters=TaskFilters())
    (task,) = (each for each in found if each.kind == "approval")
    complete(task_id=task.id, principal=principal, answer={"verdict": verdict}, comment=WHY, at=at)


def test_a_step_is_passed_over_when_a_second_person_agrees(bank, begun, second):
    instance_id = begun(CALLS.format(call="read:balance", attempts=1), name="x", iban="NL")
    (fault,) = incidents(instance_id=instance_id, limit=5)
    at, maker = bank.clock.now(), maker_of(bank)

    asked = pass_over(incident_id=fault.id, principal=maker, output={"found": 7}, reason=WHY, at=at)
    assert asked.state == "waiting"
    assert nodes_of(instance_id) == {"ask"}

    agree(second, at)

    row = store.read_instance(instance_id)
    assert row.status == "completed"
    assert row.state.variables["found"] == {"found": 7}
    assert engine.rebuilt_state(instance_id) == row.state
    assert incidents(instance_id=instance_id, limit=5) == ()
    (settled,) = incidents(instance_id=instance_id, is_open=False, limit=5)
    assert settled.resolution == "passed_over"


NO_NUMBER = json.loads('{"amount": 1e9999}')


def test_a_value_that_no_flow_can_hold_is_asked_of_nobody(bank, begun):
    stopped = begun(CALLS.format(call="read:balance", attempts=1), name="x", iban="NL")
    waiting = begun(SCRIPTS, amount=21)
    (fault,) = incidents(instance_id=stopped, limit=5)
    common = {"principal": maker_of(bank), "reason": WHY, "at": bank.clock.now()}

    with pytest.raises(InterventionRefused) as passed:
        pass_over(incident_id=fault.id, output=NO_NUMBER, **common)
    with pytest.raises(InterventionRefused) as changed:
        change_instance(instance_id=waiting, variables=NO_NUMBER, moves={}, **common)

    assert passed.value.reason == changed.value.reason == "value_not_held"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orch_intervention")
        assert cursor.fetchone() == (0,)


def test_a_value_that_no_flow_can_hold_is_said_beside_its_field(bank, begun):
    instance_id = begun(CALLS.format(call="read:balance", attempts=1), name="x", iban="NL")
    (fault,) = incidents(instance_id=instance_id, limit=5)
    said = {"do": "pass_over", "reason": WHY, "incident": str(fault.id)}

    answer = signed_in("omar").post(
        f"/workspace/running/{instance_id}/put-right/", {**said, "values": '{"amount": 1e9999}'}
    )

    assert answer.status_code == 422
    assert "no number that can be calculated with" in answer.content.decode()


def test_the_page_says_what_ending_and_undoing_means_and_does_it(bank, begun):
    instance_id = begun(SCRIPTS, amount=21)
    omar, page = signed_in("omar"), f"/workspace/running/{instance_id}/"

    asked = omar.get(page, {"do": "undo"}).content.decode()
    assert "End this run and undo what it did?" in asked
    assert "What cannot be undone goes to a person" in asked
    assert omar.post(f"{page}steer/", {"do": "undo", "reason": ""}).status_code == 422
    assert store.read_instance(instance_id).status == "running"
    answer = omar.post(f"{page}steer/", {"do": "undo", "reason": WHY})

    assert answer.status_code == 302
    assert store.read_instance(instance_id).status == "cancelled"


def test_the_proposer_cannot_agree_alone(bank, begun):
    instance_id = begun(CALLS.format(call="read:balance", attempts=1), name="x", iban="NL")
    (fault,) = incidents(instance_id=instance_id, limit=5)
    at, maker = bank.clock.now(), maker_of(bank)
    asked = pass_over(incident_id=fault.id, principal=maker, output={}, reason=WHY, at=at)
    request = sentinel.public.approval_request(request_id=asked.request_id)

    with pytest.raises(sentinel.public.ApprovalByParticipant):
        sentinel.public.approve(
            request_id=asked.request_id,
            approver=maker,
            verdict="approve",
            comment=WHY,
            params_hash=request.params_hash,
            at=at,
        )

    assert nodes_of(instance_id) == {"ask"}
    assert len(incidents(instance_id=instance_id, limit=5)) == 1


def test_what_the_second_person_rejects_does_not_happen(bank, begun, second):
    instance_id = begun(SCRIPTS, amount=21)
    at, maker = bank.clock.now(), maker_of(bank)
    before = store.read_instance(instance_id)
    change_instance(
        instance_id=instance_id,
        principal=maker,
        variables={"total": 1},
        moves={},
        reason=WHY,
        at=at,
    )

    agree(second, at, "reject")

    assert store.read_instance(instance_id).state == before.state


def test_the_second_person_has_a_day_of_the_desk(bank, begun, second):
    instance_id = begun(SCRIPTS, amount=21)
    change_instance(
        instance_id=instance_id,
        principal=maker_of(bank),
        variables={"total": 1},
        moves={},
        reason=WHY,
        at=bank.clock.now(),
    )

    (task,) = tasks(principal=second, filters=TaskFilters(kind="approval"))
    desk = read_calendar(DESK_HOURS)
    assert task.warn_at == desk.add(task.created_at, "PT6H")
    assert task.due_at == desk.add(task.created_at, "PT8H")


def test_variables_are_corrected_and_a_token_moved(bank, begun, second):
    instance_id = begun(SCRIPTS, amount=21)
    at, maker = bank.clock.now(), maker_of(bank)
    (token,) = store.read_instance(instance_id).state.tokens

    change_instance(
        instance_id=instance_id,
        principal=maker,
        variables={"amount": 30},
        moves={token.id: "double"},
        reason=WHY,
        at=at,
    )
    agree(second, at)

    row = store.read_instance(instance_id)
    assert (row.state.variables["amount"], row.state.variables["total"]) == (30, 60)
    assert nodes_of(instance_id) == {"check"}
    assert engine.rebuilt_state(instance_id) == row.state


def test_who_agrees_sees_all_that_will_change(bank, begun, second):
    instance_id = begun(SCRIPTS, amount=21)
    at, maker = bank.clock.now(), maker_of(bank)
    (token,) = store.read_instance(instance_id).state.tokens

    change_instance(
        instance_id=instance_id,
        principal=maker,
        variables={"creditor_iban": "NL02EVIL"},
        moves={token.id: "double"},
        reason=WHY,
        at=at,
    )

    found = tasks(principal=second, filters=TaskFilters())
    (asked,) = (each for each in found if each.kind == "approval")
    for seen in ('creditor_iban becomes "NL02EVIL"', f"{token.id} moves to double", WHY):
        assert seen in asked.summary


def test_what_is_not_there_cannot_be_changed(bank, begun):
    instance_id = begun(SCRIPTS, amount=21)
    at, maker = bank.clock.now(), maker_of(bank)
    before = store.read_instance(instance_id)

    with pytest.raises(InterventionRefused):
        change_instance(
            instance_id=instance_id,
            principal=maker,
            variables={},
            moves={"t99": "double"},
            reason=WHY,
            at=at,
        )
    with pytest.raises(InterventionRefused):
        pass_over(incident_id=uuid4(), principal=maker, output={}, reason=WHY, at=at)

    assert store.read_instance(instance_id).state == before.state


def test_what_is_agreed_to_too_late_ends_with_an_outcome_and_both_are_told(bank, begun, second):
    instance_id = begun(SCRIPTS, amount=21)
    at, maker = bank.clock.now(), maker_of(bank)
    (token,) = store.read_instance(instance_id).state.tokens
    asked = change_instance(
        instance_id=instance_id,
        principal=maker,
        variables={"amount": 30},
        moves={token.id: "double"},
        reason=WHY,
        at=at,
    )
    moved = TokenMoved(token.id, "double", moved_by="test")
    engine.interrupt(instance_id=instance_id, message_id=uuid4(), event=moved, at=at)
    before = store.read_instance(instance_id)

    agree(second, at)

    after = store.read_instance(instance_id)
    assert after.state == before.state
    assert not [
        each
        for each in tasks_of_case(after.case_id)
        if each.kind == "approval" and each.state == "open"
    ]
    outcome = sentinel.public.outcome_of(decision_id=decided(asked.id))
    assert (outcome.kind, outcome.code) == (OutcomeKind.FAILED, "overtaken")
    said = [line.words for line in case(case_id=after.case_id, principal=second, at=at).history]
    assert any("The case has moved on meanwhile" in words for words in said)
    assert told_overtaken() == {maker.id, second.id}


def decided(intervention_id):
    with connection.cursor() as cursor:
        cursor.execute("SELECT decision_id FROM orch_intervention WHERE id = %s", [intervention_id])
        return cursor.fetchone()[0]


def told_overtaken():
    with connection.cursor() as cursor:
        cursor.execute("SELECT recipient FROM gc_message WHERE template = 'change_overtaken'")
        return {recipient for (recipient,) in cursor.fetchall()}
