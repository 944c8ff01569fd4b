"""Looking flows and files through as publishing does, without a database."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import sentinel.public
from orchestration import bpmn, dmn, journeys
from orchestration.bpmn import DrawingRefused
from orchestration.core.definition import deploy, faults_of
from orchestration.dmn import ModelRefused
from orchestration.durable.entrances import require_startable
from orchestration.durable.named_parts import Known, drawn_findings, named_findings
from orchestration.journeys import FlowSource
from orchestration.output_schemas import checks_of

DRAWING, RULES = ".bpmn", ".dmn"


@dataclass(frozen=True, slots=True)
class FlowFinding:
    """One fault of a file: `severity` is `error` (publishing refuses it) or `warning`."""

    file: str
    line: int
    element: str
    code: str
    severity: str
    words: str


def flow_findings(*, paths: Iterable[Path] = ()) -> tuple[FlowFinding, ...]:
    """List what publishing would find in drawings and rule files, or in every journey without any.

    A drawing of a journey is held against what that journey says; another only against itself.
    Rule files beside it stand in place of the journey's own.

    Raises:
        FileNotFoundError: there is no such file.
    """
    known = {each.process: each for each in journeys.flow_sources()}
    wanted = tuple(paths)
    if not wanted:
        return tuple(found for each in known.values() for found in _of_journey(each, known))
    return tuple(found for path in wanted for file in _files(path) for found in _of(file, known))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(each for each in path.rglob("*") if each.suffix in {DRAWING, RULES})
    if not path.is_file():
        raise FileNotFoundError(str(path))
    return [path]


def _of(file: Path, known: Mapping[str, FlowSource]) -> Iterator[FlowFinding]:
    text = file.read_text(encoding="utf-8")
    if file.suffix == RULES:
        beside = {each.name: each.read_text("utf-8") for each in file.parent.glob(f"*{RULES}")}
        yield from (each for each in _of_rules(beside)[1] if each.file == file.name)
        return
    try:
        drawing = bpmn.parse(text.encode())
    except DrawingRefused as refused:
        yield from _told(str(file), refused.findings)
        return
    for process in [each for each in drawing.processes if each.is_executable] or drawing.processes:
        source = known.get(process.id)
        if source is None:
            context = _known(known)
            found = (*faults_of(process), *drawn_findings(process, context))
            yield from _told(str(file), found)
            continue
        rules = {name: _text(file.parent / name, before) for name, before in source.rules.items()}
        yield from _of_source(str(file), replace(source, bpmn=text, rules=rules), known)


def _text(file: Path, otherwise: str) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else otherwise


def _of_journey(source: FlowSource, known: Mapping[str, FlowSource]) -> Iterator[FlowFinding]:
    file = f"{source.journey}/{source.content.drawing}"
    yield from _of_source(file, source, known)
    yield from _of_rules(source.rules)[1]


def _of_source(
    file: str, source: FlowSource, known: Mapping[str, FlowSource]
) -> Iterator[FlowFinding]:
    checks = checks_of(source.schemas)
    try:
        drawing = bpmn.parse(source.bpmn.encode())
        process = drawing.process(source.process)
        if process is None:
            deploy(drawing, process=source.process)
            return
        rules, _ = _of_rules(source.rules)
        named = tuple(named_findings(source, process, rules, _known(known)))
        yield from _told(file, (*(found := faults_of(process, checks)), *named))
        if all(each.severity is not bpmn.Severity.ERROR for each in found):
            ready = deploy(drawing, process=source.process, checks=checks)
            require_startable(ready, source.content)
    except DrawingRefused as refused:
        yield from _told(file, refused.findings)


def _of_rules(
    files: Mapping[str, str],
) -> tuple[Mapping[str, dmn.Definitions], tuple[FlowFinding, ...]]:
    """Read rule files together; give those that can be read, and what is wrong with any."""
    readable, found = dict(files), []
    for name, text in files.items():
        try:
            dmn.parse(text.encode())
        except ModelRefused as refused:
            del readable[name]
            found += [
                FlowFinding(name, each.line, each.element, each.code, "error", each.words)
                for each in refused.findings
            ]
    rules = dmn.parse_files(readable)
    for name, model in rules.items():
        found += [
            FlowFinding(name, each.line, each.element, each.code, "error", each.words)
            for each in model.findings
        ]
        found += [
            FlowFinding(name, each.line, each.table, each.code, each.severity.value, each.words)
            for each in dmn.analyse(model.model)
            if each.severity is not dmn.Severity.NOTE
        ]
    return rules, tuple(found)


def _known(flows: Mapping[str, FlowSource]) -> Known:
    return Known(sentinel.public.bank_bundle().content.registry.roles, frozenset(flows))


def _told(file: str, findings: Iterable[bpmn.Finding]) -> Iterator[FlowFinding]:
    for each in findings:
        yield FlowFinding(file, each.line, each.element, each.code, each.severity.value, each.words)
