"""Looking flows and files through as publishing does, without a database."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import sentinel.public
from orchestration import bpmn, dmn, journeys
from orchestration.bpmn import DrawingRefused
from orchestration.bpmn.model import Process
from orchestration.core.definition import deploy, faults_of
from orchestration.dmn import ModelRefused
from orchestration.durable.entrances import require_startable
from orchestration.durable.named_parts import Known, drawn_findings, named_findings
from orchestration.journeys import FlowSource
from orchestration.output_schemas import checks_of
from orchestration.versions.cyclic_calls import NEW_WORK, cyclic_calls

DRAWING, RULES = ".bpmn", ".dmn"
_NOT_UTF8 = "The file is not written in UTF-8. Save it in that encoding."


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
    files = [file for path in wanted for file in _files(path)]
    called = _Called(known, files)
    if not wanted:
        return tuple(found for each in known.values() for found in _of_journey(each, called))
    return tuple(found for file in files for found in _of(file, called))


class _Called:
    """What a call begins: a drawing that is looked through, otherwise that of a journey."""

    def __init__(self, known: Mapping[str, FlowSource], files: Iterable[Path]) -> None:
        self.known = known
        self._drawn: dict[str, Process | None] = {}
        for file in files:
            with suppress(DrawingRefused, _NotUtf8):
                if file.suffix == DRAWING:
                    drawing = bpmn.parse(_text(file).encode())
                    self._drawn |= {each.id: each for each in drawing.processes}

    def cycles(self, process: Process) -> tuple[bpmn.Finding, ...]:
        """List the calls of a process that come back to itself without end."""
        return cyclic_calls(process, self._of_call)

    def _of_call(self, called: tuple[str, str]) -> Iterator[Process]:
        name, version = called
        # What an earlier version draws is known only where it was published.
        found = self._process(name) if version == NEW_WORK else None
        if found is not None:
            yield found

    def _process(self, name: str) -> Process | None:
        if name not in self._drawn:
            self._drawn[name] = None
            with suppress(DrawingRefused):
                if name in self.known:
                    drawing = bpmn.parse(self.known[name].bpmn.encode())
                    self._drawn[name] = drawing.process(name)
        return self._drawn[name]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(each for each in path.rglob("*") if each.suffix in {DRAWING, RULES})
    if not path.is_file():
        raise FileNotFoundError(str(path))
    return [path]


class _NotUtf8(ValueError):
    """A file is written in another encoding."""

    code = "not_utf8"
    is_retryable = False

    def __init__(self, file: str, line: int) -> None:
        super().__init__(file, line)
        self.file, self.line = file, line


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _NotUtf8(str(file), file.read_bytes()[: error.start].count(b"\n") + 1) from error


def _of(file: Path, called: _Called) -> Iterator[FlowFinding]:
    try:
        yield from _of_rule_file(file) if file.suffix == RULES else _of_drawing(file, called)
    except _NotUtf8 as error:
        yield FlowFinding(error.file, error.line, "", error.code, "error", _NOT_UTF8)


def _of_rule_file(file: Path) -> Iterator[FlowFinding]:
    beside = {file.name: _text(file)}
    for other in file.parent.glob(f"*{RULES}"):
        # One that cannot be read is told when it is looked through itself.
        with suppress(_NotUtf8):
            beside[other.name] = _text(other)
    yield from (each for each in _of_rules(beside)[1] if each.file == file.name)


def _of_drawing(file: Path, called: _Called) -> Iterator[FlowFinding]:
    text = _text(file)
    try:
        drawing = bpmn.parse(text.encode())
    except DrawingRefused as refused:
        yield from _told(str(file), refused.findings)
        return
    for process in [each for each in drawing.processes if each.is_executable] or drawing.processes:
        source = called.known.get(process.id)
        if source is None:
            context = _known(called.known)
            found = (*faults_of(process), *drawn_findings(process, context))
            yield from _told(str(file), (*found, *called.cycles(process)))
            continue
        rules = dict(source.rules)
        for name in rules:
            if (file.parent / name).is_file():
                rules[name] = _text(file.parent / name)
        yield from _of_source(str(file), replace(source, bpmn=text, rules=rules), called)


def _of_journey(source: FlowSource, called: _Called) -> Iterator[FlowFinding]:
    file = f"{source.journey}/{source.content.drawing}"
    yield from _of_source(file, source, called)
    yield from _of_rules(source.rules)[1]


def _of_source(file: str, source: FlowSource, called: _Called) -> Iterator[FlowFinding]:
    checks = checks_of(source.schemas)
    try:
        drawing = bpmn.parse(source.bpmn.encode())
        process = drawing.process(source.process)
        if process is None:
            deploy(drawing, process=source.process)
            return
        rules, _ = _of_rules(source.rules)
        named = tuple(named_findings(source, process, rules, _known(called.known)))
        found = faults_of(process, checks)
        yield from _told(file, (*found, *named, *called.cycles(process)))
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
