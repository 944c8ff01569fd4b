"""Making calls apart: claimed, done without a transaction, answered, and the instance told.

A call in hand has a lease that is renewed until it has ended, however long that takes. Its process
may be killed at any moment: another claims it when the lease is over.
"""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Condition, Thread
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction

import sentinel.public
from orchestration.core.commands import CallService
from orchestration.durable import apart, calls, doorbell, store
from orchestration.durable.apart import ClaimedCall, StepBroke
from orchestration.durable.definitions import flow_of
from orchestration.durable.faults import crash_point
from orchestration.durable.lanes import Lanes
from orchestration.durable.run import context_of
from orchestration.durable.starting import principal_from
from orchestration.step_results import StepResult

Clock = Callable[[], datetime]
# A call that has cost so many processes is not made again: a person looks.
TAKES_MAX = 5
_LANES = Lanes("call")


@dataclass(slots=True)
class Beside:
    """Calls that one driver has begun beside its own work, and of which it awaits the end.

    Within somebody's transaction they are made one by one in it: nobody else could see them.
    """

    clock: Clock
    only: UUID | None = None
    _under_way: set[Future[object]] = field(default_factory=set)

    def begin(self) -> bool:
        """Begin what is free, as far as there is room; tell whether anything is under way."""
        if connection.in_atomic_block:
            return bool(_made_here(self.clock, self.only, limit=None))
        self._under_way |= _begun(self.clock, self.only, settings.CALLS_AT_ONCE)
        if self._under_way:
            return True
        # All lanes are taken: whoever waits here may as well do it.
        return bool(_made_here(self.clock, self.only, limit=1))

    def wait(self) -> None:
        """Wait until one of those under way has ended, if any is."""
        if self._under_way:
            self._under_way = wait(self._under_way, return_when=FIRST_COMPLETED).not_done

    @property
    def is_open(self) -> bool:
        """Tell whether any has not ended."""
        return bool(self._under_way)


def begin_here(*, clock: Clock, limit: int | None = None, only: UUID | None = None) -> int:
    """Begin free calls of this legal entity and leave them to themselves; return how many.

    Whoever is done with one takes the next, and the instance is rung for.
    """
    if connection.in_atomic_block:
        return _made_here(clock, only, limit)
    return len(_begun(clock, only, limit or settings.CALLS_AT_ONCE, goes_on=True))


def _begun(
    clock: Clock, only: UUID | None, limit: int, *, goes_on: bool = False
) -> set[Future[object]]:
    room = _LANES.reserve(limit)
    taken: tuple[ClaimedCall, ...] = ()
    try:
        if room:
            taken = apart.claim(at=clock(), limit=room, only=only)
    finally:
        _LANES.release(room - len(taken))
    entity = sentinel.public.current_entity()
    return {_LANES.start(partial(_in_lane, entity, each, clock, goes_on=goes_on)) for each in taken}


def _in_lane(entity: str, call: ClaimedCall, clock: Clock, *, goes_on: bool) -> None:
    following: ClaimedCall | None = call
    with sentinel.public.legal_entity(entity=entity):
        while following is not None:
            is_ours = _make_held(entity, following, clock)
            if not goes_on:
                return
            if is_ours:
                doorbell.ring(following.instance_id)
            following = next(iter(apart.claim(at=clock(), limit=1)), None)


def _make_held(entity: str, call: ClaimedCall, clock: Clock) -> bool:
    _KEEPER.hold(entity, call)
    try:
        text = _text_of(call, clock())
        if connection.errors_occurred and not connection.is_usable():
            # A connection that the step has broken must not keep its answer from being written.
            connection.close()
        with sentinel.public.legal_entity(entity=entity):
            return _answer(call, text)
    finally:
        _KEEPER.let_go(call)


def _made_here(clock: Clock, only: UUID | None, limit: int | None) -> int:
    """Make free calls one by one on the caller's own connection; return how many."""
    made = 0
    while limit is None or made < limit:
        at = clock()
        taken = apart.claim(at=at, limit=1, only=only)
        if not taken:
            break
        _answer(taken[0], _text_of(taken[0], at))
        made += 1
    return made


def _answer(call: ClaimedCall, text: str) -> bool:
    """Leave what came of a call; False when nobody waits for it here any more."""
    crash_point("apart_made")
    is_ours = apart.answer(call, text)
    crash_point("apart_answered")
    return is_ours


def _text_of(call: ClaimedCall, at: datetime) -> str:
    """Make one call and return what came of it."""
    crash_point("apart_claimed")
    token = call.command.token
    try:
        return apart.text_of(token, _made(call, at))
    except calls.STEP_FAULTS as error:
        return apart.text_of(token, calls.broken(error))


def _made(call: ClaimedCall, at: datetime) -> StepResult | StepBroke:
    command = call.command
    if call.takes > TAKES_MAX:
        return StepBroke(f"RuntimeError: lost {TAKES_MAX} times", is_final=True)
    if calls.is_late(command, at):
        return StepBroke("RuntimeError: deadline_exceeded", is_final=False, is_late=True)
    row = store.read_instance(call.instance_id)
    flow, principal = flow_of(row.definition), principal_from(row.principal)
    context = context_of(row, flow, principal, command.node, command.visit, at)
    if connection.in_atomic_block:
        with transaction.atomic():
            return calls.called_in(context, command)
    return calls.called_in(context, command)


class _Keeper:
    """Renews the leases of what this process has in hand, in a thread that ends with the last."""

    def __init__(self) -> None:
        self._held: dict[tuple[UUID, str, int, int], tuple[str, ClaimedCall]] = {}
        self._changed = Condition()
        self._is_running = False

    def hold(self, entity: str, call: ClaimedCall) -> None:
        """Renew a lease from now on."""
        with self._changed:
            self._held[_key(call)] = (entity, call)
            if not self._is_running:
                self._is_running = True
                Thread(target=self._renew_all, name="call leases", daemon=True).start()

    def let_go(self, call: ClaimedCall) -> None:
        """Renew it no longer."""
        with self._changed:
            self._held.pop(_key(call), None)
            self._changed.notify()

    def _renew_all(self) -> None:
        try:
            while self._is_still_needed():
                self._renew_once()
        finally:
            connections.close_all()

    def _is_still_needed(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: not self._held, timeout=settings.CALL_LEASE_SECONDS / 3)
            self._is_running = bool(self._held)
            return self._is_running

    def _renew_once(self) -> None:
        with self._changed:
            held = list(self._held.values())
        try:
            for entity in {entity for entity, _ in held}:
                with sentinel.public.legal_entity(entity=entity):
                    apart.renew([call for of, call in held if of == entity])
        except DatabaseError:
            # The next round tries again; what is lost meanwhile is made by another.
            connections.close_all()


def _key(call: ClaimedCall) -> tuple[UUID, str, int, int]:
    command: CallService = call.command
    return call.instance_id, command.node, command.visit, call.fence


_KEEPER = _Keeper()
