"""Which flows can be tried out, from the journeys of this installation or from files."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from orchestration import journeys
from orchestration.journeys import SCENARIOS, FlowSource
from orchestration.trying.drawings import flow_to_try
from orchestration.trying.running import Coverage, ScenarioResult, coverage_of, run_file
from orchestration.trying.scenarios import ScenarioFault, ScenarioRefused, read_scenarios


@dataclass(frozen=True, slots=True)
class ScenarioSource:
    """A flow with the scenarios it is tried out with; `name` is what people call the file."""

    name: str
    process: str
    source: FlowSource


@dataclass(frozen=True, slots=True)
class ScenarioReport:
    """What came of the scenarios of one flow; `must_pass` says that its journey insists on them."""

    name: str
    process: str
    must_pass: bool
    results: tuple[ScenarioResult, ...]
    coverage: Coverage

    @property
    def has_passed(self) -> bool:
        """Tell whether every scenario came out as expected."""
        return all(each.has_passed for each in self.results)


def scenario_sources(*, paths: Iterable[Path] = ()) -> tuple[ScenarioSource, ...]:
    """Return the flows of this installation that have scenarios, or those of some paths.

    A path is a folder, a scenario file, or a drawing with its scenarios beside it; a flow of that
    name must be among the journeys. Drawing and rules that stand beside the file are tried out in
    place of the journey's own.

    Raises:
        ScenarioRefused: a path holds no scenarios, or those of a flow nobody knows.
    """
    known = {each.process: each for each in journeys.flow_sources()}
    wanted = list(paths)
    if not wanted:
        return tuple(
            ScenarioSource(f"{each.journey}/{each.process}", each.process, each)
            for each in known.values()
            if each.scenarios
        )
    return tuple(_of_file(known, file) for path in wanted for file in _files(path))


def run_scenarios(*, source: ScenarioSource) -> ScenarioReport:
    """Run the scenarios of a flow on its drawing; nothing is started, written or sent.

    Raises:
        DrawingRefused: the drawing cannot be run.
        ModelRefused: a rule cannot be read or run.
        ScenarioRefused: the scenarios cannot be read, or speak of what is not in the drawing.
    """
    flow = flow_to_try(source.source)
    read = read_scenarios(name=source.name, text=source.source.scenarios)
    results = tuple(run_file(read, flow))
    return ScenarioReport(
        name=source.name,
        process=source.process,
        must_pass=source.source.content.must_pass,
        results=results,
        coverage=coverage_of(flow, results),
    )


def shipped_scenarios(process: str, digest: str) -> str:
    """Return the scenarios that came with a flow if what came is this very version, else nothing.

    They may have been made better since it was published; nothing that runs changes by it.
    """
    for source in journeys.flow_sources():
        if (source.process, source.digest) == (process, digest):
            return source.scenarios
    return ""


def _files(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise _refused(str(path), "no such file")
    if path.is_dir():
        found = sorted(path.rglob(f"*{SCENARIOS}"))
    else:
        beside = path if path.name.endswith(SCENARIOS) else path.with_suffix(SCENARIOS)
        found = [beside] if beside.is_file() else []
    if not found:
        raise _refused(str(path), "there are no scenarios here")
    yield from found


def _of_file(known: dict[str, FlowSource], file: Path) -> ScenarioSource:
    text = _read(file)
    process = read_scenarios(name=str(file), text=text).content.flow
    source = known.get(process)
    if source is None:
        raise _refused(str(file), f"no journey of this installation has a flow {process!r}")
    beside = file.with_name(file.name.removesuffix(SCENARIOS) + ".bpmn")
    changed = replace(
        source,
        scenarios=text,
        bpmn=_text(beside, source.bpmn),
        rules={name: _text(file.parent / name, rules) for name, rules in source.rules.items()},
    )
    return ScenarioSource(str(file), process, changed)


def _text(file: Path, otherwise: str) -> str:
    return _read(file) if file.is_file() else otherwise


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        fault = ScenarioFault("", line, "this is not written in UTF-8")
        raise ScenarioRefused(str(file), (fault,)) from error


def _refused(name: str, words: str) -> ScenarioRefused:
    return ScenarioRefused(name, (ScenarioFault("flow", 1, words),))
