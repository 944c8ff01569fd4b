"""What a queue may have in hand: asked for by one of operations, agreed to by another, and kept."""

from dataclasses import replace
from uuid import uuid4

import pytest

from orchestration import act, journeys
from orchestration.durable import claims
from orchestration.durable.publication import publish
from orchestration.public import (
    OperationsOnly,
    QueueChangeRefused,
    QueueSetting,
    TaskFilters,
    ask_queue_change,
    case,
    complete,
    queue_changes,
    queue_rows,
    queue_setting,
    tasks,
)
from sentinel.public import TokenRefused, redeem
from sentinel.vocabulary import Action, Provenance, Source, Verdict
from tests.authority import approved, count, decided, found_bank, now
from tests.authority import employee as colleague

WHY = "The card processor asks us to slow down."
FIVE = QueueSetting(5, 1)
AS_IT_WAS = QueueSetting(None, 1)


@pytest.fixture(autouse=True)
def rules(db, entity):
    found_bank()
    publish(next(each for each in journeys.flow_sources() if each.process == "change_queue"))


@pytest.fixture
def second(employee):
    return replace(employee, id=f"employee:{uuid4()}", person_id=str(uuid4()))


def asked(employee, wanted=FIVE, *, queue="default", why=WHY, change_id=None):
    return ask_queue_change(
        change_id=change_id or uuid4(),
        queue=queue,
        wanted=wanted,
        why=why,
        principal=employee,
        at=now(),
    )


def answered(who, verdict="approve"):
    (task,) = tasks(principal=who, filters=TaskFilters(kind="approval"))
    complete(
        task_id=task.id, principal=who, answer={"verdict": verdict}, comment="Agreed.", at=now()
    )


def in_force(employee, queue="default"):
    return queue_setting(queue=queue, principal=employee)


def standing(employee):
    (change,) = queue_changes(principal=employee)
    return change.asked.standing


def test_another_change_under_a_used_id_is_refused_in_words(employee):
    change_id = uuid4()
    case_id = asked(employee, change_id=change_id)

    with pytest.raises(QueueChangeRefused) as refused:
        asked(employee, QueueSetting(6, 1), change_id=change_id)

    assert refused.value.reason == "start_id_reused"
    assert asked(employee, change_id=change_id) == case_id
    assert [each.after for each in queue_changes(principal=employee)] == [FIVE]


def test_a_queue_is_changed_once_a_second_person_agrees(employee, second):
    case_id = asked(employee)
    assert (in_force(employee), standing(employee)) == (AS_IT_WAS, "asked")

    answered(second)

    assert in_force(employee) == FIVE
    (row,) = queue_rows(principal=employee, at=now())
    assert (row.cap, row.share) == (5, 1)
    lines = [line.words for line in case(case_id=case_id, principal=second, at=now()).history]
    assert lines[-1] == "The queue default has at most 5 at once, share 1 from now on."


def test_a_change_is_kept_with_what_it_replaced_why_and_by_whom(employee, second):
    asked(employee)
    answered(second)
    asked(employee, QueueSetting(None, 7))

    waiting, made = queue_changes(principal=second)

    assert (waiting.before, waiting.after) == (FIVE, QueueSetting(None, 7))
    assert (waiting.asked.standing, waiting.asked.decided_by) == ("asked", None)
    assert (made.queue, made.before, made.after) == ("default", AS_IT_WAS, FIVE)
    assert (made.asked.asked_by, made.asked.decided_by) == (employee.id, second.id)
    assert (made.asked.standing, made.why) == ("made", WHY)
    assert made.asked.words == (
        f"default: at most 5 at once, share 1, instead of no limit, share 1. Reason given: {WHY}"
    )


def test_a_limit_can_be_lifted(employee, second):
    claims.set_queue(name="default", cap=3, share=2)
    asked(employee, AS_IT_WAS)

    answered(second)

    assert in_force(employee) == AS_IT_WAS


def test_nobody_agrees_to_their_own(employee):
    asked(employee)

    offered = tasks(principal=employee, filters=TaskFilters(kind="approval"))

    assert offered == ()
    assert (in_force(employee), standing(employee)) == (AS_IT_WAS, "asked")


def test_what_is_not_agreed_changes_nothing(employee, second):
    asked(employee)

    answered(second, "reject")

    assert (in_force(employee), standing(employee)) == (AS_IT_WAS, "refused")


def test_a_queue_that_others_changed_meanwhile_stays_as_they_left_it(employee, second):
    asked(employee)
    claims.set_queue(name="default", cap=9, share=1)

    answered(second)

    assert in_force(employee) == QueueSetting(9, 1)
    (change,) = queue_changes(principal=employee)
    assert change.asked.standing == "failed"
    assert change.asked.outcome == "The queue was changed by others since this was asked for."


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (QueueSetting(-1, 1), "cap"),
        (QueueSetting(0, 1), "cap"),
        (QueueSetting(10_001, 1), "cap"),
        (QueueSetting(10**30, 1), "cap"),
        (QueueSetting(5, 0), "share"),
        (QueueSetting(5, -3), "share"),
        (QueueSetting(5, 101), "share"),
        (AS_IT_WAS, "nothing_changed"),
    ],
)
def test_what_no_queue_can_be_is_asked_of_nobody(employee, second, wanted, reason):
    with pytest.raises(QueueChangeRefused) as refused:
        asked(employee, wanted)

    assert refused.value.reason == reason
    assert (count("orch_instance"), queue_changes(principal=second)) == (0, ())
    assert in_force(employee) == AS_IT_WAS


@pytest.mark.parametrize("why", ["", "   short  ", "x" * 501])
def test_a_change_wants_a_reason(employee, why):
    with pytest.raises(QueueChangeRefused) as refused:
        asked(employee, why=why)

    assert (refused.value.reason, count("orch_instance")) == ("why", 0)


def test_a_queue_that_no_flow_names_is_refused(employee):
    with pytest.raises(QueueChangeRefused) as refused:
        asked(employee, queue="nowhere")

    assert (refused.value.reason, count("orch_instance")) == ("queue_unknown", 0)


def test_asking_twice_with_one_id_asks_once(employee):
    change_id = uuid4()

    first, again = (asked(employee, change_id=change_id) for _ in range(2))

    assert first == again
    assert count("orch_instance") == 1


@pytest.mark.parametrize("role", ["compliance_officer", "fraud_analyst", "process_owner"])
def test_queues_are_changed_by_operations_only(role):
    other = colleague(role)

    for door in (
        lambda: asked(other),
        lambda: in_force(other),
        lambda: queue_changes(principal=other),
    ):
        with pytest.raises(OperationsOnly):
            door()

    assert count("orch_instance") == 0


def setting_action(**changes):
    parameters = {
        "queue": "default", "cap": 5, "share": 1, "old_cap": None, "old_share": 1, "reason": WHY,
        **changes,
    }  # fmt: skip
    return Action(
        kind="queues.set",
        parameters=parameters,
        resource="queue:default",
        case_id=uuid4(),
        idempotency_key=str(uuid4()),
        sources=dict.fromkeys(parameters, Source(Provenance.SYSTEM, "test:1")),
    )


@pytest.mark.parametrize(
    "changes",
    [{"cap": 0}, {"cap": -1}, {"cap": 10_001}, {"share": 0}, {"queue": "Bad Name"}, {"reason": ""}],
)
def test_sentinel_refuses_what_no_queue_can_be(employee, changes):
    decision = decided(setting_action(**changes), employee, (), "operations")

    assert [reason.policy_id for reason in decision.reasons] == ["bad_parameters"]


@pytest.mark.parametrize("role", ["compliance_officer", "fraud_analyst", "process_owner"])
def test_sentinel_lets_nobody_else_change_a_queue(role):
    decision = decided(setting_action(), colleague(role), (), "operations")

    assert (decision.verdict, decision.token) == (Verdict.DENY, None)


def test_a_permit_changes_a_queue_once(employee, second):
    action = setting_action()
    approved(decided(action, employee, (), "operations"), second)

    first = act.perform_action(
        action=action, principal=employee, purpose="operations", facts=(), at=now()
    )
    claims.set_queue(name="default", cap=None, share=1)

    assert first.outcome.code == "queue_set"
    with pytest.raises(TokenRefused):
        redeem(token=first.decision.token, action=action, audience="urn:orchestration:queues")
    assert in_force(employee) == AS_IT_WAS
