"""The heart of orchestration: one event in, the next wait state out, and nothing touched."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from orchestration.core.activities import start_work
from orchestration.core.answers import answer
from orchestration.core.definition import Definition
from orchestration.core.ears import hear_conditions
from orchestration.core.events import Event
from orchestration.core.failures import raise_incident
from orchestration.core.flows import quiet_scope
from orchestration.core.joins import open_join
from orchestration.core.nodes import enter, finish, scope_done
from orchestration.core.run import Arrival, CannotGoOn, Enter, Finish, Run
from orchestration.core.state import InstanceState, Token, Wait, new_state
from orchestration.core.step import Ignored, Step
from orchestration.core.sticking import stuck
from orchestration.dmn.result import DecisionModel

MOVES_MAX = 10_000
TOKENS_MAX = 5_000
# What the expressions of one step may take, in steps and items of FEEL: about a second.
COST_MAX = 5_000_000
_NO_DECISIONS: Mapping[str, DecisionModel] = {}


def advance(
    definition: Definition,
    state: InstanceState,
    event: Event,
    *,
    at: datetime,
    decisions: Mapping[str, DecisionModel] = _NO_DECISIONS,
    moves_max: int = MOVES_MAX,
) -> Step:
    """Apply one event and run until everything waits, deterministically and without effects.

    `at` is the instant of the event (aware); `decisions` maps the file names the drawing mentions
    to their models. A stale event changes nothing and says so in `Step.ignored`. What the drawing
    cannot do becomes an incident, never an exception; so do more than `moves_max` moves, and more
    work in expressions than `COST_MAX`.
    """
    run = Run(definition, state, at, decisions)
    refusal = answer(run, event)
    if refusal is not None:
        return Step(state, ignored=Ignored(refusal))
    _run_to_wait(run, moves_max)
    return Step(run.frozen(), tuple(run.commands), tuple(run.history))


def replay(
    definition: Definition,
    events: Iterable[tuple[Event, datetime]],
    *,
    decisions: Mapping[str, DecisionModel] = _NO_DECISIONS,
    moves_max: int = MOVES_MAX,
) -> Iterator[InstanceState]:
    """Give the state after each of a recorded sequence of events, each with its instant."""
    state = new_state(process=definition.process.id)
    for event, at in events:
        step = advance(definition, state, event, at=at, decisions=decisions, moves_max=moves_max)
        state = step.state
        yield state


def rebuild(
    definition: Definition,
    events: Iterable[tuple[Event, datetime]],
    *,
    decisions: Mapping[str, DecisionModel] = _NO_DECISIONS,
    moves_max: int = MOVES_MAX,
) -> InstanceState:
    """Give the state that a recorded sequence of events, each with its instant, leads to."""
    states = replay(definition, events, decisions=decisions, moves_max=moves_max)
    last = deque(states, maxlen=1)
    return last[0] if last else new_state(process=definition.process.id)


def _run_to_wait(run: Run, moves_max: int) -> None:
    moves = 0
    while run.is_running:
        if run.is_changed:
            hear_conditions(run)
        elif run.agenda:
            moves += 1
            _move(run, _refusal(run, moves, moves_max))
        elif not _settle(run):
            return


def _settle(run: Run) -> bool:
    """Do what waits for everything else to come to rest; say whether something went on."""
    if _release(run) or open_join(run):
        return True
    scope = quiet_scope(run)
    if scope is not None:
        scope_done(run, scope)
        return True
    token = stuck(run)
    if token is not None:
        words = f"{token.node}: nothing can happen any more that this waits for"
        raise_incident(run, token, CannotGoOn("deadlock", words), None)
    return False


def _refusal(run: Run, moves: int, moves_max: int) -> CannotGoOn | None:
    """Say why no further move may be made now, if so: loops and token explosions end here.

    Only what enters a node is refused. What came back for a token is always taken in, because it
    would be lost, and it leads to a node that is entered in any case.
    """
    planned = run.agenda[0]
    if isinstance(planned, Finish) or (isinstance(planned, Arrival) and planned.is_triggered):
        return None
    if moves > moves_max:
        return CannotGoOn("moves_exhausted", f"more than {moves_max} moves without waiting")
    if run.spent > COST_MAX:
        return CannotGoOn("work_exhausted", "its expressions take too long without waiting")
    if len(run.tokens) + len(run.agenda) > TOKENS_MAX:
        return CannotGoOn("tokens_exhausted", f"more than {TOKENS_MAX} places at the same time")
    return None


def _move(run: Run, refusal: CannotGoOn | None) -> None:
    planned = run.agenda.popleft()
    token = run.place(planned) if isinstance(planned, Arrival) else run.tokens.get(planned.token)
    if token is None:
        return  # Something earlier in this step has interrupted it.
    if refusal is not None:
        _hold(run, token, planned, refusal)
        return
    try:
        _carry_out(run, token, planned)
    except CannotGoOn as error:
        current = run.tokens.get(token.id, token)
        raise_incident(run, current, error, _to_repeat(planned))


def _hold(run: Run, token: Token, planned: Arrival | Finish | Enter, refusal: CannotGoOn) -> None:
    """Stop a token that goes too far: the first is an incident, the others wait for that."""
    if run.is_exhausted:
        run.put(replace(token, wait=Wait.HELD, work=_to_repeat(planned)))
    else:
        run.is_exhausted = True
        raise_incident(run, token, refusal, _to_repeat(planned))


def _release(run: Run) -> bool:
    """Let held tokens go on once no incident is left that they wait for; say if there were any."""
    held = [token for token in run.tokens.values() if token.wait is Wait.HELD]
    if not held or any(token.wait is Wait.INCIDENT for token in run.tokens.values()):
        return False
    run.agenda.extend(Enter(token.id, token.scope, token.work) for token in held)
    return True


def _to_repeat(planned: Arrival | Finish | Enter) -> Wait | None:
    """Say what is to be done again once the incident is resolved."""
    match planned:
        case Finish() | Arrival(is_triggered=True):
            return Wait.LEAVING
        case Enter(work=work):
            return work
        case _:
            return None


def _carry_out(run: Run, token: Token, planned: Arrival | Finish | Enter) -> None:
    match planned:
        case Finish():
            finish(run, token, planned)
        case Arrival(is_triggered=True):
            finish(run, token, Finish(token.id, token.scope, planned.payload))
        case Enter(work=Wait()):
            start_work(run, token, run.definition.node(token.node))
        case Enter():
            enter(run, token, planned)
        case _:
            enter(run, token)
