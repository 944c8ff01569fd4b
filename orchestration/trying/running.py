"""Running scenarios to their end: what came of each, and how much of the drawing they saw."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from orchestration.core import history as past
from orchestration.durable.definitions import PublishedFlow
from orchestration.operating.telling import RunLine, told
from orchestration.trying.bench import Bench, GoesOnForEver
from orchestration.trying.checking import check_scenarios
from orchestration.trying.deciding import decided
from orchestration.trying.expecting import Path, entered, unmet
from orchestration.trying.playing import Player, StoryBroken
from orchestration.trying.scenarios import ReadFile, RuleTest, Scenario, ScenarioFault


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """What came of a scenario: it passed if `broken` is empty.

    `path` and `flows` are the elements and sequence flows it went along, `lines` what happened in
    words, `ended_at` where its clock stood at last.
    """

    name: str
    line: int
    broken: tuple[ScenarioFault, ...]
    path: tuple[str, ...]
    flows: tuple[str, ...]
    lines: tuple[RunLine, ...]
    began_at: datetime
    ended_at: datetime

    @property
    def has_passed(self) -> bool:
        """Tell whether everything came as expected."""
        return not self.broken


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a drawing was gone along: how many elements and flows there are, and the rest."""

    elements: int
    flows: int
    missed_elements: tuple[str, ...]
    missed_flows: tuple[str, ...]

    @property
    def elements_seen(self) -> int:
        """Return how many elements were entered."""
        return self.elements - len(self.missed_elements)

    @property
    def flows_seen(self) -> int:
        """Return how many sequence flows were taken."""
        return self.flows - len(self.missed_flows)


def run_file(read: ReadFile, flow: PublishedFlow) -> Iterator[ScenarioResult]:
    """Run the scenarios of a file one after another.

    Raises:
        ScenarioRefused: the file speaks of what is not in the drawing.
    """
    check_scenarios(read, flow)
    for index, scenario in enumerate(read.content.scenarios):
        yield _run(read, flow, index, scenario)
    for index, test in enumerate(read.content.decisions):
        yield _decided(read, flow, index, test)


def bench_of(read: ReadFile, flow: PublishedFlow, scenario: Scenario) -> Bench:
    """Return the bench on which a scenario begins."""
    content = read.content
    return Bench.begun(
        flow,
        given=content.given_of(scenario),
        at=content.begins_at(scenario),
        start=scenario.start,
    )


def lines_of(bench: Bench, since: int = 0) -> tuple[RunLine, ...]:
    """Return in words what happened on a bench, all of it or since an event."""
    return told(bench.rows[since:], bench.flow, dict(bench.variables))


def coverage_of(flow: PublishedFlow, results: Iterable[ScenarioResult]) -> Coverage:
    """Return how much of a drawing several scenarios saw together."""
    process = flow.definition.process
    nodes, flows = set(process.nodes), set(process.flows)
    for result in results:
        nodes -= set(result.path)
        flows -= set(result.flows)
    return Coverage(
        elements=len(process.nodes),
        flows=len(process.flows),
        missed_elements=tuple(each for each in process.nodes if each in nodes),
        missed_flows=tuple(each for each in process.flows if each in flows),
    )


def flows_taken(bench: Bench) -> tuple[str, ...]:
    """Return the sequence flows that were taken, in order."""
    return tuple(each.flow for each in bench.entries if isinstance(each, past.FlowTaken))


def _run(read: ReadFile, flow: PublishedFlow, index: int, scenario: Scenario) -> ScenarioResult:
    here = ("scenarios", index)
    bench = bench_of(read, flow, scenario)
    player = Player(bench, read.content, scenario)
    broken = tuple(read.fault(path, words) for path, words in _faults(player, here, scenario))
    return ScenarioResult(
        name=scenario.name,
        line=read.places.line(here),
        broken=broken,
        path=entered(bench),
        flows=flows_taken(bench),
        lines=lines_of(bench),
        began_at=bench.began_at,
        ended_at=bench.at,
    )


def _decided(read: ReadFile, flow: PublishedFlow, index: int, test: RuleTest) -> ScenarioResult:
    here, at = ("decisions", index), datetime.fromisoformat(read.content.at)
    made = decided(test, flow.decisions, at)
    return ScenarioResult(
        name=test.name,
        line=read.places.line(here),
        broken=tuple(read.fault((*here, "outputs"), words) for words in made.broken),
        path=(),
        flows=(),
        lines=(),
        began_at=at,
        ended_at=at,
    )


def _faults(player: Player, here: Path, scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """Play a scenario to its end and give what did not come as expected."""
    try:
        while player.step():
            pass
    except StoryBroken as broken:
        yield broken.path, broken.words
        return
    except GoesOnForEver as error:
        yield here, f"it does not come to an end: stopped after {error.events} events"
        return
    for each in unmet(player, scenario.expect):
        yield (*here, "expect", *each.path), each.words
