"""The list of running work: where each instance stands, what is held, what stopped."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from orchestration.core.state import InstanceState
from orchestration.durable.definitions import PublishedFlow, flow_of
from orchestration.durable.texts import from_text
from orchestration.operating.role import require_operations
from orchestration.plain import plain_mapping
from orchestration.wording import filled
from sentinel.vocabulary import Principal


@dataclass(frozen=True, slots=True)
class RunFilters:
    """Which work to list: `standing` is running, incident, held or ended; empty is all of it.

    `older_than` asks for what began at least so long ago; `search` for a case number, words of its
    title, or the beginning of an id.
    """

    standing: str = "running"
    process: str | None = None
    older_than: timedelta | None = None
    search: str = ""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of a drawing in a list; `standing` is running, incident, held or its end."""

    id: UUID
    process: str
    flow_name: str
    version: int
    case_id: UUID
    case_number: str
    title: str
    standing: str
    is_ended: bool
    stands_at: tuple[str, ...]
    incidents: int
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunCounts:
    """How much work there is of each standing, and of which flows."""

    running: int
    incident: int
    held: int
    ended: int
    flows: tuple[tuple[str, str], ...]


_LIVE = "i.ended_at IS NULL"
_STOPPED = (
    "EXISTS (SELECT FROM orch_incident x WHERE x.instance_id = i.id AND x.resolved_at IS NULL)"
)
_STANDINGS = {
    "": "true",
    "running": _LIVE,
    "incident": f"{_LIVE} AND {_STOPPED}",
    "held": f"{_LIVE} AND i.is_paused",
    "ended": f"NOT {_LIVE}",
}
# What ended without anybody having to see it is found by its trigger, and is no work to list.
_SEEN = "(c.id IS NOT NULL OR i.ended_at IS NULL)"
# What is put into these statements are the constants above; values are always bound.
_FOUND = """
SELECT i.id, i.definition, i.status, i.is_paused, i.state, i.case_id, coalesce(c.number, ''),
       coalesce(c.title, ''),
       (SELECT count(*) FROM orch_incident x
         WHERE x.instance_id = i.id AND x.resolved_at IS NULL),
       i.started_at, i.updated_at, i.ended_at
  FROM orch_instance i LEFT JOIN orch_case c ON c.id = i.case_id
 WHERE {standing} AND {seen}
   AND (%(process)s::text IS NULL OR i.process = %(process)s)
   AND (%(before)s::timestamptz IS NULL OR i.started_at <= %(before)s)
   AND (%(text)s = '' OR c.number ILIKE %(like)s OR c.title ILIKE %(like)s
        OR starts_with(i.id::text, lower(%(text)s)))
 ORDER BY {order}, i.id
 LIMIT %(limit)s
"""
_COUNTED = f"""
SELECT count(*) FILTER (WHERE {_LIVE}), count(*) FILTER (WHERE {_LIVE} AND {_STOPPED}),
       count(*) FILTER (WHERE {_LIVE} AND i.is_paused), count(*) FILTER (WHERE NOT {_LIVE})
  FROM orch_instance i LEFT JOIN orch_case c ON c.id = i.case_id
 WHERE {_SEEN}
"""  # noqa: S608  (see above)
_FLOWS = "SELECT DISTINCT ON (process) process, hash FROM orch_definition ORDER BY process, version"


def running_work(
    *, principal: Principal, filters: RunFilters, at: datetime, limit: int = 100
) -> tuple[RunRow, ...]:
    """Return running work, longest running first, and ended work, newest first.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    require_operations(principal)
    text = filters.search.strip()
    plain = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    order = "i.ended_at DESC NULLS FIRST" if filters.standing == "ended" else "i.started_at"
    statement = _FOUND.format(
        standing=_STANDINGS.get(filters.standing, "false"), seen=_SEEN, order=order
    )
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "process": filters.process or None,
                "before": at - filters.older_than if filters.older_than else None,
                "text": text,
                "like": f"%{plain}%",
                "limit": limit,
            },
        )
        return tuple(_row(found) for found in cursor.fetchall())


def running_counts(*, principal: Principal) -> RunCounts:
    """Return how much work runs, stopped, is held and has ended, and the flows there are.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    require_operations(principal)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED)
        running, incident, held, ended = cursor.fetchone()
        cursor.execute(_FLOWS)
        flows = tuple((process, flow_name(flow_of(digest))) for process, digest in cursor)
    return RunCounts(running, incident, held, ended, flows)


def flow_name(flow: PublishedFlow) -> str:
    """Return what people call a flow: the name in its drawing."""
    return flow.definition.process.name or flow.process.replace("_", " ").capitalize()


def step_name(flow: PublishedFlow, node_id: str, values: dict[str, object]) -> str:
    """Return what people call a step, or its id where the drawing gives it no name."""
    node = flow.definition.process.nodes.get(node_id)
    return filled(node.name, values) if node is not None and node.name else node_id


def step_names(
    flow: PublishedFlow, nodes: Iterable[str], values: dict[str, object]
) -> tuple[str, ...]:
    """Return the names of several steps, each once."""
    return tuple(dict.fromkeys(step_name(flow, node, values) for node in nodes))


def standing_of(*, status: str, is_paused: bool, incidents: int) -> str:
    """Return in one word how an instance stands: its end, held, incident or running."""
    if status not in {"created", "running"}:
        return status
    if is_paused:
        return "held"
    return "incident" if incidents else "running"


def _row(found: tuple[Any, ...]) -> RunRow:
    (run_id, digest, status, is_paused, text, case_id, number, title, incidents, *times) = found
    state: InstanceState = from_text(text, InstanceState)
    flow = flow_of(digest)
    standing = standing_of(status=status, is_paused=is_paused, incidents=incidents)
    return RunRow(
        id=run_id,
        process=flow.process,
        flow_name=flow_name(flow),
        version=flow.version,
        case_id=case_id,
        case_number=number,
        title=title or flow_name(flow),
        standing=standing,
        is_ended=state.is_ended,
        stands_at=step_names(
            flow, (token.node for token in state.tokens), dict(plain_mapping(state.variables))
        ),
        incidents=incidents,
        started_at=times[0],
        updated_at=times[1],
        ended_at=times[2],
    )
