"""The heart of orchestration: one event in, the next wait state out, and nothing touched."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from orchestration.core.activities import start_work
from orchestration.core.answers import answer
from orchestration.core.definition import Definition
from orchestration.core.events import Event
from orchestration.core.failures import raise_incident
from orchestration.core.flows import quiet_scope
from orchestration.core.nodes import enter, finish, open_inclusive_join, place, scope_done
from orchestration.core.run import Arrival, CannotGoOn, Enter, Finish, Run
from orchestration.core.state import InstanceState, Token, Wait, new_state
from orchestration.core.step import Ignored, Step
from orchestration.dmn.result import DecisionModel

MOVES_MAX = 1000
_NO_DECISIONS: Mapping[str, DecisionModel] = {}


def advance(
    definition: Definition,
    state: InstanceState,
    event: Event,
    *,
    at: datetime,
    decisions: Mapping[str, DecisionModel] = _NO_DECISIONS,
) -> Step:
    """Apply one event and run until everything waits, deterministically and without effects.

    `at` is the instant of the event (aware); `decisions` maps the file names the drawing mentions
    to their models. A stale event changes nothing and says so in `Step.ignored`. What the drawing
    cannot do becomes an incident, never an exception.
    """
    run = Run(definition, state, at, decisions)
    refusal = answer(run, event)
    if refusal is not None:
        return Step(state, ignored=Ignored(refusal))
    _run_to_wait(run)
    return Step(run.frozen(), tuple(run.commands), tuple(run.history))


def rebuild(
    definition: Definition,
    events: Iterable[tuple[Event, datetime]],
    *,
    decisions: Mapping[str, DecisionModel] = _NO_DECISIONS,
) -> InstanceState:
    """Give the state that a recorded sequence of events, each with its instant, leads to."""
    state = new_state(process=definition.process.id)
    for event, at in events:
        state = advance(definition, state, event, at=at, decisions=decisions).state
    return state


def _run_to_wait(run: Run) -> None:
    moves = 0
    while run.is_running:
        if run.agenda:
            moves += 1
            _move(run, is_allowed=moves <= MOVES_MAX)
        elif not open_inclusive_join(run):
            scope = quiet_scope(run)
            if scope is None:
                return
            scope_done(run, scope)


def _move(run: Run, *, is_allowed: bool) -> None:
    planned = run.agenda.popleft()
    token = place(run, planned) if isinstance(planned, Arrival) else run.tokens.get(planned.token)
    if token is None:
        return  # Something earlier in this step has interrupted it.
    try:
        if not is_allowed:
            words = f"more than {MOVES_MAX} moves without waiting"
            raise CannotGoOn("moves_exhausted", words)
        _carry_out(run, token, planned)
    except CannotGoOn as error:
        current = run.tokens.get(token.id, token)
        raise_incident(run, current, error, _to_repeat(planned))


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
        case _:
            enter(run, token)
