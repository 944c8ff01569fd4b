"""What was done and read before: in this case, and by the same agents of late.

Steps that are harmless one by one can do harm in a row, so policies see what came before. A case
remembers for as long as it exists; an agent is followed across cases for a day, and what it did
for another agent counts for both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sentinel.catalogue import ActionKind, UnknownAction, action_kind
from sentinel.store import Statement, run_one
from sentinel.vocabulary import Principal

AGENT_SECONDS = 86_400
_ACTION, _DATA = "action:", "data:"
_KEEP = "SELECT sentinel_keep_trace(string_to_array(%s, ' '), string_to_array(%s, ' '))"


@dataclass(frozen=True, slots=True)
class Earlier:
    """Kinds of action that were permitted before, and kinds of data that were read."""

    actions: tuple[str, ...]
    data: tuple[str, ...]


# What decisions of a release without a history were judged on.
NOTHING_EARLIER = Earlier((), ())


def agents_in(principal: Principal) -> list[str]:
    """Return the agents in a chain, who are followed across cases."""
    return [link.id for link in principal.chain() if link.kind == "agent"]


def earlier_of(found: str | None) -> Earlier | None:
    """Return the history as `sentinel_earlier` tells it, or None if it could not be read."""
    if found is None:
        return None
    marks = found.split()
    actions = sorted(mark.removeprefix(_ACTION) for mark in marks if mark.startswith(_ACTION))
    data = {mark.removeprefix(_DATA) for mark in marks if mark.startswith(_DATA)}
    for kind in actions:
        data.update(_reads(kind))
    return Earlier(tuple(actions), tuple(sorted(data)))


def history_refusal(earlier: Earlier | None) -> tuple[str, str] | None:
    """Return why nothing is permitted where what came before could not be read."""
    return ("history_unreadable", "") if earlier is None else None


def seen_before(earlier: Earlier | None, entry: ActionKind) -> dict[str, list[str]]:
    """Return what policies see of the history; the data an action shows itself count as read."""
    if earlier is None:
        return {}
    data = sorted({*earlier.data, *entry.reads})
    return {"data_read": data, "earlier_actions": list(earlier.actions)}


def trace_statements(principal: Principal, entry: ActionKind) -> list[Statement]:
    """Return the statement that follows the agents of a chain; none where there is no agent."""
    agents = agents_in(principal)
    return [_statement(_actors(agents), [f"{_ACTION}{entry.kind}"])] if agents else []


def keep_read(principal: Principal, data: str, case_id: UUID | None) -> None:
    """Remember that data of a kind was read: in the case, and by the agents of the chain."""
    holders = [*_actors(agents_in(principal)), *([f"case:{case_id}"] if case_id else [])]
    if holders:
        run_one(*_statement(holders, [f"{_DATA}{data}"]))


def _actors(agents: Iterable[str]) -> list[str]:
    return [f"actor:{agent}" for agent in agents]


def _statement(holders: Sequence[str], marks: Sequence[str]) -> Statement:
    return _KEEP, [" ".join(holders), " ".join(marks)]


def _reads(kind: str) -> tuple[str, ...]:
    try:
        return action_kind(kind).reads
    except UnknownAction:
        # A kind of an earlier release: what it read cannot be told any more.
        return ()
