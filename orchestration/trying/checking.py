"""A scenario file held against its drawing before anything is run."""

from collections.abc import Iterator, Mapping
from itertools import islice

from orchestration.bpmn.model import Kind, Node
from orchestration.durable.definitions import PublishedFlow
from orchestration.trying.scenarios import (
    FAULTS_MAX,
    Answer,
    Answers,
    Expectation,
    ReadFile,
    Scenario,
    ScenarioFault,
    ScenarioRefused,
)

ASKING = frozenset({Kind.SERVICE, Kind.SEND, Kind.USER, Kind.CALL, Kind.AD_HOC})
Path = tuple[str | int, ...]


def check_scenarios(read: ReadFile, flow: PublishedFlow) -> None:
    """Check that a scenario file speaks of what is in the drawing.

    Raises:
        ScenarioRefused: it does not; the first faults are named with their lines.
    """
    found = _Check(read, flow.definition.process.nodes).all(flow.process)
    faults = tuple(islice(found, FAULTS_MAX))
    if faults:
        raise ScenarioRefused(read.name, faults)


class _Check:
    def __init__(self, read: ReadFile, nodes: Mapping[str, Node]) -> None:
        self.read, self.nodes = read, nodes

    def all(self, process: str) -> Iterator[ScenarioFault]:
        content = self.read.content
        if content.flow != process:
            yield self.read.fault(["flow"], f"this is the flow {process!r}, not {content.flow!r}")
            return
        yield from self.of_answers(("answers",), content.answers)
        for index, scenario in enumerate(content.scenarios):
            yield from self.of_scenario(("scenarios", index), scenario)

    def of_scenario(self, place: Path, scenario: Scenario) -> Iterator[ScenarioFault]:
        if scenario.start is not None:
            yield from self.known((*place, "start"), scenario.start)
        yield from self.of_answers((*place, "answers"), scenario.answers)
        yield from self.of_expectation((*place, "expect"), scenario.expect)

    def of_answers(self, place: Path, answers: Mapping[str, Answers]) -> Iterator[ScenarioFault]:
        for node_id, said in answers.items():
            here = (*place, node_id)
            node = self.nodes.get(node_id)
            if node is None:
                yield self.read.fault(here, f"the drawing has no element {node_id!r}")
            elif node.kind not in ASKING:
                yield self.read.fault(here, f"{node_id!r} asks nothing that could be answered")
            elif isinstance(said, list):
                for index, answer in enumerate(said):
                    yield from self.of_answer((*here, index), node, answer)
            else:
                yield from self.of_answer(here, node, said)

    def of_answer(self, place: Path, node: Node, answer: Answer) -> Iterator[ScenarioFault]:
        if (node.kind is Kind.AD_HOC) is not (answer.chooses is not None):
            if answer.never is None:
                what = "chooses" if node.kind is Kind.AD_HOC else "done, refused, broken or never"
                yield self.read.fault(place, f"{node.id!r} is answered by {what}")
        elif answer.broken is not None and node.kind not in {Kind.SERVICE, Kind.SEND}:
            yield self.read.fault((*place, "broken"), f"only a service breaks, not {node.id!r}")
        for index, activity in enumerate(answer.chooses or ()):
            yield from self.known((*place, "chooses", index), activity)

    def of_expectation(self, place: Path, expected: Expectation) -> Iterator[ScenarioFault]:
        if expected.end is not None:
            yield from self.known((*place, "end"), expected.end)
            node = self.nodes.get(expected.end)
            if node is not None and node.kind is not Kind.END:
                yield self.read.fault((*place, "end"), f"{expected.end!r} is no end")
        for field in ("path", "never", "waits_at"):
            for index, node in enumerate(getattr(expected, field) or ()):
                yield from self.known((*place, field, index), node)
        for index, decision in enumerate(expected.decisions):
            yield from self.known((*place, "decisions", index, "node"), decision.node)
        for index, question in enumerate(expected.asks):
            yield from self.known((*place, "asks", index, "node"), question.node)

    def known(self, place: Path, node: str) -> Iterator[ScenarioFault]:
        if node not in self.nodes:
            yield self.read.fault(place, f"the drawing has no element {node!r}")
