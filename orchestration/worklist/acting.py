"""What people do with tasks: claim, give back, complete with an answer, return with a comment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

from django.db import transaction

import sentinel.public
from orchestration import cases
from orchestration.core.events import UserTaskCompleted
from orchestration.durable import calls, control, engine, interventions, store
from orchestration.durable.faults import crash_point
from orchestration.durable.undoing import BY_HAND
from orchestration.plain import feel_mapping
from orchestration.worklist import next_steps, persons, rows, staff
from orchestration.worklist.clocks import calendar_of
from orchestration.worklist.forms import AnswerRefused, checked_answer
from orchestration.worklist.outputs import output_of
from orchestration.worklist.rows import TaskGone, TaskRow
from orchestration.worklist.signing import give_approval
from orchestration.worklist.views import NotYourTask, TaskView, view_of
from sentinel.vocabulary import Principal

Verdict = Literal["approve", "reject", "return"]
COMMENT_LENGTH_MAX = 2_000


class TaskTaken(RuntimeError):
    """Somebody else works on this task."""

    code = "task_taken"
    is_retryable = False

    def __init__(self, task_id: str, claimed_by: str) -> None:
        super().__init__(task_id, claimed_by)
        self.task_id, self.claimed_by = task_id, claimed_by


def claim(*, task_id: UUID, principal: Principal, at: datetime) -> TaskView:
    """Take a task, so that nobody else works on it; taking it twice is harmless.

    Raises:
        TaskGone: the task is not open.
        NotYourTask: it is not this person's to do.
        TaskTaken: somebody else works on it.
    """
    with transaction.atomic():
        row = _for(task_id, principal)
        if row.claimed_by is None:
            rows.set_claim(task_id, principal.id, at)
            rows.tell("task.claimed", row.id, row.case_id, row.roles, at)
    return view_of(rows.read_task(task_id))


def unclaim(*, task_id: UUID, principal: Principal, at: datetime) -> TaskView:
    """Give a task back to the queue.

    Raises:
        TaskGone: the task is not open.
        NotYourTask: it is not this person's to do.
        TaskTaken: somebody else works on it.
    """
    with transaction.atomic():
        row = _for(task_id, principal, is_let_go=True)
        if row.claimed_by is not None:
            rows.set_claim(task_id, None, at)
            rows.tell("task.changed", row.id, row.case_id, row.roles, at)
    return view_of(rows.read_task(task_id))


def return_task(*, task_id: UUID, principal: Principal, comment: str, at: datetime) -> TaskView:
    """Give a task back with words for whoever takes it next.

    Raises:
        AnswerRefused: there is no comment.
        TaskGone: the task is not open.
        NotYourTask: it is not this person's to do.
        TaskTaken: somebody else works on it.
    """
    require_comment(comment)
    with transaction.atomic():
        row = _for(task_id, principal)
        rows.set_claim(task_id, None, at)
        words = f"{row.title}: returned. {comment}"
        cases.add_note(row.case_id, cases.Note(at, principal.id, "returned", words, str(row.id)))
        rows.tell("task.changed", row.id, row.case_id, row.roles, at)
    return view_of(rows.read_task(task_id))


def complete(
    *,
    task_id: UUID,
    principal: Principal,
    answer: Mapping[str, object],
    comment: str,
    at: datetime,
    passkey: sentinel.public.PasskeyAnswer | None = None,
) -> TaskView:
    """Finish a task with its answer and let the case go on.

    An approval of high risk comes with the approver's passkey, once they have one.

    Raises:
        AnswerRefused: the answer is not what the form asks for.
        TaskGone: the task is not open.
        NotYourTask: it is not this person's to do.
        TaskTaken: somebody else works on it.
        sentinel.public.ApprovalRefused: this person may not give this approval.
    """
    row = rows.read_task(task_id)
    values = checked_answer(row.form, answer)
    if len(comment) > COMMENT_LENGTH_MAX:
        raise AnswerRefused({"comment": f"At most {COMMENT_LENGTH_MAX} characters."})
    if row.kind == "approval":
        _approve(row, principal, str(values["verdict"]), comment, at, passkey)
    with engine.driving(at), transaction.atomic():
        row = _for(task_id, principal)
        rows.close_task(
            row,
            answer=values,
            comment=comment,
            closed_by=principal.id,
            handled_seconds=_handled_seconds(row, at),
            at=at,
        )
        persons.note(principal)
        _note(row, values, principal, comment, at)
        _go_on(row, values, principal, comment, at)
        case = cases.read_case(row.case_id)
        cases.changed(case.id, case.customer_id, at)
    return view_of(rows.read_task(task_id))


def _handled_seconds(row: TaskRow, at: datetime) -> int:
    """Return the working time a task took its holder: from the claim, else from its opening."""
    calendar = calendar_of(row.roles)
    return int(calendar.working_time(row.claimed_at or row.opened_at, at).total_seconds())


def _for(task_id: UUID, principal: Principal, *, is_let_go: bool = False) -> TaskRow:
    """Lock a task and return it if this person may work on it, or if asked may let go of it.

    The flow behind it is locked first, as whatever closes a task holds the flow. Who has lost a
    skill since they took the task can still let go of it.
    """
    found = rows.read_task(task_id)
    if found.instance_id is not None:
        store.lock_instance(found.instance_id, is_waiting=True)
    row = rows.read_task(task_id, is_locked=True)
    if row.state != "open":
        raise TaskGone(str(task_id))
    is_candidate = bool(set(row.roles) & set(principal.roles))
    if principal.kind != "employee" or not is_candidate:
        raise NotYourTask(str(task_id))
    if persons.is_excluded(principal, row.excluded):
        raise NotYourTask(str(task_id))
    if not (is_let_go or staff.has_skills(principal, row.skills)):
        raise NotYourTask(str(task_id))
    if row.claimed_by not in (None, principal.id):
        raise TaskTaken(str(task_id), str(row.claimed_by))
    return row


def require_comment(comment: str) -> None:
    """Refuse to go on without words, or with too many.

    Raises:
        AnswerRefused: there are none, or too many.
    """
    if not comment.strip():
        raise AnswerRefused({"comment": "Please say why."})
    if len(comment) > COMMENT_LENGTH_MAX:
        raise AnswerRefused({"comment": f"At most {COMMENT_LENGTH_MAX} characters."})


def _approve(
    row: TaskRow,
    principal: Principal,
    verdict: str,
    comment: str,
    at: datetime,
    passkey: sentinel.public.PasskeyAnswer | None,
) -> None:
    """Give Sentinel the answer, which keeps it by itself; what it has is not given twice."""
    if verdict == "reject":
        require_comment(comment)
    with transaction.atomic():
        _for(row.id, principal)
    assert row.reference is not None
    give_approval(row.reference, principal, verdict, comment, at, passkey)
    crash_point("after_approval")


def _note(
    row: TaskRow,
    values: Mapping[str, object],
    principal: Principal,
    comment: str,
    at: datetime,
) -> None:
    labels = row.form.get("properties", {})
    said = [
        f"{labels[name].get('title', name)}: {_label(labels[name], value)}"
        for name, value in values.items()
        if value not in ("", None)
    ]
    words = f"{row.title}: done. " + "; ".join([*said, *([comment] if comment else [])])
    cases.add_note(row.case_id, cases.Note(at, principal.id, row.form_key, words, str(row.id)))


def _label(field: Mapping[str, object], value: object) -> str:
    labels = field.get("x-labels")
    if isinstance(labels, Mapping) and value in labels:
        return str(labels[value])
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _go_on(
    row: TaskRow,
    values: Mapping[str, object],
    principal: Principal,
    comment: str,
    at: datetime,
) -> None:
    match row.kind:
        case "approval":
            assert row.instance_id is not None
            assert row.reference is not None
            if interventions.answered(request_id=row.reference, by=principal.id, at=at):
                return
            calls.wake_parked(row.instance_id, row.reference)
            engine.move(row.instance_id, at=at, is_waiting=True)
        case "work":
            _answer_flow(row, values, principal, comment, at)
        case "choice":
            next_steps.choose(row, values, principal, at)
        case "incident":
            _resolve(row, values, principal, at)
        case _:
            cases.set_state(row.case_id, "closed", at)


def _answer_flow(
    row: TaskRow,
    values: Mapping[str, object],
    principal: Principal,
    comment: str,
    at: datetime,
) -> None:
    assert row.instance_id is not None
    assert row.token is not None
    output = output_of(
        task_id=row.id,
        inputs=row.inputs,
        values=values,
        by=principal.id,
        comment=comment,
        at=at,
    )
    engine.answer(
        instance_id=row.instance_id,
        message_id=uuid5(row.id, "completed"),
        event=UserTaskCompleted(row.token, feel_mapping(output), completed_by=principal.id),
        at=at,
    )


def _resolve(
    row: TaskRow, values: Mapping[str, object], principal: Principal, at: datetime
) -> None:
    assert row.instance_id is not None
    assert row.reference is not None
    if values["resolution"] == "retry":
        control.retry(incident_id=row.reference, by=principal.id, at=at)
        return
    if values["resolution"] == BY_HAND:
        control.done_by_hand(incident_id=row.reference, by=principal.id, at=at)
        return
    if values["resolution"] == "undo":
        control.undo_instead(incident_id=row.reference, by=principal.id, at=at)
        return
    control.cancel(
        instance_id=row.instance_id, by=principal.id, reason="ended_after_incident", at=at
    )
