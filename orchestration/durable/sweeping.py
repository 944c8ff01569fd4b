"""Finding work that nobody rang for: timers, retries, left messages, answered questions.

Deadlines come before breaches: a task near its due date is brought forward first, and only what
has really passed is marked. All clocks are the database's.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import sentinel.public
from orchestration.core.events import Cancelled
from orchestration.durable import calls, messages, store
from orchestration.durable.apart_calls import begin_here
from orchestration.durable.doorbell import database_time
from orchestration.durable.workers import Clock, Worked, work
from orchestration.worklist import watching

PARKED_LOOK_AFTER = timedelta(seconds=5)
PARKED_LOOK_AGAIN = timedelta(seconds=20)
CODE_GIVEN_UP_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep of one legal entity found and did."""

    escalated: int
    timers: int
    answered: int
    moved: int


def sweep(
    *,
    limit: int,
    clock: Clock = database_time,
    seconds: float = 0.0,
    awaits_calls: bool = True,
) -> Swept:
    """Look once for everything that is due in this legal entity and move what can move.

    `clock` is the one clock by which timers, retries and deadlines are due. While as much as
    `limit` moved there may be more: for so many seconds that is moved, too. Calls apart are made;
    unless it `awaits_calls` they are only begun, so that nothing here waits for a slow one.
    """
    at = clock()
    escalated = watching.watch(at, limit)
    answered = _wake_answered(at, limit)
    messages.rematch(at, limit)
    messages.expire(at, limit)
    done = _moved(clock, limit, seconds, awaits_calls=awaits_calls)
    if not awaits_calls:
        begin_here(clock=clock)
    watching.mark_breaches(at, limit)
    return Swept(escalated, done.timers, answered, done.moved)


def _moved(clock: Clock, limit: int, seconds: float, *, awaits_calls: bool) -> Worked:
    end = time.monotonic() + seconds
    done = last = work(clock=clock, limit=limit, makes_calls=awaits_calls)
    while last.claimed >= limit and time.monotonic() < end:
        last = work(clock=clock, limit=limit, makes_calls=awaits_calls)
        done += last
    return done


def _wake_answered(at: datetime, limit: int) -> int:
    """Find parked calls whose question was answered by a process that died before saying so."""
    woken = 0
    for instance_id, state, reference in calls.parked_calls(
        older_than=PARKED_LOOK_AFTER, limit=limit
    ):
        if is_answered(state, reference):
            woken += calls.wake_parked(instance_id, reference)
        elif state == "step_up" and _is_given_up(reference, at):
            _give_up(instance_id, reference, at)
        else:
            calls.put_off(instance_id, reference, at + PARKED_LOOK_AGAIN)
    return woken


def _is_given_up(challenge_id: UUID, at: datetime) -> bool:
    """Tell whether a customer was asked for a code so long ago that they no longer want it."""
    challenge = sentinel.public.challenge(challenge_id=challenge_id)
    return challenge.expires_at + CODE_GIVEN_UP_AFTER <= at


def _give_up(instance_id: UUID, challenge_id: UUID, at: datetime) -> None:
    event = Cancelled("code_never_given", cancelled_by=None)
    message_id = uuid5(challenge_id, "given_up")
    store.deliver(instance_id=instance_id, message_id=message_id, event=event, at=at)


def is_answered(state: str, reference: UUID) -> bool:
    """Tell whether the person a call waits for has answered."""
    if state == "step_up":
        return sentinel.public.challenge(challenge_id=reference).is_satisfied
    return sentinel.public.approval_request(request_id=reference).state != "open"
