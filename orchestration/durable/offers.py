"""Ad-hoc sub-processes on the work list: somebody chooses what is done next, until it is enough."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid5

from orchestration import cases
from orchestration.core.commands import OfferActivities
from orchestration.core.state import InstanceState
from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.run import Run
from orchestration.plain import plain_mapping
from orchestration.worklist import assigning, clocks, rows

ENOUGH = "enough"
_ROLE = "operations"


def offer(run: Run, command: OfferActivities) -> None:
    """Ask people which of the activities is done next.

    What was asked before is taken back: the case may have gone over to a version that offers other
    activities.
    """
    node = run.flow.definition.node(command.node)
    run.need_case()
    named = tuple(part.strip() for part in (node.work.roles or "").split(",") if part.strip())
    roles = named or (_ROLE,)
    warn_at, due_at = clocks.allowed(roles, run.at, clocks.CHOICE)
    is_again = rows.cancel_tasks(run.row.id, command.token, run.at) > 0
    asked = (run.rev + len(run.lines),) if is_again else ()
    task_id = run.new_id("choice", command.node, command.visit, *asked)
    assigning.open_task(
        rows.NewTask(
            id=task_id,
            case_id=run.row.case_id,
            instance_id=run.row.id,
            token=command.token,
            node=command.node,
            visit=command.visit,
            kind="choice",
            form_key=command.node,
            title=node.name or command.node,
            form=_form(run.flow, command.activities),
            inputs=plain_mapping(command.inputs),
            roles=roles,
            excluded=(),
            warn_at=warn_at,
            due_at=due_at,
            at=run.at,
            reference=task_id if is_again else None,
        )
    )
    cases.set_state(run.row.case_id, "open", run.at)


def _form(flow: PublishedFlow, activities: tuple[str, ...]) -> Mapping[str, Any]:
    names = {each: flow.definition.node(each).name or each for each in activities}
    return {
        "type": "object",
        "properties": {
            "activity": {
                "type": "string",
                "title": "What is done next",
                "enum": [*activities, ENOUGH],
                "x-labels": {**names, ENOUGH: "Nothing more: this is enough"},
            }
        },
        "required": ["activity"],
    }


def is_one_under_way(flow: PublishedFlow, state: InstanceState, node: str) -> bool:
    """Tell whether an activity of an ad-hoc sub-process is being done."""
    inside = (flow.definition.node(token.node).container for token in state.tokens)
    return node in inside


def is_one_at_a_time(flow: PublishedFlow, node: str) -> bool:
    """Tell whether the drawing lets one activity be done at a time."""
    ad_hoc = flow.definition.node(node).ad_hoc
    return ad_hoc is not None and ad_hoc.is_sequential


def ask_again(row: rows.TaskRow, at: datetime) -> None:
    """Put the same question once more, for the next choice."""
    task_id = uuid5(row.id, "next")
    warn_at, due_at = clocks.allowed(row.roles, at, clocks.CHOICE)
    new = rows.NewTask(
        id=task_id,
        case_id=row.case_id,
        instance_id=row.instance_id,
        token=row.token,
        node=row.node,
        visit=row.visit,
        kind=row.kind,
        form_key=row.form_key,
        title=row.title,
        form=row.form,
        inputs=row.inputs,
        roles=row.roles,
        excluded=row.excluded,
        warn_at=warn_at,
        due_at=due_at,
        at=at,
        reference=task_id,
    )
    assigning.open_task(new)
