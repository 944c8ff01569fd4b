"""Tasks as people of the bank see them: what is asked, of whom, until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import nexus.public
from orchestration import cases
from orchestration.durable import store
from orchestration.plain import plain_mapping
from orchestration.reads import money_of
from orchestration.worklist import persons, rows
from orchestration.worklist.rows import TaskRow
from sentinel.vocabulary import Money, Principal


class NotYourTask(PermissionError):
    """The task asks for a role or a skill this person does not have, or they may not do it."""

    code = "not_your_task"
    is_retryable = False

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id)
        self.task_id = task_id


@dataclass(frozen=True, slots=True)
class TaskFilters:
    """Which tasks to list; `mine` are those this person has claimed or was given."""

    state: str | None = "open"
    kind: str | None = None
    mine: bool = False
    search: str = ""
    role: str | None = None


@dataclass(frozen=True, slots=True)
class TaskView:
    """One piece of work; `claimed_by` is a principal id, whose name the layer above knows."""

    id: UUID
    kind: str
    title: str
    case_id: UUID
    case_number: str
    customer_id: UUID | None
    customer_name: str
    amount: Money | None
    role: str
    state: str
    claimed_by: str | None
    claimed_by_name: str | None
    created_at: datetime
    due_at: datetime | None
    warn_at: datetime | None
    priority: int
    is_escalated: bool
    summary: str
    form: Mapping[str, Any]
    answers: tuple[Mapping[str, Any], ...]
    skills: tuple[str, ...] = ()
    assigned_to: str | None = None
    assigned_why: str = ""
    escalated_why: str = ""
    predicted_at: datetime | None = None


def tasks(*, principal: Principal, filters: TaskFilters, limit: int = 100) -> tuple[TaskView, ...]:
    """Return the work of this person's queues, most urgent first."""
    roles = [role for role in principal.roles if filters.role in (None, role)]
    found = rows.find_tasks(roles=roles, state=filters.state, limit=limit)
    views = (view_of(row) for row in found if not persons.is_excluded(principal, row.excluded))
    return tuple(view for view in views if _is_wanted(view, filters, principal))


def task(*, task_id: UUID, principal: Principal) -> TaskView:
    """Return one piece of work.

    Raises:
        TaskGone: there is none with this id.
        NotYourTask: it belongs to another role.
    """
    row = rows.read_task(task_id)
    if not set(row.roles) & set(principal.roles):
        raise NotYourTask(str(task_id))
    return view_of(row)


def view_of(row: TaskRow) -> TaskView:
    """Return a task as people see it."""
    case = cases.read_case(row.case_id)
    state = "claimed" if row.state == "open" and row.claimed_by else row.state
    answer = dict(row.answer) if row.answer else None
    return TaskView(
        id=row.id,
        kind=row.form_key if row.kind == "work" else row.kind,
        title=row.title,
        case_id=row.case_id,
        case_number=case.number,
        customer_id=case.customer_id,
        customer_name=customer_name(case.customer_id),
        amount=amount_of(case),
        role=row.roles[0] if row.roles else "",
        state=state,
        claimed_by=row.claimed_by,
        claimed_by_name=None,
        created_at=row.opened_at,
        due_at=row.due_at,
        warn_at=row.warn_at,
        priority=row.priority,
        is_escalated=row.priority > 0,
        summary=_summary(row, case),
        form=row.form,
        answers=({**answer, "comment": row.comment, "by": row.closed_by},) if answer else (),
        skills=row.skills,
        assigned_to=row.assigned_to,
        assigned_why=row.assigned_why,
        escalated_why=row.escalated_why,
        predicted_at=row.predicted_at,
    )


def customer_name(customer_id: UUID | None) -> str:
    """Return a customer's name as it is known now."""
    if customer_id is None:
        return ""
    try:
        state = nexus.public.customer_state(customer_id=customer_id)
    except nexus.public.CustomerUnknown:
        return ""
    return str(state.party.get("name", ""))


def amount_of(case: cases.CaseRecord) -> Money | None:
    """Return the amount a case is about, if it is about one."""
    if case.instance_id is None:
        return None
    values = plain_mapping(store.read_instance(case.instance_id).state.variables)
    value = values.get("amount")
    return money_of(value) if isinstance(value, Mapping) else None


def _summary(row: TaskRow, case: cases.CaseRecord) -> str:
    for name in ("words", "summary"):
        if isinstance(row.inputs.get(name), str) and row.inputs[name]:
            return str(row.inputs[name])
    denial = row.inputs.get("denial")
    reasons = denial.get("reasons") if isinstance(denial, Mapping) else None
    if isinstance(reasons, list) and reasons:
        return " ".join(str(reason["staff"]) for reason in reasons)
    return case.title


def _is_wanted(view: TaskView, filters: TaskFilters, principal: Principal) -> bool:
    if filters.mine and (view.claimed_by or view.assigned_to) != principal.id:
        return False
    if filters.kind is not None and view.kind != filters.kind:
        return False
    if filters.state == "claimed" and view.state != "claimed":
        return False
    text = filters.search.strip().casefold()
    where = f"{view.title} {view.case_number} {view.customer_name}".casefold()
    return text in where
