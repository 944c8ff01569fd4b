"""Cases that no flow opened: something was found that a person must look into, once."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid5

from django.db import connection, transaction

from orchestration import cases
from orchestration.worklist import assigning, clocks, rows

FORM: Mapping[str, object] = {
    "type": "object",
    "title": "What was found",
    "properties": {
        "result": {"type": "string", "title": "What it was", "minLength": 3, "maxLength": 500}
    },
    "required": ["result"],
}


def raise_case(
    *, case_id: UUID, journey: str, title: str, words: str, role: str, at: datetime
) -> bool:
    """Open a case with a task for a role, once for its id; return whether it is new.

    `words` name nobody. However often it is asked for, from however many processes, there is one
    case and one task.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 13))", [str(case_id)])
        if cases.is_known(case_id):
            return False
        cases.open_case(cases.NewCase(case_id, journey, title, None, None, None, at))
        cases.add_note(case_id, cases.Note(at, "system", "opened", words, ""))
        assigning.open_task(_task(case_id, title, words, role, at))
        cases.set_state(case_id, "open", at)
    return True


def _task(case_id: UUID, title: str, words: str, role: str, at: datetime) -> rows.NewTask:
    warn_at, due_at = clocks.allowed((role,), at, clocks.INCIDENT)
    return rows.NewTask(
        id=uuid5(case_id, "task"),
        case_id=case_id,
        instance_id=None,
        token=None,
        node="found",
        visit=0,
        kind="handoff",
        form_key="found",
        title=title,
        form=FORM,
        inputs={"words": words},
        roles=(role,),
        excluded=(),
        warn_at=warn_at,
        due_at=due_at,
        at=at,
    )
