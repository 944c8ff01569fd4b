"""Hearing events: which ear an event reaches, and whether the node has all it waits for."""

from dataclasses import replace

from orchestration.bpmn.model import EventType, Kind, Node
from orchestration.core.arming import open_ear, scope_of
from orchestration.core.commands import ArmTimer, Unsubscribe
from orchestration.core.run import Run
from orchestration.core.state import Subscription, Timer, Trigger, Variables
from orchestration.core.timing import next_due_after
from orchestration.core.triggers import trigger
from orchestration.feel.values import FeelValue


def timer_fired(run: Run, timer: Timer) -> None:
    """Let a timer do what it is there for, and arm it again if it repeats."""
    del run.timers[timer.id]
    node = run.definition.node(timer.node)
    if _stays_open(node) and not node.is_parallel and timer.every is not None:
        _arm_again(run, timer, timer.every)
    _heard(run, timer, node, {})


def _arm_again(run: Run, timer: Timer, every: str) -> None:
    following = next_due_after(run.at, timer.due_at, every)
    if following is None:
        return
    due_at, passed = following
    left = None if timer.repeats is None else timer.repeats - passed
    if left is not None and left < 0:
        return
    again = replace(timer, id=f"m{run.next_number()}", due_at=due_at, repeats=left)
    run.timers[again.id] = again
    run.command(ArmTimer(again.id, again.node, due_at))


def hear(run: Run, ear: Subscription, payload: Variables) -> None:
    """Let a message, a signal or a condition that became true do what it is there for."""
    node = run.definition.node(ear.node)
    if _others_open(run, ear):
        _keep(run, ear, payload)
        return
    if not _stays_open(node):
        run.drop_subscription(ear)
    _heard(run, ear, node, payload)


def hear_conditions(run: Run, owner: str | None = None) -> None:
    """Look at the open conditions, or at those of one token, and hear each that became true."""
    if owner is None:
        run.is_changed = False
    for known in tuple(run.subscriptions.values()):
        ear = run.subscriptions.get(known.id)  # An earlier one may have closed it.
        if ear is None or ear.trigger is not Trigger.CONDITION or ear.heard is not None:
            continue
        if owner is None or ear.owner == owner:
            _look(run, ear)


def _look(run: Run, ear: Subscription) -> None:
    result, _, _ = run.evaluate(ear.name, scope_of(run, ear.owner))
    is_true = result.value is True
    if is_true is ear.is_true:
        return
    changed = replace(ear, is_true=is_true)
    run.subscriptions[ear.id] = changed
    if is_true:
        hear(run, changed, {})


def _stays_open(node: Node) -> bool:
    return not node.is_interrupting and node.kind in {Kind.BOUNDARY, Kind.START}


def _ears_beside(run: Run, ear: Timer | Subscription) -> list[Timer | Subscription]:
    ears: list[Timer | Subscription] = [*run.timers.values(), *run.subscriptions.values()]
    return [
        each
        for each in ears
        if each.id != ear.id and each.owner == ear.owner and each.node == ear.node
    ]


def _others_open(run: Run, ear: Timer | Subscription) -> bool:
    """Tell whether an event that waits for several things still lacks one beside this."""
    if not run.definition.node(ear.node).is_parallel:
        return False
    return any(
        not isinstance(each, Subscription) or each.heard is None for each in _ears_beside(run, ear)
    )


def _keep(run: Run, ear: Subscription, payload: Variables) -> None:
    run.subscriptions[ear.id] = replace(ear, heard=payload)
    if ear.trigger is not Trigger.CONDITION:
        run.command(Unsubscribe(ear.id))


def _heard(run: Run, ear: Timer | Subscription, node: Node, payload: Variables) -> None:
    event = node.events[ear.event]
    if node.is_parallel:
        if _others_open(run, ear):
            return
        ears = [each for each in (ear, *_ears_beside(run, ear)) if isinstance(each, Subscription)]
        payload = _together(ears, payload)
        for each in ears:
            if each.id in run.subscriptions:
                run.drop_subscription(run.subscriptions[each.id])
        if _stays_open(node) and EventType.TIMER not in {each.type for each in node.events}:
            _open_again(run, ears)
    trigger(run, ear.owner, node, event, payload)


def _together(ears: list[Subscription], payload: Variables) -> Variables:
    """Put together what came in for an event that waited for several things."""
    found: dict[str, FeelValue] = {}
    for each in ears:
        found.update(each.heard or {})
    return {**found, **payload}


def _open_again(run: Run, ears: list[Subscription]) -> None:
    for each in ears:
        # A condition that is true now must become false before it is heard again.
        is_true = each.trigger is Trigger.CONDITION
        identity = f"e{run.next_number()}"
        open_ear(run, replace(each, id=identity, heard=None, is_true=is_true))
