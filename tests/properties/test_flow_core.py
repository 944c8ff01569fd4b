"""Random processes made of blocks always end, replay to the same state, and leave nothing open."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count, pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.core import commands as c
from orchestration.core import events as e
from orchestration.core.history import IncidentRaised
from orchestration.core.state import Status
from tests.unit.orchestration.core.stage import (
    NOON,
    Player,
    about,
    boundary,
    end,
    flow,
    node,
    process,
    service,
    start,
    timer,
)

BLOCKS = st.recursive(
    st.sampled_from(
        ["service", "user", "script", "guarded", "reminded", "pause", "message", "loop", "call"]
    ),
    lambda inner: st.one_of(
        st.tuples(st.just("sequence"), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("choice"), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("parallel"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("inclusive"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("sub"), st.lists(inner, min_size=1, max_size=2)),
    ),
    max_leaves=8,
)
LOOP = (
    '<multiInstanceLoopCharacteristics><extensionElements><f:loop collection="= [1, 2, 3]"/>'
    "</extensionElements></multiInstanceLoopCharacteristics>"
)


@dataclass
class Builder:
    """Draws blocks; each is entered at one node and left at another."""

    numbers: count = field(default_factory=count)

    def name(self, kind: str) -> str:
        return f"{kind}{next(self.numbers)}"

    def draw(self, block) -> tuple[str, str, list[str]]:
        if isinstance(block, str):
            return self.leaf(block)
        kind, inner = block
        drawn = [self.draw(each) for each in inner]
        if kind == "sequence":
            links = [flow(f"{one[1]} > {other[0]}") for one, other in pairwise(drawn)]
            return drawn[0][0], drawn[-1][1], [part for each in drawn for part in each[2]] + links
        if kind == "sub":
            return self.sub_process(drawn)
        return self.split(kind, drawn)

    def leaf(self, kind: str) -> tuple[str, str, list[str]]:
        name = self.name(kind)
        match kind:
            case "user":
                parts = [node("userTask", name)]
            case "script":
                parts = [node("scriptTask", name, "<script>1 + 1</script>")]
            case "pause":
                parts = [node("intermediateCatchEvent", name, timer("PT1H"))]
            case "message":
                parts = [node("intermediateCatchEvent", name, about("message", "m"))]
            case "loop":
                parts = [service(name, "", LOOP)]
            case "call":
                parts = [node("callActivity", name, calledElement="child")]
            case _:
                parts = [service(name), *self.guard(kind, name)]
        return name, name, parts

    def guard(self, kind: str, host: str) -> list[str]:
        if kind == "service":
            return []
        event, after = f"{host}-event", f"{host}-after"
        inner = about("error") if kind == "guarded" else timer("PT1M")
        return [
            boundary(event, host, inner, interrupting=kind == "guarded"),
            end(after),
            flow(f"{event} > {after}"),
        ]

    def split(self, kind: str, drawn) -> tuple[str, str, list[str]]:
        tag = {
            "choice": "exclusiveGateway",
            "parallel": "parallelGateway",
            "inclusive": "inclusiveGateway",
        }[kind]
        fork, join = self.name("fork"), self.name("join")
        parts = [node("exclusiveGateway" if kind == "choice" else tag, join)]
        conditional = kind != "parallel"
        for at, (first, last, inner) in enumerate(drawn):
            condition = f"picks[{at + 1}]" if conditional and at else None
            parts += [*inner, flow(f"{fork} > {first}", condition), flow(f"{last} > {join}")]
        default = {"default": f"{fork}-{drawn[0][0]}"} if conditional else {}
        return fork, join, [node(tag, fork, **default), *parts]

    def sub_process(self, drawn) -> tuple[str, str, list[str]]:
        name, first, last = self.name("sub"), self.name("in"), self.name("out")
        names = [first, *(each for one in drawn for each in (one[0], one[1])), last]
        links = [flow(f"{names[at]} > {names[at + 1]}") for at in range(0, len(names), 2)]
        inner = [part for each in drawn for part in each[2]]
        body = "".join([start(first), *inner, end(last), *links])
        late, after = f"{name}-late", f"{name}-after"
        return (
            name,
            name,
            [
                node("subProcess", name, body),
                boundary(late, name, timer("P1D")),
                end(after),
                flow(f"{late} > {after}"),
            ],
        )


def definition_of(block):
    builder = Builder()
    first, last, parts = builder.draw(block)
    return process(
        start(),
        *parts,
        end(),
        flow(f"start > {first}"),
        flow(f"{last} > end"),
        declared='<message id="m" name="m"/>',
    )


def possible_events(play: Player) -> list[e.Event]:
    """List every event that may come next, in a stable order."""
    found: list[e.Event] = []
    for token in play.state.tokens:
        match token.wait.value:
            case "service":
                found.append(e.TaskCompleted(token.id))
                if token.node.startswith("guarded"):
                    found.append(e.TaskFailed(token.id, e.FailureKind.BUSINESS, "no"))
                found.append(e.TaskFailed(token.id, e.FailureKind.TECHNICAL, "down"))
            case "human":
                found.append(e.UserTaskCompleted(token.id))
            case "child":
                found.append(e.ChildCompleted(token.id))
            case "incident":
                found.append(e.IncidentResolved(token.id, e.Resolution.RETRY))
    found += [e.TimerFired(each.id) for each in play.state.timers]
    found += [e.MessageReceived("m", subscription=each.id) for each in play.state.subscriptions]
    return found


def is_deadline(play: Player, event: e.Event) -> bool:
    """Tell whether an event is the timer on the border of a sub-process."""
    return isinstance(event, e.TimerFired) and any(
        each.id == event.timer and each.node.endswith("-late") for each in play.state.timers
    )


def is_stuck_by_design(play: Player) -> bool:
    """A parallel join starves when an error boundary led one of its branches elsewhere."""
    return any(
        isinstance(each, IncidentRaised) and each.code == "deadlock" for each in play.last.history
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(block=BLOCKS, picks=st.lists(st.booleans(), min_size=4, max_size=4), data=st.data())
def test_random_process_ends_and_replays_to_the_same_state(block, picks, data):
    play = Player(definition_of(block))
    play.start(picks=picks)

    failures = 0
    while play.state.status is Status.RUNNING and not is_stuck_by_design(play):
        options = possible_events(play)
        assert options, f"nothing can happen any more at {play.waiting}"
        if failures > 5:
            options = [each for each in options if not isinstance(each, e.TaskFailed)]
        event = data.draw(st.sampled_from(options))
        failures += isinstance(event, e.TaskFailed)
        play.at += timedelta(minutes=1)
        assert play.send(event).ignored is None

    if play.state.status is Status.COMPLETED:
        assert play.state.tokens == play.state.timers == play.state.subscriptions == ()
        assert len(play.state.scopes) == 1
    assert_everything_opened_was_closed(play)


def assert_everything_opened_was_closed(play: Player) -> None:
    """Whatever the shell was asked to arm is armed in the state, fired, or called off again."""
    armed = {each.timer for each in play.commands if isinstance(each, c.ArmTimer)}
    gone = {each.timer for each in play.commands if isinstance(each, c.CancelTimer)}
    fired = {event.timer for event, _ in play.events if isinstance(event, e.TimerFired)}
    assert armed - gone - fired == {each.id for each in play.state.timers}

    opened = {each.subscription for each in play.commands if isinstance(each, c.SubscribeMessage)}
    closed = {each.subscription for each in play.commands if isinstance(each, c.Unsubscribe)}
    assert opened - closed == {each.id for each in play.state.subscriptions}


@settings(max_examples=60, deadline=None)
@given(block=BLOCKS, picks=st.lists(st.booleans(), min_size=4, max_size=4))
def test_process_without_failures_always_completes(block, picks):
    play = Player(definition_of(block))
    play.start(picks=picks)

    turns = 0
    while play.state.status is Status.RUNNING:
        turns += 1
        assert turns < 500
        play.at = NOON + timedelta(minutes=turns)
        play.send(
            next(
                each
                for each in possible_events(play)
                if not isinstance(each, e.TaskFailed) and not is_deadline(play, each)
            )
        )

    assert play.state.status is Status.COMPLETED
    assert play.state.tokens == ()
    assert_everything_opened_was_closed(play)


@settings(max_examples=60, deadline=None)
@given(block=BLOCKS, data=st.data())
def test_every_event_repeated_is_ignored(block, data):
    play = Player(definition_of(block))
    play.start(picks=[True, False, True, False])
    event = data.draw(st.sampled_from(possible_events(play) or [e.Cancelled("nothing waits")]))
    play.send(event)

    if not isinstance(event, e.TaskFailed | e.IncidentResolved):
        assert play.send(event).ignored is not None
