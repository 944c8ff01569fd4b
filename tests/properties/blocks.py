"""Random processes made of blocks, the same for the same seed, in our words or in a peer's."""

from dataclasses import dataclass, field
from itertools import count, pairwise
from random import Random

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

DECLARED = '<message id="m" name="m"/><signal id="s" name="s"/>' + "".join(
    f'<error id="e{number}" errorCode="e{number}" name="e{number}"/>' for number in range(1, 100)
)
COMMON_LEAVES = ("task", "user", "several", "series", "link", "broken", "stopped")
OUR_LEAVES = (
    *COMMON_LEAVES,
    *("service", "script", "guarded", "reminded", "pause", "message", "call", "rounds"),
    *("watched", "handled", "undone", "chosen", "either", "both", "many"),
)
SPLITS = ("choice", "parallel", "inclusive")
TAGS = {
    "choice": "exclusiveGateway",
    "parallel": "parallelGateway",
    "inclusive": "inclusiveGateway",
}
ITEMS = (
    '<multiInstanceLoopCharacteristics isSequential="{}"><loopCardinality>{}</loopCardinality>'
    "</multiInstanceLoopCharacteristics>"
)
COLLECTION = (
    "<multiInstanceLoopCharacteristics><extensionElements>"
    '<f:loop collection="= [1, 2, 3]" into="all" result="= item"/></extensionElements>'
    "<completionCondition>numberOfCompletedInstances &gt; 1</completionCondition>"
    "</multiInstanceLoopCharacteristics>"
)
ROUNDS = (
    '<standardLoopCharacteristics testBefore="{}" loopMaximum="3"><loopCondition>x1'
    "</loopCondition></standardLoopCharacteristics>"
)
CONDITION = "<conditionalEventDefinition><condition>x2</condition></conditionalEventDefinition>"

Drawn = tuple[str, str, list[str]]


@dataclass
class Blocks:
    """Draws blocks from a seed; each is entered at one node and left at another."""

    seed: int
    leaves: tuple[str, ...] = OUR_LEAVES
    condition: str = "x{}"
    leaves_max: int = 6
    splits: tuple[str, ...] = SPLITS
    numbers: count = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.left = self.leaves_max

    def parts(self) -> list[str]:
        """Draw a whole process."""
        first, last, parts = self.block(0)
        return [start(), *parts, end(), flow(f"start > {first}"), flow(f"{last} > end")]

    def name(self, kind: str) -> str:
        return f"{kind}{next(self.numbers)}"

    def block(self, depth: int) -> Drawn:
        kinds = ["sequence", *self.splits, "sub"] if depth < 4 and self.left > 1 else []
        kind = self.random.choice([*kinds, "leaf"])
        if kind == "leaf":
            self.left -= 1
            name = self.name(self.random.choice(self.leaves))
            return name, name, getattr(self, f"_{name.rstrip('0123456789')}")(name)
        size = self.random.randint(1 if kind == "sub" else 2, 3)
        drawn = [self.block(depth + 1) for _ in range(size)]
        if kind == "sequence":
            return drawn[0][0], drawn[-1][1], self.line(drawn)
        if kind == "sub":
            name = self.name("sub")
            return name, name, [node("subProcess", name, self.inside(name, drawn))]
        return self.split(kind, drawn)

    def line(self, drawn: list[Drawn]) -> list[str]:
        links = [flow(f"{one[1]} > {other[0]}") for one, other in pairwise(drawn)]
        return [part for each in drawn for part in each[2]] + links

    def inside(self, name: str, drawn: list[Drawn], last: str = "") -> str:
        first, final = f"{name}-in", f"{name}-out"
        ways = flow(f"{first} > {drawn[0][0]}") + flow(f"{drawn[-1][1]} > {final}")
        return "".join([start(first), *self.line(drawn), last or end(final), ways])

    def split(self, kind: str, drawn: list[Drawn]) -> Drawn:
        fork, join = self.name("fork"), self.name("join")
        parts = [node(TAGS[kind], join)]
        for at, (first, last, inner) in enumerate(drawn):
            is_decided = kind != "parallel" and at
            condition = self.condition.format(self.random.randint(1, 4)) if is_decided else None
            parts += [*inner, flow(f"{fork} > {first}", condition), flow(f"{last} > {join}")]
        default = {} if kind == "parallel" else {"default": f"{fork}-{drawn[0][0]}"}
        return fork, join, [node(TAGS[kind], fork, **default), *parts]

    def beside(self, host: str, trigger: str, *, interrupting: bool) -> list[str]:
        """Guard an activity with an event that leads to an end of its own."""
        event, after = f"{host}-event", f"{host}-after"
        guard = boundary(event, host, trigger, interrupting=interrupting)
        return [guard, end(after), flow(f"{event} > {after}")]

    # Leaves both engines know.

    def _task(self, name: str) -> list[str]:
        return [node("task", name)]

    def _user(self, name: str) -> list[str]:
        return [node("userTask", name)]

    def _several(self, name: str) -> list[str]:
        return [node("userTask", name, ITEMS.format("false", self.random.randint(1, 3)))]

    def _series(self, name: str) -> list[str]:
        return [node("userTask", name, ITEMS.format("true", self.random.randint(1, 3)))]

    def _link(self, name: str) -> list[str]:
        drawn = f'<linkEventDefinition name="{name}"/>'
        inside = [
            start(f"{name}-in"),
            node("intermediateThrowEvent", f"{name}-throw", drawn),
            node("intermediateCatchEvent", f"{name}-catch", drawn),
            end(f"{name}-out"),
            flow(f"{name}-in > {name}-throw"),
            flow(f"{name}-catch > {name}-out"),
        ]
        return [node("subProcess", name, "".join(inside))]

    def _broken(self, name: str) -> list[str]:
        drawn = self._pair(name)
        error = about("error", f"e{name.removeprefix('broken')}")
        last = end(f"{name}-out", error)
        inner = f"{name}-host"
        host = node("subProcess", inner, self.inside(name, drawn, last))
        caught = self.beside(inner, error, interrupting=True)
        around = [(inner, inner, [host, *caught])]
        return [node("subProcess", name, self.inside(f"{name}-around", around))]

    def _stopped(self, name: str) -> list[str]:
        last = end(f"{name}-out", about("terminate"))
        return [node("subProcess", name, self.inside(name, self._pair(name), last))]

    def _pair(self, name: str) -> list[Drawn]:
        names = (f"{name}-one", f"{name}-two")
        return [(each, each, [node("userTask", each)]) for each in names]

    # Leaves of ours.

    def _service(self, name: str) -> list[str]:
        return [service(name)]

    def _script(self, name: str) -> list[str]:
        return [node("scriptTask", name, "<script>not(x2)</script>", '<f:script result="x2"/>')]

    def _guarded(self, name: str) -> list[str]:
        return [service(name), *self.beside(name, about("error"), interrupting=True)]

    def _reminded(self, name: str) -> list[str]:
        cycle = timer("R3/PT1M", "timeCycle")
        return [service(name), *self.beside(name, cycle, interrupting=False)]

    def _pause(self, name: str) -> list[str]:
        return [node("intermediateCatchEvent", name, timer("PT1H"))]

    def _message(self, name: str) -> list[str]:
        return [node("receiveTask", name, messageRef="m")]

    def _call(self, name: str) -> list[str]:
        return [node("callActivity", name, calledElement="child")]

    def _rounds(self, name: str) -> list[str]:
        is_first = self.random.choice(["true", "false"])
        return [node("userTask", name, ROUNDS.format(is_first), '<f:output name="x1"/>')]

    def _watched(self, name: str) -> list[str]:
        is_interrupting = self.random.random() < 0.5
        return [service(name), *self.beside(name, CONDITION, interrupting=is_interrupting)]

    def _handled(self, name: str) -> list[str]:
        flag = self.random.choice(["true", "false"])
        begun = node("startEvent", f"{name}-begun", about("message", "m"), isInterrupting=flag)
        inner = begun + node("userTask", f"{name}-handle") + end(f"{name}-handled")
        inner += flow(f"{name}-begun > {name}-handle > {name}-handled")
        handler = node("subProcess", f"{name}-extra", inner, triggeredByEvent="true")
        return [node("subProcess", name, self.inside(name, self._pair(name)) + handler)]

    def _undone(self, name: str) -> list[str]:
        drawn = [(each, each, [*parts, self._undo(each)]) for each, _, parts in self._pair(name)]
        last = end(f"{name}-out", "<compensateEventDefinition/>")
        return [node("subProcess", name, self.inside(name, drawn, last))]

    def _undo(self, host: str) -> str:
        event = boundary(f"{host}-c", host, "<compensateEventDefinition/>")
        undo = node("userTask", f"{host}-undo", isForCompensation="true")
        ids = f'id="{host}-a" sourceRef="{host}-c" targetRef="{host}-undo"'
        return f"{event}{undo}<association {ids}/>"

    def _chosen(self, name: str) -> list[str]:
        inner = node("userTask", f"{name}-one") + node("userTask", f"{name}-two")
        done = "<completionCondition>x3</completionCondition>"
        return [node("adHocSubProcess", name, inner + done)]

    def _either(self, name: str) -> list[str]:
        return [node("intermediateCatchEvent", name, about("message", "m") + about("signal", "s"))]

    def _both(self, name: str) -> list[str]:
        events = about("message", "m") + about("signal", "s")
        return [node("intermediateCatchEvent", name, events, parallelMultiple="true")]

    def _many(self, name: str) -> list[str]:
        return [service(name, "", COLLECTION)]
