"""How items have ended whose flows are over: by what the journey calls that end, with its words."""

from uuid import UUID

from orchestration.core.state import InstanceState
from orchestration.durable.definitions import flow_of
from orchestration.durable.texts import from_text
from orchestration.plain import plain_mapping
from orchestration.triggers import batch_items, batch_rows
from orchestration.triggers.batch_items import EndedRun, ItemEnd
from orchestration.wording import filled

REASON_LENGTH_MAX = 300
COMPLETED = "completed"
_ENDS = frozenset({"done", "failed", "refused"})
_CANCELLED = "It was ended by hand."


def settle(batch_id: UUID) -> int:
    """Note how the items stand whose instances have ended; return how many."""
    ended = batch_items.ended_runs(batch_id)
    batch_items.note_ended(batch_id, [_end_of(each) for each in ended])
    return len(ended)


def close_if_over(batch_id: UUID) -> None:
    """End a run of which no item is left, and keep what was counted."""
    if not batch_items.are_left(batch_id):
        batch_rows.end(batch_id, batch_items.counts([batch_id])[batch_id])


def _end_of(run: EndedRun) -> ItemEnd:
    content = flow_of(run.definition).content
    if run.status != COMPLETED:
        state = from_text(run.state, InstanceState)
        words = _CANCELLED if run.status == "cancelled" else ""
        code = state.code if run.status == "failed" and state.code else run.status
        return ItemEnd(run.line, "failed", code, words)
    end = content.states.get(run.end_node or "", "done")
    if end == "done" or end not in _ENDS:
        return ItemEnd(run.line, "done", COMPLETED)
    said = content.notes.get(run.end_node or "") or content.says.get(run.end_node or "", "")
    values = plain_mapping(from_text(run.state, InstanceState).variables) if said else {}
    return ItemEnd(run.line, end, str(run.end_node), filled(said, values)[:REASON_LENGTH_MAX])
