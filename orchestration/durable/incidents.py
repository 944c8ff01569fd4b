"""Incidents: what does not work, whose it is, why in words, and where to look."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import connection, transaction

from orchestration import cases, feed
from orchestration.core import commands as ask
from orchestration.durable import claims, overtaken, statements, undoing
from orchestration.durable.run import Run
from orchestration.worklist import assigning, clocks, rows

OPERATIONS = "operations"
_PERSON = "person:"
INCIDENT_FORM: Mapping[str, Any] = {
    "type": "object",
    "title": "Incident",
    "properties": {
        "resolution": {
            "type": "string",
            "title": "What to do",
            "enum": ["retry", "cancel", "undo"],
            "x-labels": {
                "retry": "Try the step again",
                "cancel": "End the case: what has been done stays done",
                "undo": "End and undo: each finished step that has a way back is undone",
            },
        },
        "is_confirmed": {
            "type": "boolean",
            "title": "Yes, end it and undo what it did",
            "description": (
                "It cannot be taken up again. Open work and cards are withdrawn, then each finished"
                " step that has a way back is undone, the last first. A step without one stays as"
                " it is. What cannot be undone goes to a person, and the case ends after that."
            ),
        },
    },
    "required": ["resolution"],
    "allOf": [
        {
            "if": {"properties": {"resolution": {"enum": ["undo"]}}, "required": ["resolution"]},
            "then": {
                "properties": {"is_confirmed": {"const": True}},
                "required": ["is_confirmed"],
            },
        }
    ],
}


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """A fault that waits for its owner: a role or a person; `links` say where to look."""

    id: UUID
    instance_id: UUID
    process: str
    node: str
    code: str
    words: str
    owner_role: str
    owner_person: str | None
    raised_at: datetime
    resolved_at: datetime | None
    resolution: str | None
    links: Mapping[str, str]


def raise_incident(run: Run, command: ask.RaiseIncident) -> None:
    """Put a fault before the one the journey names for the node, or before operations."""
    run.has_left_traces = True
    run.need_case()
    incident_id = run.new_id("incident", command.node, command.visit, run.rev + len(run.lines))
    role, person = owner_of(run.flow.content.owners, command.node)
    _write(run, command, incident_id, role, person)
    _open_task(run, command, incident_id, role, person)
    cases.set_state(run.row.case_id, "open", run.at)
    run.say(run.flow.content.says.get("incident", ""))
    run.note("incident", f"A step did not work: {command.code}.", reference=command.node)


def owner_of(owners: Mapping[str, str], node: str) -> tuple[str, str | None]:
    """Return the role, and the person if one is named, that looks after a node's faults."""
    owner = owners.get(node) or owners.get("*") or OPERATIONS
    person = owner.removeprefix(_PERSON) if owner.startswith(_PERSON) else None
    return OPERATIONS if person else owner, person


def give_to(task: rows.NewTask, person: str | None, at: datetime) -> None:
    """Open a task, for one person where the journey names them."""
    if person is None:
        assigning.open_task(task)
    elif rows.insert_task(task):
        opened = rows.read_task(task.id, is_locked=True)
        assigning.give(opened, person, "The journey names this person.", at)


def _write(
    run: Run, command: ask.RaiseIncident, incident_id: UUID, role: str, person: str | None
) -> None:
    statements.count(
        "INSERT INTO orch_incident (id, instance_id, token, node, visit, code, words,"
        " owner_role, owner_person, raised_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            incident_id,
            run.row.id,
            command.token,
            command.node,
            command.visit,
            command.code,
            command.words,
            role,
            person,
            run.at,
        ],
    )


def _open_task(
    run: Run, command: ask.RaiseIncident, incident_id: UUID, role: str, person: str | None
) -> None:
    inputs = {"code": command.code, "words": command.words, "node": command.node}
    title, form = f"Resolve: {command.code.replace('_', ' ')}", INCIDENT_FORM
    if undoing.is_undoing(run.flow.definition, command.node):
        left = undoing.left_to_undo(run.flow.definition, run.state, command.node)
        title, form = undoing.asked_of_a_person(left)
        inputs |= left
        run.note("not_undone", str(form["title"]), reference=command.node)
    warn_at, due_at = clocks.allowed((role,), run.at, clocks.INCIDENT)
    task = rows.NewTask(
        id=incident_id,
        case_id=run.row.case_id,
        instance_id=run.row.id,
        token=command.token,
        node=command.node,
        visit=command.visit,
        kind="incident",
        form_key="incident",
        title=title,
        form=form,
        inputs=inputs,
        roles=(role,),
        excluded=(),
        warn_at=warn_at,
        due_at=due_at,
        at=run.at,
        reference=incident_id,
    )
    give_to(task, person, run.at)


def close_all(run: Run) -> None:
    """Nobody need look at the faults of an instance any more that is over."""
    statements.count(
        "UPDATE orch_incident SET resolved_at = %s, resolution = 'ended'"
        " WHERE instance_id = %s AND resolved_at IS NULL",
        [run.at, run.row.id],
    )


def settle(incident_id: UUID, *, by: str, resolution: str, at: datetime) -> tuple[UUID, str] | None:
    """Note that an incident is resolved; return its instance and token, None if it was before."""
    found = statements.run(
        "UPDATE orch_incident SET resolved_at = %s, resolved_by = %s, resolution = %s"
        " WHERE id = %s AND resolved_at IS NULL RETURNING instance_id, token",
        [at, by, resolution, incident_id],
    )
    if not found:
        return None
    instance_id, token = found[0]
    overtaken.by_settling(instance_id, incident_id, at)
    return instance_id, token


def put_aside(claim: claims.Claim, at: datetime) -> None:
    """Let nobody try an instance any more that has cost one worker after the other."""
    code, words = "cannot_be_moved", f"{claim.failures} attempts to move it have failed."
    with transaction.atomic():
        claims.give_back(claim.instance_id, claim.fence, due_at=None, is_failed=True)
        # Its state may be what cannot be read.
        ((case_id, process),) = statements.run(
            "SELECT case_id, process FROM orch_instance WHERE id = %s", [claim.instance_id]
        )
        _need_case(claim.instance_id, case_id, process, at)
        incident_id = uuid5(claim.instance_id, f"put_aside|{claim.fence}")
        statements.count(
            "INSERT INTO orch_incident (id, instance_id, token, node, visit, code, words,"
            " owner_role, raised_at) VALUES (%s, %s, '', '', 0, %s, %s, %s, %s)",
            [incident_id, claim.instance_id, code, words, OPERATIONS, at],
        )
        note = cases.Note(at, "system", "incident", words, str(claim.instance_id))
        cases.add_note(case_id, note)
        cases.set_state(case_id, "open", at)
        feed.publish(
            event_type="instance.put_aside",
            subject=f"instance:{claim.instance_id}",
            payload={"case_id": str(case_id), "code": code},
            at=at,
        )


def _need_case(instance_id: UUID, case_id: UUID, process: str, at: datetime) -> None:
    if not cases.is_known(case_id):
        title = process.replace("_", " ").capitalize()
        cases.open_case(cases.NewCase(case_id, process, title, None, None, instance_id, at))


def incidents(
    *, instance_id: UUID | None = None, role: str | None = None, is_open: bool = True, limit: int
) -> tuple[OpenIncident, ...]:
    """Return incidents, oldest first: of an instance, of the queue of a role, or all."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT n.id, n.instance_id, i.process, n.node, n.code, n.words, n.owner_role,
                   n.owner_person, n.raised_at, n.resolved_at, n.resolution, i.case_id,
                   i.definition
              FROM orch_incident n JOIN orch_instance i ON i.id = n.instance_id
             WHERE (%(instance)s::uuid IS NULL OR n.instance_id = %(instance)s)
               AND (%(role)s::text IS NULL OR n.owner_role = %(role)s)
               AND (NOT %(open)s OR n.resolved_at IS NULL)
             ORDER BY n.raised_at, n.id LIMIT %(limit)s
            """,
            {"instance": instance_id, "role": role, "open": is_open, "limit": limit},
        )
        found = cursor.fetchall()
    return tuple(map(_view, found))


def _view(row: statements.Row) -> OpenIncident:
    *values, case_id, definition = row
    links = {
        "instance": str(row[1]),
        "case": str(case_id),
        "task": str(row[0]),
        "definition": str(definition),
        "node": str(row[3]),
    }
    known: list[Any] = [*values, links]
    return OpenIncident(*known)
