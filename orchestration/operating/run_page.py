"""One run on one page: its drawing, where it stands, what stopped, and how it came to this."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from orchestration import cases
from orchestration.core.history import NodeEntered
from orchestration.durable import store
from orchestration.durable.definitions import flow_of
from orchestration.operating.agreeing import told_by_people
from orchestration.operating.role import require_operations
from orchestration.operating.running import flow_name, standing_of, step_name
from orchestration.operating.telling import RunLine, told
from orchestration.operating.waiting import WaitView, waits_of
from orchestration.plain import plain_mapping
from orchestration.worklist import readers
from sentinel.vocabulary import Principal

_BY_HAND = {"hold", "resumed", "reason", "cancelled", "intervention"}


@dataclass(frozen=True, slots=True)
class IncidentView:
    """A step that stopped: where, why, and since when."""

    id: UUID
    node: str
    step: str
    code: str
    words: str
    owner_role: str
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class RelatedRun:
    """A run that this one called, or that called it."""

    id: UUID
    process: str
    is_caller: bool


@dataclass(frozen=True, slots=True)
class RunPage:
    """What operations sees before it steers a run; one that has no case has no number either.

    `tokens` are where it stands, by id, with the name of the step; `variables` are the names of all
    it knows; `may_fork` says that they may try it out from any of its events on.
    """

    id: UUID
    process: str
    flow_name: str
    version: int
    digest: str
    case_id: UUID
    case_number: str
    may_open_case: bool
    may_fork: bool
    title: str
    standing: str
    is_held: bool
    is_ended: bool
    started_at: datetime
    ended_at: datetime | None
    waits: tuple[WaitView, ...]
    incidents: tuple[IncidentView, ...]
    lines: tuple[RunLine, ...]
    related: tuple[RelatedRun, ...]
    diagram_xml: str
    active_nodes: tuple[str, ...]
    done_nodes: tuple[str, ...]
    tokens: tuple[tuple[str, str], ...]
    variables: tuple[str, ...]


def run_page(*, instance_id: UUID, principal: Principal, at: datetime) -> RunPage:
    """Return one run for somebody of operations, and put on record that they looked.

    Raises:
        OperationsOnly: the principal is not of operations.
        InstanceUnknown: there is none with this id.
    """
    require_operations(principal)
    row = store.read_instance(instance_id)
    readers.grant(principal, f"run:{instance_id}", at)
    flow = flow_of(row.definition)
    case = cases.read_case(row.case_id) if cases.is_known(row.case_id) else None
    may_open_case = case is not None and readers.may_read_case(case.id, principal)
    past = store.history_of(instance_id)
    values = dict(plain_mapping(row.state.variables))
    active = {token.node for token in row.state.tokens}
    open_incidents = tuple(
        IncidentView(found[0], found[1], step_name(flow, found[1], values), *found[2:])
        for found in _incidents(instance_id)
    )
    return RunPage(
        id=row.id,
        process=row.process,
        flow_name=flow_name(flow),
        version=flow.version,
        digest=flow.digest,
        case_id=row.case_id,
        case_number=case.number if case else "",
        may_open_case=may_open_case,
        may_fork=case is None or may_open_case,
        title=case.title if case else flow_name(flow),
        standing=standing_of(
            status=row.status, is_paused=row.is_paused, incidents=len(open_incidents)
        ),
        is_held=row.is_paused and not row.state.is_ended,
        is_ended=row.state.is_ended,
        started_at=row.started_at,
        ended_at=past[-1].at if past and row.state.is_ended else None,
        waits=waits_of(instance_id, row.state, flow, values),
        incidents=open_incidents,
        lines=_lines(told_by_people(instance_id, told(past, flow, values)), row.case_id),
        related=_related(row),
        diagram_xml=flow.bpmn,
        active_nodes=tuple(sorted(active)),
        done_nodes=tuple(each for each in _entered(past) if each not in active),
        tokens=tuple((token.id, step_name(flow, token.node, values)) for token in row.state.tokens),
        variables=tuple(sorted(values)),
    )


def _entered(past: tuple[store.HistoryRow, ...]) -> dict[str, None]:
    """Return the nodes a run has entered, each once, in order."""
    entries = (entry for line in past for entry in line.entries)
    return dict.fromkeys(entry.node for entry in entries if isinstance(entry, NodeEntered))


def _lines(told_of_run: tuple[RunLine, ...], case_id: UUID) -> tuple[RunLine, ...]:
    """Put what people did to the run, and why, where it belongs in its life."""
    by_hand = (
        RunLine(note.at, "", note.words, note.actor)
        for note in cases.notes_of(case_id)
        if note.kind in _BY_HAND
    )
    return tuple(sorted((*told_of_run, *by_hand), key=lambda line: line.at))


def runs_of_case(*, case_id: UUID, principal: Principal) -> tuple[UUID, ...]:
    """Return the runs of a case, oldest first, for somebody of operations; for others none."""
    try:
        require_operations(principal)
    except PermissionError:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM orch_instance WHERE case_id = %s ORDER BY started_at, id", [case_id]
        )
        return tuple(found[0] for found in cursor.fetchall())


def _incidents(instance_id: UUID) -> list[tuple[UUID, str, str, str, str, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, node, code, words, owner_role, raised_at FROM orch_incident"
            " WHERE instance_id = %s AND resolved_at IS NULL ORDER BY raised_at, id",
            [instance_id],
        )
        return list(cursor.fetchall())


def _related(row: store.InstanceRow) -> tuple[RelatedRun, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, process, id = %(parent)s FROM orch_instance"
            " WHERE id = %(parent)s OR parent_id = %(id)s ORDER BY started_at, id",
            {"parent": row.parent_id, "id": row.id},
        )
        return tuple(
            RelatedRun(run_id, process, bool(is_caller)) for run_id, process, is_caller in cursor
        )
