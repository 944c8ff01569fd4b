"""What people do with tasks: claim, give back, complete with an answer, return with a comment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

from django.db import transaction

import sentinel.public
from orchestration import cases
from orchestration.core.events import UserTaskCompleted
from orchestration.durable import calls, control, engine, store
from orchestration.durable.faults import crash_point
from orchestration.plain import feel_mapping
from orchestration.worklist import rows
from orchestration.worklist.forms import AnswerRefused, checked_answer
from orchestration.worklist.rows import TaskGone, TaskRow
from orchestration.worklist.views import NotYourTask, TaskView, view_of
from sentinel.vocabulary import Principal, Provenance

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
        row = _for(task_id, principal)
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
    _require_comment(comment)
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
) -> TaskView:
    """Finish a task with its answer and let the case go on.

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
        _approve(row, principal, str(values["verdict"]), comment, at)
    with transaction.atomic():
        row = _for(task_id, principal)
        rows.close_task(row, answer=values, comment=comment, closed_by=principal.id, at=at)
        _note(row, values, principal, comment, at)
        _go_on(row, values, principal, comment, at)
        case = cases.read_case(row.case_id)
        cases.changed(case.id, case.customer_id, at)
    return view_of(rows.read_task(task_id))


def _for(task_id: UUID, principal: Principal) -> TaskRow:
    """Lock a task and return it if this person may work on it.

    The flow behind it is locked first, as whatever closes a task holds the flow.
    """
    found = rows.read_task(task_id)
    if found.instance_id is not None:
        store.lock_instance(found.instance_id, is_waiting=True)
    row = rows.read_task(task_id, is_locked=True)
    if row.state != "open":
        raise TaskGone(str(task_id))
    is_candidate = bool(set(row.roles) & set(principal.roles))
    if principal.kind != "employee" or not is_candidate or principal.id in row.excluded:
        raise NotYourTask(str(task_id))
    if row.claimed_by not in (None, principal.id):
        raise TaskTaken(str(task_id), str(row.claimed_by))
    return row


def _require_comment(comment: str) -> None:
    if not comment.strip():
        raise AnswerRefused({"comment": "Please say why."})
    if len(comment) > COMMENT_LENGTH_MAX:
        raise AnswerRefused({"comment": f"At most {COMMENT_LENGTH_MAX} characters."})


def _approve(row: TaskRow, principal: Principal, verdict: str, comment: str, at: datetime) -> None:
    """Give Sentinel the answer, which keeps it by itself; what it has is not given twice."""
    if verdict == "reject":
        _require_comment(comment)
    with transaction.atomic():
        _for(row.id, principal)
    assert row.reference is not None
    request = sentinel.public.approval_request(request_id=row.reference)
    if request.state == "open":
        sentinel.public.approve(
            request_id=row.reference,
            approver=principal,
            verdict="approve" if verdict == "approve" else "reject",
            comment=comment,
            params_hash=request.params_hash,
            at=at,
        )
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
            calls.wake_parked(row.instance_id, row.reference)
            engine.move(row.instance_id, at=at, is_waiting=True)
        case "work":
            _answer_flow(row, values, principal, comment, at)
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
    output = {
        **values,
        **_decided(row, values),
        "reference": str(row.id),
        "by": principal.id,
        "comment": comment,
        "at": at.isoformat(),
    }
    engine.answer(
        instance_id=row.instance_id,
        message_id=uuid5(row.id, "completed"),
        event=UserTaskCompleted(row.token, feel_mapping(output), completed_by=principal.id),
        at=at,
    )


def _decided(row: TaskRow, values: Mapping[str, object]) -> Mapping[str, object]:
    """Return what follows from the choice of an account number: which one, confirmed by whom."""
    choice = values.get("iban_choice")
    if choice is None:
        return {}
    is_reached = values.get("reached") is True
    if choice == "reject" or not is_reached:
        return {"done": False}
    number = row.inputs["known_iban"] if choice == "known" else row.inputs["creditor_iban"]
    source = {
        "provenance": Provenance.EMPLOYEE_CONFIRMED.value,
        "reference": f"orch_task:{row.id}",
    }
    return {"done": number is not None, "creditor_iban": number, "source": source}


def _resolve(
    row: TaskRow, values: Mapping[str, object], principal: Principal, at: datetime
) -> None:
    assert row.instance_id is not None
    assert row.reference is not None
    if values["resolution"] == "retry":
        control.retry(incident_id=row.reference, by=principal.id, at=at)
        return
    control.cancel(
        instance_id=row.instance_id, by=principal.id, reason="ended_after_incident", at=at
    )
