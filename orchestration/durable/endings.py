"""A flow that ended by an error nothing in its drawing caught: a person says what comes of it."""

from collections.abc import Mapping
from typing import Any

from orchestration import cases
from orchestration.core import commands as ask
from orchestration.durable import incidents
from orchestration.durable.run import Run
from orchestration.worklist import clocks, rows

_FORM: Mapping[str, Any] = {
    "type": "object",
    "title": "The flow ended by an error",
    "properties": {
        "result": {"type": "string", "title": "What was done", "minLength": 3, "maxLength": 500}
    },
    "required": ["result"],
}


def leave_to_person(run: Run, command: ask.Complete) -> None:
    """Keep the case open until somebody has looked: nothing was undone, and nobody was told.

    What began without a case, such as an item of a file, is told of where it came from.
    """
    if not cases.is_known(run.row.case_id):
        return
    code = command.code or command.outcome.value
    role, person = incidents.owner_of(run.flow.content.owners, "*")
    warn_at, due_at = clocks.allowed((role,), run.at, clocks.INCIDENT)
    task = rows.NewTask(
        id=run.new_id("ended"),
        case_id=run.row.case_id,
        instance_id=run.row.id,
        token=None,
        node="",
        visit=0,
        kind="handoff",
        form_key="ended",
        title=f"Ended by an error: {code.replace('_', ' ')}",
        form=_FORM,
        inputs={
            "code": code,
            "words": "Nothing in the drawing catches this error. What was done before stands.",
        },
        roles=(role,),
        excluded=(),
        warn_at=warn_at,
        due_at=due_at,
        at=run.at,
    )
    run.note("incident", f"The flow ended by an error that nothing caught: {code}.", reference="")
    incidents.give_to(task, person, run.at)
    cases.set_state(run.row.case_id, "open", run.at)
