"""Drawings in a few words, and a player that runs them and checks every step on the way."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from orchestration.bpmn import parse
from orchestration.core import (
    Definition,
    Step,
    advance,
    decode,
    decode_state,
    deploy,
    encode,
    encode_state,
    new_state,
    rebuild,
)
from orchestration.core import events as e
from orchestration.core.history import NodeEntered
from orchestration.core.state import Status, Wait

NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:f="https://frontline.bank/bpmn/1.0"'
)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def xml(*parts: str, declared: str = "", also: str = "") -> bytes:
    body = "\n".join(parts)
    return (
        f'<definitions {NAMESPACES} id="d">{declared}\n'
        f'<process id="p" isExecutable="true">\n{body}\n</process>{also}</definitions>'
    ).encode()


def process(*parts: str, declared: str = "", is_published: bool = False) -> Definition:
    return deploy(parse(xml(*parts, declared=declared)), is_published=is_published)


def node(tag: str, identity: str, inner: str = "", extra: str = "", **attributes: str) -> str:
    named = "".join(f' {name}="{value}"' for name, value in attributes.items())
    extension = f"<extensionElements>{extra}</extensionElements>" if extra else ""
    return f'<{tag} id="{identity}" name="{identity}"{named}>{extension}{inner}</{tag}>'


def start(identity: str = "start", inner: str = "") -> str:
    return node("startEvent", identity, inner)


def end(identity: str = "end", inner: str = "", extra: str = "") -> str:
    return node("endEvent", identity, inner, extra)


def service(identity: str, extra: str = "", inner: str = "", call: str = "read:thing") -> str:
    return node("serviceTask", identity, inner, f'<f:task call="{call}"/>{extra}')


def boundary(
    identity: str, host: str, inner: str, *, interrupting: bool = True, extra: str = ""
) -> str:
    flag = "true" if interrupting else "false"
    return node("boundaryEvent", identity, inner, extra, attachedToRef=host, cancelActivity=flag)


def output(name: str, value: str) -> str:
    return f'<f:output name="{name}" value="{value}"/>'


def timer(text: str, kind: str = "timeDuration") -> str:
    return f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"


def about(kind: str, reference: str | None = None) -> str:
    attribute = f' {kind}Ref="{reference}"' if reference else ""
    return f"<{kind}EventDefinition{attribute}/>"


def flow(path: str, condition: str | None = None) -> str:
    """Connect `a > b > c`; a condition stands on every flow of the path."""
    names = [name.strip() for name in path.split(">")]
    text = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return "".join(
        f'<sequenceFlow id="{one}-{other}" sourceRef="{one}" targetRef="{other}">'
        f"{text}</sequenceFlow>"
        for one, other in pairwise(names)
    )


@dataclass
class Player:
    """Runs an instance and, at every step, proves that it replays and survives storage."""

    definition: Definition
    decisions: dict = field(default_factory=dict)
    at: datetime = NOON

    def __post_init__(self) -> None:
        self.state = new_state(process=self.definition.process.id)
        self.events: list[tuple[e.Event, datetime]] = []
        self.history: list[object] = []
        self.commands: list[object] = []
        self.last = Step(self.state)

    def send(self, event: e.Event) -> Step:
        before = self.state
        self.last = advance(
            self.definition, self.state, event, at=self.at, decisions=self.decisions
        )
        self.state = self.last.state
        self.events.append((event, self.at))
        self.history.extend(self.last.history)
        self.commands.extend(self.last.commands)
        self._prove(before)
        return self.last

    def _prove(self, before) -> None:
        stored = encode_state(self.state)
        assert decode_state(stored) == self.state
        assert encode_state(decode_state(stored)) == stored
        assert rebuild(self.definition, self.events, decisions=self.decisions) == self.state
        for each in (*self.last.commands, *self.last.history, self.events[-1][0]):
            assert decode(encode(each), type(each)) is not None
        if self.last.ignored:
            assert self.state == before
            assert self.last.commands == ()
            assert self.last.history == ()

    def start(self, **variables) -> Step:
        return self.send(e.Started(variables))

    def token(self, node_id: str) -> str:
        return next(each.id for each in self.state.tokens if each.node == node_id)

    def complete(self, node_id: str, **result) -> Step:
        token = next(each for each in self.state.tokens if each.node == node_id)
        if token.wait is Wait.HUMAN:
            return self.send(e.UserTaskCompleted(token.id, result, "employee:1"))
        if token.wait is Wait.CHILD:
            return self.send(e.ChildCompleted(token.id, result))
        return self.send(e.TaskCompleted(token.id, result))

    def fail(self, node_id: str, code: str, **payload) -> Step:
        failure = e.TaskFailed(self.token(node_id), e.FailureKind.BUSINESS, code, "words", payload)
        return self.send(failure)

    def break_down(self, node_id: str, code: str = "timeout") -> Step:
        return self.send(
            e.TaskFailed(self.token(node_id), e.FailureKind.TECHNICAL, code, "no answer")
        )

    def fire(self, node_id: str) -> Step:
        found = next(each for each in self.state.timers if each.node == node_id)
        self.at = max(self.at, found.due_at)
        return self.send(e.TimerFired(found.id))

    def wait(self, **duration: int) -> None:
        self.at += timedelta(**duration)

    @property
    def waiting(self) -> list[str]:
        return sorted(each.node for each in self.state.tokens)

    @property
    def trail(self) -> list[str]:
        return [each.node for each in self.history if isinstance(each, NodeEntered)]

    @property
    def variables(self) -> dict:
        return dict(self.state.variables)

    @property
    def is_completed(self) -> bool:
        return self.state.status is Status.COMPLETED

    def issued(self, kind: type) -> list:
        """The commands of one kind of the last step."""
        return [each for each in self.last.commands if isinstance(each, kind)]
