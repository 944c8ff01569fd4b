"""For every fault the linter knows: a drawing that has it, and the nearest one that has not."""

from tests.unit.orchestration.core.stage import (
    about,
    boundary,
    end,
    flow,
    node,
    service,
    start,
    timer,
)

Parts = tuple[str, ...]
STRAIGHT = flow("start > work > end")
MULTI = "<multiInstanceLoopCharacteristics>{}</multiInstanceLoopCharacteristics>"
BELL = '<signal id="s" name="bell"/>'


def line(work: str, *more: str) -> Parts:
    return (start(), work, end(), STRAIGHT, *more)


def gate(tag: str, *ways: tuple[str, str | None], default: str = "", inner: str = "") -> Parts:
    """Draw a gateway `work` with tasks behind it, each with its condition."""
    named = {"default": f"work-{default}"} if default else {}
    tasks = [
        node("task", name) + flow(f"work > {name}", condition) + flow(f"{name} > end")
        for name, condition in ways
    ]
    return (start(), node(tag, "work", inner, **named), flow("start > work"), *tasks, end())


def joined(fork: str, join: str, inner: str = "") -> Parts:
    named = {"default": "fork-a"} if fork != "parallelGateway" else {}
    condition = "x" if fork != "parallelGateway" else None
    return (
        start(),
        node(fork, "fork", **named),
        node("task", "a"),
        node("task", "b"),
        node(join, "work", inner),
        end(),
        flow("start > fork"),
        flow("fork > a > work"),
        flow("fork > b", condition),
        flow("b > work > end"),
    )


def sub(inner: str, tag: str = "subProcess", identity: str = "work", **named: str) -> str:
    return node(tag, identity, inner, **named)


INSIDE = start("in") + end("out")
SUB = INSIDE + flow("in > out")


def event_sub(inner: str) -> str:
    return sub(inner, identity="extra", triggeredByEvent="true")


def link(name: str, kind: str = "Throw") -> str:
    event = f'<linkEventDefinition name="{name}"/>'
    return node(f"intermediate{kind}Event", f"{kind.lower()}-{name}", event)


UNDO = node("task", "undo", isForCompensation="true")
UNDONE = (
    boundary("c", "work", about("compensate"))
    + UNDO
    + '<association id="a" sourceRef="c" targetRef="undo"/>'
)
CANCELLED = start("in") + end("out", about("cancel")) + flow("in > out")
ON_CANCEL = boundary("b", "work", about("cancel")) + end("back") + flow("b > back")
UNDO_ALL = end("end", about("compensate"))
EVENTS = flow("start > work > m > end") + flow("work > t > end")
CATCHING = node("intermediateCatchEvent", "m", about("signal", "s")) + node(
    "intermediateCatchEvent", "t", timer("PT1H")
)
LINKED = flow("start > throw-x") + flow("catch-x > end")
EFFECT = service("work", call="action:pay")


def caller(target: str) -> Parts:
    return line(node("callActivity", "work", calledElement=target))


def condition(text: str) -> str:
    return f"<conditionalEventDefinition><condition>{text}</condition></conditionalEventDefinition>"


def ad_hoc(inner: str) -> Parts:
    return line(sub(inner, "adHocSubProcess"))


def activation(text: str) -> str:
    return f"<activationCondition>{text}</activationCondition>"
