"""What each event from outside does to an instance that can still take it."""

from collections.abc import Callable

from orchestration.bpmn.model import EventType, Kind, Node
from orchestration.core import events
from orchestration.core import history as past
from orchestration.core.choosing import chosen, ended
from orchestration.core.commands import OutcomeKind
from orchestration.core.deadlines import DEADLINE_EXCEEDED, exceeded, is_deadline, let_go_on
from orchestration.core.definition import AnswerFault
from orchestration.core.ears import hear, timer_fired
from orchestration.core.failures import catcher_of, raise_incident, throw_error, throw_escalation
from orchestration.core.flows import end_instance, interrupt
from orchestration.core.openings import begin
from orchestration.core.run import Arrival, CannotGoOn, Enter, Finish, Run
from orchestration.core.state import (
    ROOT_SCOPE,
    Status,
    Subscription,
    Token,
    Trigger,
    Undo,
    Variables,
    Wait,
)
from orchestration.core.undoing import is_undone_by_child, undo_all
from orchestration.feel import FeelValue, to_feel

# The code under which a drawing catches an answer that is not what its schema asks for.
OUTPUT_INVALID = "output_invalid"
# These say nothing of whether the work can be done: its outcome is unknown, or too much was done.
_NOT_TRIED_OUT = frozenset({"call_lost", "moves_exhausted"})
# The reason why an event was ignored; None when it was taken.
Refusal = str | None


def answer(run: Run, event: events.Event) -> Refusal:
    """Apply an event to a run, or say why it is stale."""
    if isinstance(event, events.Started):
        return begin(run, event, _values(event.variables))
    if run.status is Status.CREATED:
        return "not_started"
    if not run.is_running and not _is_called_back(run, event):
        return "already_ended"
    return _ANSWERS[type(event)](run, event)


def _is_called_back(run: Run, event: events.Event) -> bool:
    """Tell whether the caller of a process that is done has it undo what it did."""
    is_asked = isinstance(event, events.CancelledAndUndone) and event.cancelled_by is None
    return is_asked and run.status is Status.COMPLETED and bool(run.scopes[ROOT_SCOPE].undo)


def _values(variables: Variables) -> dict[str, FeelValue]:
    return {name: to_feel(value) for name, value in variables.items()}


def _waiting_token(run: Run, token_id: str, *waits: Wait) -> Token | str:
    token = run.tokens.get(token_id)
    if token is None:
        return "unknown_token"
    return token if token.wait in waits else "not_waiting_for_this"


def _answered(run: Run, token: Token, answer_code: str, by: str | None = None) -> None:
    run.record(past.WorkAnswered(token.node, token.id, token.visit, answer_code, by))


def _completed(run: Run, event: events.TaskCompleted) -> Refusal:
    token = _waiting_token(run, event.token, Wait.SERVICE)
    faults = () if isinstance(token, str) else _faults(run, token, event.output)
    if isinstance(token, str) or not faults:
        return _done(run, event.token, event.output, Wait.SERVICE)
    # What is not as agreed goes no further: its way on is an error the drawing knows.
    _answered(run, token, f"business failure: {OUTPUT_INVALID}")
    listed = tuple({"place": each.place, "rule": each.rule} for each in faults)
    words = "The answer is not what its schema asks for."
    _fail(run, token, OUTPUT_INVALID, _values({"message": words, "faults": listed}))
    return None


def _faults(run: Run, token: Token, output: Variables) -> tuple[AnswerFault, ...]:
    """Return where an answer is not what the schema of its node asks for."""
    check = run.definition.checks.get(run.definition.node(token.node).work.schema or "")
    return () if check is None else check(_values(output))


def _user_completed(run: Run, event: events.UserTaskCompleted) -> Refusal:
    return _done(run, event.token, event.output, Wait.HUMAN, by=event.completed_by)


def _child_completed(run: Run, event: events.ChildCompleted) -> Refusal:
    token = _waiting_token(run, event.token, Wait.CHILD)
    if isinstance(token, str):
        return token
    if is_undone_by_child(run, token):
        # One that was done before it heard of it undoes that now, and answers once more.
        if not event.can_be_undone:
            _child_undone(run, token)
        return None
    _answered(run, token, "done")
    inner = (Undo(token.node, token.visit, None, {}, child=token.id),)
    run.agenda.append(
        Finish(
            token.id,
            token.scope,
            _values(event.output),
            inner=inner if event.can_be_undone else (),
        )
    )
    return None


def _child_undone(run: Run, token: Token) -> None:
    _answered(run, token, "undone")
    run.remove(token, "undone")


def _done(
    run: Run, token_id: str, output: Variables, wait: Wait, *, by: str | None = None
) -> Refusal:
    token = _waiting_token(run, token_id, wait)
    if isinstance(token, str):
        return token
    _answered(run, token, "done", by)
    run.agenda.append(Finish(token.id, token.scope, _values(output)))
    return None


def _failed(run: Run, event: events.TaskFailed) -> Refusal:
    token = _waiting_token(run, event.token, Wait.SERVICE, Wait.HUMAN, Wait.CHILD)
    if isinstance(token, str):
        return token
    _answered(run, token, f"{event.kind.value} failure: {event.code}")
    if event.kind is events.FailureKind.TECHNICAL:
        fallback = _fallback_of(run, token, event.code)
        if fallback is not None:
            _fail(run, token, fallback, {"message": event.message, "cause": event.code})
            return None
        raise_incident(run, token, CannotGoOn(event.code, event.message), token.wait)
        return None
    if event.kind is events.FailureKind.DEADLINE:
        exceeded(run, token)
        return None
    payload = {**_values(event.output), "message": event.message}
    _fail(run, token, event.code, payload)
    return None


def _fallback_of(run: Run, token: Token, cause: str) -> str | None:
    """Return the error a visit ends with as no attempt is left, if the drawing catches it."""
    fallback = run.definition.node(token.node).work.fallback
    if fallback is None or token.wait is not Wait.SERVICE or cause in _NOT_TRIED_OUT:
        return None
    is_caught = catcher_of(run, token, EventType.ERROR, fallback) is not None
    return fallback if is_caught else None


def _child_failed(run: Run, event: events.ChildFailed) -> Refusal:
    token = _waiting_token(run, event.token, Wait.CHILD)
    if isinstance(token, str):
        return token
    if is_undone_by_child(run, token):
        _child_undone(run, token)
        return None
    if event.code == DEADLINE_EXCEEDED:
        _answered(run, token, f"deadline failure: {event.code}")
        exceeded(run, token)
        return None
    _answered(run, token, f"business failure: {event.code}")
    _fail(run, token, event.code, _values(event.output))
    return None


def _fail(run: Run, token: Token, code: str, payload: Variables) -> None:
    # The work is over, so there is nothing left to call off when the token is interrupted.
    over = run.waiting(token, Wait.EVENT)
    throw_error(run, over, code, payload)


def _escalated(run: Run, event: events.EscalationRaised) -> Refusal:
    token = run.tokens.get(event.token)
    if token is None:
        return "unknown_token"
    throw_escalation(run, token, event.code, _values(event.output))
    return None


def _timer_fired(run: Run, event: events.TimerFired) -> Refusal:
    timer = run.timers.get(event.timer)
    if timer is None:
        return "unknown_timer"
    if is_deadline(run, timer):
        owner = run.tokens[timer.owner]
        _answered(run, owner, f"deadline failure: {DEADLINE_EXCEEDED}")
        exceeded(run, owner)
    else:
        timer_fired(run, timer)
    return None


def _message_received(run: Run, event: events.MessageReceived) -> Refusal:
    ears = [ear for ear in run.subscriptions.values() if _is_meant(ear, event)]
    if not ears:
        return "no_subscription"
    hear(run, ears[0], _values(event.payload))
    return None


def _is_meant(ear: Subscription, event: events.MessageReceived) -> bool:
    if event.subscription is not None and ear.id != event.subscription:
        return False
    is_key = ear.correlation is None or ear.correlation == event.correlation
    is_open = ear.trigger is Trigger.MESSAGE and ear.heard is None
    return is_open and ear.name == event.name and is_key


def _signal_received(run: Run, event: events.SignalReceived) -> Refusal:
    heard = False
    payload = _values(event.payload)
    for ear in tuple(run.subscriptions.values()):
        # An earlier one may have interrupted it.
        is_open = ear.id in run.subscriptions and ear.heard is None
        if is_open and ear.trigger is Trigger.SIGNAL and ear.name == event.name:
            hear(run, ear, payload)
            heard = True
    return None if heard else "no_subscription"


def _resolved(run: Run, event: events.IncidentResolved) -> Refusal:
    token = _waiting_token(run, event.token, Wait.INCIDENT)
    if isinstance(token, str):
        return token
    work = token.work
    is_given = event.resolution is events.Resolution.COMPLETE and work is Wait.SERVICE
    if is_given and _faults(run, token, event.output):
        return OUTPUT_INVALID
    run.record(
        past.IncidentSettled(token.node, token.id, event.resolution.value, event.resolved_by)
    )
    if event.resolution is events.Resolution.COMPLETE:
        done = run.waiting(token, Wait.EVENT)
        run.agenda.append(Finish(done.id, done.scope, _values(event.output)))
    elif work is Wait.LEAVING:
        run.agenda.append(Finish(token.id, token.scope, is_repeated=True))
    else:
        let_go_on(run)
        run.agenda.append(Enter(token.id, token.scope, work))
    return None


def _corrected(run: Run, event: events.VariablesCorrected) -> Refusal:
    for name, value in _values(event.variables).items():
        run.set_variable(ROOT_SCOPE, name, value, None)
    return None


def _token_moved(run: Run, event: events.TokenMoved) -> Refusal:
    token = run.tokens.get(event.token)
    if token is None:
        return "unknown_token"
    target = run.definition.process.nodes.get(event.node)
    here = run.definition.node(token.node)
    if target is None or target.container != here.container or not _can_be_entered(target):
        return "not_a_place_to_move_to"
    run.record(past.TokenMovedByHand(token.node, token.id, event.node, event.moved_by))
    interrupt(run, token, "moved")
    run.agenda.append(Arrival(event.node, token.scope))
    return None


def _can_be_entered(node: Node) -> bool:
    return node.attached_to is None and node.is_in_flow and node.kind is not Kind.START


def _activity_chosen(run: Run, event: events.ActivityChosen) -> Refusal:
    return chosen(run, event, _values(event.variables))


def _migrated(_run: Run, _event: events.Migrated) -> Refusal:
    return "not_an_event_of_the_drawing"


def _cancelled(run: Run, event: events.Cancelled) -> Refusal:
    end_instance(run, OutcomeKind.CANCELLED, event.reason)
    return None


def _cancelled_and_undone(run: Run, event: events.CancelledAndUndone) -> Refusal:
    if run.scopes[ROOT_SCOPE].cancelled is not None:
        return "already_undoing"
    run.status, run.code = Status.RUNNING, None
    undo_all(run, event.reason)
    return None


_ANSWERS: dict[type, Callable[..., Refusal]] = {
    events.TaskCompleted: _completed,
    events.TaskFailed: _failed,
    events.UserTaskCompleted: _user_completed,
    events.ChildCompleted: _child_completed,
    events.ChildFailed: _child_failed,
    events.EscalationRaised: _escalated,
    events.TimerFired: _timer_fired,
    events.MessageReceived: _message_received,
    events.SignalReceived: _signal_received,
    events.IncidentResolved: _resolved,
    events.VariablesCorrected: _corrected,
    events.TokenMoved: _token_moved,
    events.ActivityChosen: _activity_chosen,
    events.ActivitiesEnded: ended,
    events.Migrated: _migrated,
    events.Cancelled: _cancelled,
    events.CancelledAndUndone: _cancelled_and_undone,
}
