"""Handing work on to a colleague, by name and with words."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from orchestration import cases
from orchestration.worklist import assigning, persons, rows
from orchestration.worklist.acting import TaskTaken, require_comment
from orchestration.worklist.rows import TaskGone, TaskRow
from orchestration.worklist.staff import SUPERVISING_ROLES, has_skills
from orchestration.worklist.views import NotYourTask, TaskView, view_of
from sentinel.vocabulary import Principal


class DelegationRefused(ValueError):
    """The colleague cannot be given this task; `words` say why."""

    code = "delegation_refused"
    is_retryable = False

    def __init__(self, task_id: str, words: str) -> None:
        super().__init__(task_id, words)
        self.task_id, self.words = task_id, words


def delegate(
    *, task_id: UUID, principal: Principal, to: str, comment: str, at: datetime
) -> TaskView:
    """Hand an open task on to a colleague who may do it, with words for them.

    Whoever holds it may; if nobody does, anybody of its roles and skills; and a supervisor
    always. Who is excluded from the task never may.

    Raises:
        AnswerRefused: there is no comment.
        TaskGone: the task is not open.
        NotYourTask: it is not this person's to hand on.
        TaskTaken: somebody else works on it.
        DelegationRefused: the colleague has not the role or a skill, took part before, or is away.
    """
    require_comment(comment)
    with transaction.atomic():
        row = rows.read_task(task_id, is_locked=True)
        _require_may_hand_on(row, principal)
        why_not = assigning.refusal_to_give(row, to, at)
        if why_not:
            raise DelegationRefused(str(task_id), why_not)
        assigning.give(row, to, f"handed on: {comment}", at)
        words = f"{row.title}: handed on. {comment}"
        cases.add_note(row.case_id, cases.Note(at, principal.id, "delegated", words, str(row.id)))
    return view_of(rows.read_task(task_id))


def _require_may_hand_on(row: TaskRow, principal: Principal) -> None:
    if row.state != "open":
        raise TaskGone(str(row.id))
    is_candidate = bool(set(row.roles) & set(principal.roles))
    is_supervisor = bool(SUPERVISING_ROLES & set(principal.roles))
    if principal.kind != "employee" or not (is_candidate or is_supervisor):
        raise NotYourTask(str(row.id))
    if not (is_supervisor or has_skills(principal, row.skills)):
        raise NotYourTask(str(row.id))
    if persons.is_excluded(principal, row.excluded):
        # Who took part before does not choose who judges it, either.
        raise NotYourTask(str(row.id))
    if row.claimed_by not in (None, principal.id) and not is_supervisor:
        raise TaskTaken(str(row.id), str(row.claimed_by))
