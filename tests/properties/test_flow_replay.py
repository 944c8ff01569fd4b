"""Thousands of random processes stepped to their end: the history rebuilds every state."""

from datetime import timedelta
from random import Random

import pytest

from orchestration.bpmn import parse
from orchestration.core import (
    advance,
    decode,
    decode_state,
    deploy,
    encode,
    encode_state,
    new_state,
    rebuild,
    replay,
)
from orchestration.core import commands as c
from orchestration.core import events as e
from orchestration.core.history import IncidentRaised
from orchestration.core.state import Status, Trigger
from tests.properties.blocks import DECLARED, Blocks
from tests.unit.orchestration.core.stage import NOON, xml

BATCHES, BATCH = 10, 200
EVENTS_MAX = 60


def possible_events(state, random: Random) -> list[e.Event]:
    """List what may come next, in a stable order."""
    found: list[e.Event] = []
    for token in state.tokens:
        found += _answers(token, random)
    found += [e.TimerFired(each.id) for each in state.timers]
    for ear in state.subscriptions:
        if ear.heard is None and ear.trigger is Trigger.MESSAGE:
            found.append(e.MessageReceived(ear.name, subscription=ear.id))
        elif ear.heard is None and ear.trigger is Trigger.SIGNAL:
            found.append(e.SignalReceived(ear.name))
    return found


def _answers(token, random: Random) -> list[e.Event]:
    match token.wait.value:
        case "service":
            failure = e.FailureKind.BUSINESS if "guarded" in token.node else e.FailureKind.TECHNICAL
            return [e.TaskCompleted(token.id)] * 3 + [e.TaskFailed(token.id, failure, "no")]
        case "human":
            return [e.UserTaskCompleted(token.id, {"x1": random.random() < 0.5})]
        case "child":
            return [e.ChildCompleted(token.id), e.ChildFailed(token.id, "no")]
        case "incident":
            kind = random.choice([e.Resolution.RETRY, e.Resolution.COMPLETE])
            return [e.IncidentResolved(token.id, kind)]
        case "scope" if token.node.startswith("chosen"):
            wanted = random.choice(["one", "two"])
            one = e.ActivityChosen(token.id, f"{token.node}-{wanted}", {"why": wanted})
            return [one, e.ActivitiesEnded(token.id)]
        case _:
            return []


def step_to_the_end(definition, seed: int):
    """Step one instance by random events and keep what came in, out, and in between."""
    random = Random(seed)
    state = new_state(process="p")
    event: e.Event = e.Started({f"x{n}": random.random() < 0.5 for n in range(1, 5)})
    events, states, commands, at = [], [], [], NOON
    while len(events) < EVENTS_MAX:
        step = advance(definition, state, event, at=at)
        events.append((event, at))
        states.append(encode_state(step.state))
        # As the shell does: what is stored is what the next step begins from.
        state = decode_state(states[-1])
        assert state == step.state, seed
        commands.extend(step.commands)
        if state.status is not Status.RUNNING:
            break
        options = possible_events(state, random)
        assert options, f"seed {seed}: nothing can happen any more, and no one was told"
        event = random.choice(options)
        at += timedelta(minutes=random.randint(-5, 30))
    return events, states, commands, state


def assert_closed(seed: int, events, commands, state) -> None:
    """Whatever the shell was asked to open is open in the state, used up, or called off again."""
    opened = {each.timer for each in commands if isinstance(each, c.ArmTimer)}
    closed = {each.timer for each in commands if isinstance(each, c.CancelTimer)}
    fired = {each.timer for each, _ in events if isinstance(each, e.TimerFired)}
    assert opened - closed - fired == {each.id for each in state.timers}, seed
    asked = (c.SubscribeMessage, c.SubscribeSignal)
    listening = {each.subscription for each in commands if isinstance(each, asked)}
    listening -= {each.subscription for each in commands if isinstance(each, c.Unsubscribe)}
    ears = [each for each in state.subscriptions if each.trigger is not Trigger.CONDITION]
    assert listening == {each.id for each in ears if each.heard is None}, seed
    if state.status is not Status.RUNNING:
        assert state.tokens == state.timers == state.subscriptions == (), seed
        assert len(state.scopes) == 1, seed


@pytest.mark.parametrize("batch", range(BATCHES))
def test_history_rebuilds_the_state_at_every_sequence_number(batch):
    ended = 0
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        definition = deploy(parse(xml(*Blocks(seed).parts(), declared=DECLARED)))

        events, states, commands, state = step_to_the_end(definition, seed)

        stored = [(decode(encode(event), object), at) for event, at in events]
        assert [encode_state(each) for each in replay(definition, stored)] == states, seed
        middle = len(stored) // 2
        assert encode_state(rebuild(definition, stored[: middle + 1])) == states[middle], seed
        assert_closed(seed, events, commands, state)
        ended += state.status is not Status.RUNNING

    assert ended > BATCH * 0.8


def test_random_processes_use_every_leaf():
    seen: set[str] = set()
    for seed in range(400):
        drawing = parse(xml(*Blocks(seed).parts(), declared=DECLARED))
        seen |= {name.rstrip("0123456789") for name in drawing.process().nodes}

    assert set(Blocks(0).leaves) <= seen


def test_deadlock_is_told_once():
    told = 0
    for seed in range(BATCH):
        definition = deploy(parse(xml(*Blocks(seed).parts(), declared=DECLARED)))
        state = new_state(process="p")
        for event, at in step_to_the_end(definition, seed)[0]:
            step = advance(definition, state, event, at=at)
            state = step.state
            codes = [each.code for each in step.history if isinstance(each, IncidentRaised)]
            assert codes.count("deadlock") <= 1
            told += codes.count("deadlock")

    assert told
