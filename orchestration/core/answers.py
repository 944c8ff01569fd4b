"""What each event from outside does to an instance that can still take it."""

from collections.abc import Callable

from orchestration.core import events
from orchestration.core import history as past
from orchestration.core.commands import OutcomeKind
from orchestration.core.ears import timer_fired, trigger
from orchestration.core.failures import raise_incident, throw_error, throw_escalation
from orchestration.core.flows import end_instance
from orchestration.core.run import Arrival, CannotGoOn, Enter, Finish, Run
from orchestration.core.state import (
    ROOT_SCOPE,
    Scope,
    Status,
    Subscription,
    Token,
    Trigger,
    Variables,
    Wait,
)
from orchestration.feel import FeelValue, to_feel

# The reason why an event was ignored; None when it was taken.
Refusal = str | None


def answer(run: Run, event: events.Event) -> Refusal:
    """Apply an event to a run, or say why it is stale."""
    if isinstance(event, events.Started):
        return _started(run, event)
    if run.status is Status.CREATED:
        return "not_started"
    if not run.is_running:
        return "already_ended"
    return _ANSWERS[type(event)](run, event)


def _values(variables: Variables) -> dict[str, FeelValue]:
    return {name: to_feel(value) for name, value in variables.items()}


def _started(run: Run, event: events.Started) -> Refusal:
    if run.status is not Status.CREATED:
        return "already_started"
    starts = run.definition.starts.get(run.definition.process.id, ())
    wanted = event.start_node
    chosen = next(
        (node for node in starts if (node.id == wanted if wanted else node.event_count == 0)), None
    )
    if chosen is None:
        return "unknown_start"
    run.status = Status.RUNNING
    variables = _values(event.variables)
    run.open_scope(Scope(ROOT_SCOPE, None, None, None, variables))
    run.record(past.InstanceStarted(chosen.id, variables, event.started_by))
    run.agenda.append(Arrival(chosen.id, ROOT_SCOPE, is_triggered=True, payload=variables))
    return None


def _waiting_token(run: Run, token_id: str, *waits: Wait) -> Token | str:
    token = run.tokens.get(token_id)
    if token is None:
        return "unknown_token"
    return token if token.wait in waits else "not_waiting_for_this"


def _answered(run: Run, token: Token, answer_code: str, by: str | None = None) -> None:
    run.record(past.WorkAnswered(token.node, token.id, token.visit, answer_code, by))


def _completed(run: Run, event: events.TaskCompleted) -> Refusal:
    return _done(run, event.token, event.output, Wait.SERVICE)


def _user_completed(run: Run, event: events.UserTaskCompleted) -> Refusal:
    return _done(run, event.token, event.output, Wait.HUMAN, by=event.completed_by)


def _child_completed(run: Run, event: events.ChildCompleted) -> Refusal:
    return _done(run, event.token, event.output, Wait.CHILD)


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
        raise_incident(run, token, CannotGoOn(event.code, event.message), token.wait)
        return None
    payload = {**_values(event.output), "message": event.message}
    _fail(run, token, event.code, payload)
    return None


def _child_failed(run: Run, event: events.ChildFailed) -> Refusal:
    token = _waiting_token(run, event.token, Wait.CHILD)
    if isinstance(token, str):
        return token
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
    timer_fired(run, timer)
    return None


def _message_received(run: Run, event: events.MessageReceived) -> Refusal:
    ears = [ear for ear in run.subscriptions.values() if _hears(ear, event)]
    if not ears:
        return "no_subscription"
    _hear(run, ears[0], _values(event.payload))
    return None


def _hears(ear: Subscription, event: events.MessageReceived) -> bool:
    if event.subscription is not None and ear.id != event.subscription:
        return False
    is_key = ear.correlation is None or ear.correlation == event.correlation
    return ear.trigger is Trigger.MESSAGE and ear.name == event.name and is_key


def _signal_received(run: Run, event: events.SignalReceived) -> Refusal:
    heard = False
    payload = _values(event.payload)
    for ear in tuple(run.subscriptions.values()):
        is_open = ear.id in run.subscriptions  # An earlier one may have interrupted it.
        if is_open and ear.trigger is Trigger.SIGNAL and ear.name == event.name:
            _hear(run, ear, payload)
            heard = True
    return None if heard else "no_subscription"


def _hear(run: Run, ear: Subscription, payload: Variables) -> None:
    node = run.definition.node(ear.node)
    token = run.tokens[ear.owner]
    stays_open = node.attached_to is not None and not node.is_interrupting
    if not stays_open:
        run.drop_subscription(ear)
    trigger(run, token, node, payload)


def _resolved(run: Run, event: events.IncidentResolved) -> Refusal:
    token = _waiting_token(run, event.token, Wait.INCIDENT)
    if isinstance(token, str):
        return token
    run.record(
        past.IncidentSettled(token.node, token.id, event.resolution.value, event.resolved_by)
    )
    work = token.work
    if event.resolution is events.Resolution.COMPLETE:
        done = run.waiting(token, Wait.EVENT)
        run.agenda.append(Finish(done.id, done.scope, _values(event.output)))
    elif work is Wait.LEAVING:
        run.agenda.append(Finish(token.id, token.scope, is_repeated=True))
    else:
        run.agenda.append(Enter(token.id, token.scope, work))
    return None


def _corrected(run: Run, event: events.VariablesCorrected) -> Refusal:
    for name, value in _values(event.variables).items():
        run.set_variable(ROOT_SCOPE, name, value, None)
    return None


def _cancelled(run: Run, event: events.Cancelled) -> Refusal:
    end_instance(run, OutcomeKind.CANCELLED, event.reason)
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
    events.Cancelled: _cancelled,
}
