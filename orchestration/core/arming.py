"""Opening the ears of events: timers, messages, signals and conditions to wait for."""

from orchestration.bpmn.expressions import as_expression
from orchestration.bpmn.model import EARS, EventDefinition, EventType, Node
from orchestration.core import history as past
from orchestration.core.commands import ArmTimer, SubscribeMessage, SubscribeSignal
from orchestration.core.run import CannotGoOn, Run
from orchestration.core.state import Scope, Subscription, Timer, Token, Trigger
from orchestration.core.timing import due_of
from orchestration.feel.formatting import text_of

_TRIGGERS = {
    EventType.MESSAGE: Trigger.MESSAGE,
    EventType.SIGNAL: Trigger.SIGNAL,
    EventType.CONDITIONAL: Trigger.CONDITION,
}


def arm(run: Run, owner: Token | Scope, node: Node) -> None:
    """Open the ears of an event node on behalf of a token, or of a scope for its event sub-process.

    Raises:
        CannotGoOn: a timer has no time, or a correlation no value.
    """
    for index, event in enumerate(node.events):
        if event.type is EventType.TIMER:
            _arm_timer(run, owner, node, index)
        elif event.type in EARS:
            _subscribe(run, owner, node, index)


def arm_boundaries(run: Run, token: Token) -> None:
    """Open the ears of all boundary events of the activity a token is at."""
    for boundary in run.definition.boundaries.get(token.node, ()):
        arm(run, token, boundary)


def arm_event_sub_processes(run: Run, scope: Scope, container: str) -> None:
    """Open the ears of the event sub-processes in a container that begins to run."""
    for start in run.definition.event_starts.get(container, ()):
        arm(run, scope, start)


def scope_of(run: Run, owner: str) -> str:
    """Give the scope in which an ear's owner, a token or the scope itself, sees variables."""
    token = run.tokens.get(owner)
    return owner if token is None else token.scope


def _arm_timer(run: Run, owner: Token | Scope, node: Node, index: int) -> None:
    due = due_of(run, node, node.events[index], scope_of(run, owner.id))
    identity = f"m{run.next_number()}"
    timer = Timer(identity, node.id, owner.id, due.at, due.repeats, due.every, index)
    run.timers[timer.id] = timer
    run.command(ArmTimer(timer.id, node.id, due.at))
    run.record(past.EventWaited(node.id, owner.id, "timer", None, due.at))


def _subscribe(run: Run, owner: Token | Scope, node: Node, index: int) -> None:
    event = node.events[index]
    name, key = event.name or "", None
    identity = f"e{run.next_number()}"
    if event.type is EventType.CONDITIONAL:
        name = as_expression(event.condition) or ""
    elif event.type is EventType.MESSAGE:
        key = correlation_of(run, node, event, scope_of(run, owner.id))
    kind = _TRIGGERS[event.type]
    open_ear(run, Subscription(identity, node.id, owner.id, kind, name, key, index))


def open_ear(run: Run, ear: Subscription) -> None:
    """Begin to listen; a condition is looked at before the step is over."""
    run.subscriptions[ear.id] = ear
    if ear.trigger is Trigger.SIGNAL:
        run.command(SubscribeSignal(ear.id, ear.node, ear.name))
    elif ear.trigger is Trigger.MESSAGE:
        run.command(SubscribeMessage(ear.id, ear.node, ear.name, ear.correlation))
    else:
        run.is_changed = True
    run.record(past.EventWaited(ear.node, ear.owner, ear.trigger.value, ear.name, None))


def correlation_of(run: Run, node: Node, event: EventDefinition, scope: str) -> str | None:
    """Work out the key that ties a message to this instance; None when the drawing names none.

    Raises:
        CannotGoOn: the drawing names one, and it has no value.
    """
    text = as_expression(event.correlation)
    if text is None:
        return None
    value = run.compute(node, scope, "correlation", text)
    if value is None:
        raise CannotGoOn("correlation_has_no_value", f"{node.id}: the correlation key is null")
    return text_of(value)
