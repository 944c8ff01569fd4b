"""The life of an instance in words: what was begun, answered, decided, and what went wrong."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from orchestration.core import history as past
from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.store import HistoryRow
from orchestration.operating.running import step_name

# Where it happened, what is said of it, and by whom.
_Told = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class RunLine:
    """Something that happened; `by` is a principal id, or empty; `tone` neutral or danger.

    `seq` is the number of the event it belongs to, at the last line of that event only.
    `agreed_by` is the second person, where it took two.
    """

    at: datetime
    node: str
    words: str
    by: str
    tone: str = "neutral"
    seq: int | None = None
    agreed_by: str = ""


_ENDS = {
    "completed": "It is done",
    "terminated": "It ended",
    "failed": "It ended in an error",
    "cancelled": "It was ended by hand",
}
_WAITS = {"timer": "Set a clock", "deadline": "Must be done in time"}
_CAUGHT = {
    "timer": "the time came",
    "message": "a message came",
    "signal": "a signal came",
    "error": "was caught",
    "escalation": "was raised",
    "compensate": "is undone",
}
_RESOLVED = {"retry": "tried again", "complete": "passed over"}


def told(
    rows: Iterable[HistoryRow], flow: PublishedFlow, values: dict[str, object]
) -> tuple[RunLine, ...]:
    """Return what happened to an instance, in order; bookkeeping between steps is left out."""
    teller = _Teller(flow, values)
    happened = [(row, entry) for row in rows if row.ignored is None for entry in row.entries]
    answered = {_work(entry) for _row, entry in happened if isinstance(entry, past.WorkAnswered)}
    lines = [
        (row.seq, line)
        for row, entry in happened
        # Work that was answered is told once, when it was.
        if not (isinstance(entry, past.WorkAsked) and _work(entry) in answered)
        and (line := teller.line(entry, row.at)) is not None
    ]
    following = [seq for seq, _line in lines[1:]] + [None]
    return tuple(
        replace(line, seq=seq) if seq != after else line
        for (seq, line), after in zip(lines, following, strict=False)
    )


def _work(entry: past.WorkAsked | past.WorkAnswered) -> tuple[str, str, int]:
    return entry.node, entry.token, entry.visit


@dataclass(frozen=True, slots=True)
class _Teller:
    """Knows what the steps of one drawing are called."""

    flow: PublishedFlow
    values: dict[str, object]

    def line(self, entry: past.Entry, at: datetime) -> RunLine | None:
        for tell in (self.of_work, self.of_ways, self.of_people):
            found = tell(entry)
            if found is not None:
                node, words, by = found
                is_bad = isinstance(entry, past.IncidentRaised) or (
                    isinstance(entry, past.InstanceEnded) and entry.outcome == "failed"
                )
                return RunLine(at, node, words, by or "", "danger" if is_bad else "neutral")
        return None

    def of_work(self, entry: past.Entry) -> _Told | None:
        match entry:
            case past.InstanceStarted():
                return entry.node, f"Began: {self.name(entry.node)}", entry.started_by
            case past.WorkAsked():
                return entry.node, f"{self.name(entry.node)}: begun", None
            case past.WorkAnswered():
                return entry.node, f"{self.name(entry.node)}: {_said(entry.answer)}", entry.by
            case past.IncidentRaised():
                code = entry.code.replace("_", " ")
                return entry.node, f"{self.name(entry.node)} stopped: {code}", None
            case past.InstanceEnded():
                return "", _ENDS.get(entry.outcome, entry.outcome), None
        return None

    def of_ways(self, entry: past.Entry) -> _Told | None:
        match entry:
            case past.DecisionEvaluated():
                return entry.node, f"{self.name(entry.node)}: decided by rule", None
            case past.FlowTaken() if entry.condition is not None or entry.is_default:
                return self.way(entry)
            case past.EventWaited():
                words = _WAITS.get(entry.waits_for, "Listens for")
                return entry.node, f"{words}: {self.name(entry.node)}", None
            case past.EventCaught():
                return (
                    entry.node,
                    f"{self.name(entry.node)}: {_CAUGHT.get(entry.trigger, entry.trigger)}",
                    None,
                )
        return None

    def of_people(self, entry: past.Entry) -> _Told | None:
        match entry:
            case past.IncidentSettled():
                words = _RESOLVED.get(entry.resolution, entry.resolution)
                return entry.node, f"{self.name(entry.node)}: {words}", entry.by
            case past.TokenMovedByHand():
                words = f"Moved by hand from {self.name(entry.node)} to {self.name(entry.target)}"
                return entry.target, words, entry.by
            case past.InstanceMigrated():
                return "", "Went over to another version of the drawing", None
        return None

    def way(self, entry: past.FlowTaken) -> _Told | None:
        """Say which way a gateway took, where the drawing has a word for it."""
        drawn = self.flow.definition.process.flows.get(entry.flow)
        if drawn is None or not drawn.name:
            return None
        words = f"{self.name(entry.source)} {drawn.name[:1].upper()}{drawn.name[1:]}"
        return entry.source, words, None

    def name(self, node: str) -> str:
        return step_name(self.flow, node, self.values)


def _said(answer: str) -> str:
    kind, _, code = answer.partition(" failure: ")
    if not code:
        return answer.replace("_", " ")
    if kind == "deadline":
        return "was not done in time"
    how = "refused" if kind == "business" else "did not work"
    return f"{how}, {code.replace('_', ' ')}"
