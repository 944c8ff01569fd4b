"""Rows of calls apart: what branches ask for at once, made by whoever claims it, answered once.

A call is kept so in the commit of the step that asks, and is anybody's after it. A claim has a
lease, renewed while the call is under way, and a fence: who lost it leaves no answer. The answer
makes the call due, and the step takes it in as it would have taken one at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from orchestration.core.commands import CallService
from orchestration.core.deadlines import DEADLINE_EXCEEDED
from orchestration.core.events import Event, FailureKind, TaskCompleted, TaskFailed
from orchestration.durable import statements
from orchestration.durable.texts import from_text, to_text
from orchestration.plain import feel_mapping
from orchestration.step_results import Answered, NotDone, Refused, StepResult

# How a call that broke says whether it may be tried again.
_AGAIN, _FINAL = "again", "final"

_CLAIM = """
WITH free AS MATERIALIZED (
    SELECT c.instance_id, c.node, c.visit
      FROM orch_call c JOIN orch_instance i ON i.id = c.instance_id
     WHERE c.entity = frontline_entity() AND c.state = 'apart' AND c.due_at <= %(at)s
       AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())
       AND NOT i.is_paused AND (%(only)s::uuid IS NULL OR c.instance_id = %(only)s)
     ORDER BY c.due_at LIMIT %(limit)s FOR NO KEY UPDATE OF c SKIP LOCKED
)
UPDATE orch_call c
   SET fence = c.fence + 1, takes = c.takes + 1,
       lease_until = clock_timestamp() + make_interval(secs => %(seconds)s)
  FROM free
 WHERE c.instance_id = free.instance_id AND c.node = free.node AND c.visit = free.visit
RETURNING c.instance_id, c.command, c.fence, c.takes
"""
_RENEW = """
UPDATE orch_call c
   SET lease_until = clock_timestamp() + make_interval(secs => %(seconds)s)
  FROM unnest(%(ids)s::uuid[], %(nodes)s::text[], %(visits)s::int[], %(fences)s::bigint[])
       AS held(instance_id, node, visit, fence)
 WHERE c.instance_id = held.instance_id AND c.node = held.node AND c.visit = held.visit
   AND c.fence = held.fence AND c.state = 'apart'
"""
# It is due since ever: that is how a claim knows calls that nobody made ready.
_ANSWER = """
UPDATE orch_call SET state = 'due', due_at = 'epoch', lease_until = NULL, answer = %s
 WHERE instance_id = %s AND node = %s AND visit = %s AND fence = %s AND state = 'apart'
"""


@dataclass(frozen=True, slots=True)
class StepBroke:
    """The step raised; `is_final` when trying again cannot help, `is_late` when time was up."""

    error: str
    is_final: bool
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class ClaimedCall:
    """A call apart in hand; `takes` counts those who have had it, this one included."""

    instance_id: UUID
    command: CallService
    fence: int
    takes: int


def claim(*, at: datetime, limit: int, only: UUID | None = None) -> tuple[ClaimedCall, ...]:
    """Take up to so many calls apart that nobody has in hand, longest waiting first."""
    taken = statements.run_planned(
        _CLAIM,
        {"at": at, "limit": limit, "only": only, "seconds": settings.CALL_LEASE_SECONDS},
    )
    return tuple(
        ClaimedCall(instance_id, from_text(text, CallService), *rest)
        for instance_id, text, *rest in taken
    )


def renew(calls: Sequence[ClaimedCall]) -> None:
    """Keep calls in hand for longer; what was lost already stays lost."""
    statements.count(
        _RENEW,
        {
            "seconds": settings.CALL_LEASE_SECONDS,
            "ids": [each.instance_id for each in calls],
            "nodes": [each.command.node for each in calls],
            "visits": [each.command.visit for each in calls],
            "fences": [each.fence for each in calls],
        },
    )


def answer(call: ClaimedCall, text: str) -> bool:
    """Leave what came of a call; False when another has it now, or nobody waits any more."""
    command = call.command
    place = [call.instance_id, command.node, command.visit, call.fence]
    return statements.count(_ANSWER, [text, *place]) == 1


def text_of(token: str, result: StepResult | StepBroke) -> str:
    """Return what came of a call as the text its row keeps; large values are kept elsewhere.

    Raises:
        ValueTooLarge: no instance may carry what it found.
        ValueNotFeel: no flow knows what it found.
    """
    event: Event
    match result:
        case Answered(output):
            event = TaskCompleted(token, feel_mapping(output))
        case Refused(code, words, output):
            event = TaskFailed(token, FailureKind.BUSINESS, code, words, feel_mapping(output))
        case NotDone(code):
            is_late = code.endswith(DEADLINE_EXCEEDED)
            return text_of(token, StepBroke(code, is_final=False, is_late=is_late))
        case StepBroke(error, is_final, is_late):
            kind = FailureKind.DEADLINE if is_late else FailureKind.TECHNICAL
            event = TaskFailed(token, kind, _FINAL if is_final else _AGAIN, error)
        case _:
            # Only actions wait for a person or for a system outside, and they are never apart.
            words = f"ValueError: {type(result).__name__}"
            return text_of(token, StepBroke(words, is_final=True))
    return to_text(event)


def result_of(text: str) -> Answered | Refused | StepBroke:
    """Return what came of a call, from the text of `text_of`."""
    event = from_text(text, object)
    if isinstance(event, TaskCompleted):
        return Answered(event.output)
    assert isinstance(event, TaskFailed)
    if event.kind is FailureKind.BUSINESS:
        return Refused(event.code, event.message, event.output)
    is_late = event.kind is FailureKind.DEADLINE
    return StepBroke(event.message, is_final=event.code == _FINAL, is_late=is_late)
