"""Deadlines: until when an activity may take, from whom it has that, and what ends when it passes.

A deadline is an instant. That of an activity is the earliest of its own, its process's and that of
whoever called the process; it stands in the state as a timer of the activity's token, so that a
replay, another worker and a clock that jumps all find the same one.
"""

from dataclasses import replace
from datetime import datetime

from orchestration.bpmn.expressions import expression_of
from orchestration.bpmn.model import EventType, Kind, Node
from orchestration.core import history as past
from orchestration.core.commands import ArmTimer
from orchestration.core.failures import catcher_of, raise_incident, throw_error
from orchestration.core.flows import call_off, interrupt
from orchestration.core.run import Arrival, CannotGoOn, Run
from orchestration.core.state import ROOT_SCOPE, Scope, Timer, Token, Wait
from orchestration.core.timing import instant_after

DEADLINE_EXCEEDED = "deadline_exceeded"
# What waits for others to do something; what waits for an event has no deadline but a timer.
_BOUND = frozenset({Kind.SERVICE, Kind.SEND, Kind.CALL})


def opened(run: Run, root: Scope, given: datetime | None) -> Scope:
    """Return the scope of a process that begins, with its deadline: its own or its caller's."""
    within = run.definition.process.deadline
    own = None if within is None else instant_after(run.at, within)
    return replace(root, deadline=_earliest(own, given), given_deadline=given)


def may_begin(run: Run, token: Token, node: Node) -> bool:
    """Set the deadline of an activity about to begin; False when it has passed already.

    Raises:
        CannotGoOn: what it says is no time.
    """
    if node.work.call is None and node.kind is not Kind.CALL:
        return True
    kept = _timer_of(run, token)
    if kept is not None:
        # It is tried anew, by a person or in another round.
        run.drop_timer(kept)
    if _is_undoing(run, token):
        return True
    due_at = _earliest(_own(run, token, node), run.scopes[ROOT_SCOPE].deadline)
    if due_at is None:
        return True
    timer = Timer(f"m{run.next_number()}", node.id, token.id, due_at)
    run.timers[timer.id] = timer
    run.record(past.EventWaited(node.id, token.id, "deadline", None, due_at))
    if due_at <= run.at:
        exceeded(run, token)
        return False
    run.command(ArmTimer(timer.id, node.id, due_at))
    return True


def deadline_of(run: Run, token: Token) -> datetime | None:
    """Return until when the work a token asks for may take."""
    timer = _timer_of(run, token)
    return None if timer is None else timer.due_at


def is_deadline(run: Run, timer: Timer) -> bool:
    """Tell whether a timer is a deadline: it stands at the activity itself, not at an event."""
    return timer.owner in run.tokens and run.definition.node(timer.node).kind in _BOUND


def exceeded(run: Run, token: Token) -> None:
    """End the visit of an activity: what catches the error takes it, otherwise a person does.

    What was asked for is called off; an effect that was begun runs to its end. In a called process
    a deadline of the caller that nothing here catches ends the process, and the caller hears of it.
    """
    if token.work is Wait.LEAVING:
        # The work was done in time; only the way on is missing.
        _forget(run, token)
        return
    due_at = deadline_of(run, token)
    is_caught = catcher_of(run, token, EventType.ERROR, DEADLINE_EXCEEDED) is not None
    root = run.scopes[ROOT_SCOPE]
    is_callers = due_at is not None and due_at == root.given_deadline
    words = f"{token.node}: it was not done by its deadline"
    if is_caught and due_at is not None and due_at == root.deadline:
        # It is answered for: what the drawing does about it is not bound by it any more.
        run.open_scope(replace(root, deadline=None))
    if is_caught or is_callers:
        throw_error(run, token, DEADLINE_EXCEEDED, {"message": words})
    elif token.wait is Wait.INCIDENT:
        # A person looks at it already.
        _forget(run, token)
    else:
        _stop(run, token, CannotGoOn(DEADLINE_EXCEEDED, words))


def let_go_on(run: Run) -> None:
    """Take a deadline of the process that has passed from what a person wants done all the same."""
    root = run.scopes[ROOT_SCOPE]
    if root.deadline is not None and root.deadline <= run.at:
        run.open_scope(replace(root, deadline=None, given_deadline=None))


def _stop(run: Run, token: Token, error: CannotGoOn) -> None:
    if token.wait is not Wait.CHILD:
        call_off(run, token)
        _forget(run, token)
        # The same visit keeps its key: what was begun is found again, and not begun twice.
        is_call = run.definition.node(token.node).kind is Kind.CALL
        raise_incident(run, token, error, None if is_call else Wait.SERVICE)
        return
    # The called process ends, so that trying again calls another.
    interrupt(run, token, DEADLINE_EXCEEDED)
    again = run.place(Arrival(token.node, token.scope, token.flow, token.item))
    raise_incident(run, again, error, None)


def _forget(run: Run, token: Token) -> None:
    timer = _timer_of(run, token)
    if timer is not None:
        run.drop_timer(timer)


def _own(run: Run, token: Token, node: Node) -> datetime | None:
    within = node.work.deadline
    if within is None:
        return None
    feel = expression_of(within)
    value = within if feel is None else run.compute(node, token.scope, "deadline", feel)
    found = instant_after(run.at, value)
    if found is None:
        raise CannotGoOn("deadline_has_no_time", f"{node.id}: the deadline's value is no time")
    return found


def _timer_of(run: Run, token: Token) -> Timer | None:
    timers = (each for each in run.timers.values() if each.owner == token.id)
    return next((each for each in timers if is_deadline(run, each)), None)


def _is_undoing(run: Run, token: Token) -> bool:
    """Tell whether a token undoes something, which is done however late it is."""
    scope = run.scopes.get(token.scope)
    while scope is not None:
        if scope.is_compensation:
            return True
        scope = run.scopes.get(scope.parent or "")
    return False


def _earliest(*instants: datetime | None) -> datetime | None:
    return min((each for each in instants if each is not None), default=None)
