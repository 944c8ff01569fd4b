"""Flows that would call themselves without end, followed through the versions in force."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from orchestration import bpmn
from orchestration.bpmn.errors import Finding, refusal_of
from orchestration.bpmn.expressions import expression_of
from orchestration.bpmn.faults import fault
from orchestration.bpmn.model import Kind, Node, Process
from orchestration.core.definition import Definition, deploy
from orchestration.durable.bindings import numbered_flow
from orchestration.durable.definitions import FlowUnknown
from orchestration.journeys import FlowSource
from orchestration.versions.rollouts import allotment_of

# A process and the version of it that is called: its number, or none for what new work gets.
Called = tuple[str, str]
NEW_WORK = ""


def refuse_cyclic_calls(source: FlowSource, *, beside: Iterable[FlowSource] = ()) -> None:
    """Refuse a flow whose calls come back to itself once it is what new work gets.

    Calls are followed through the versions that new work gets now, those on trial included, and
    through the flows published `beside` it. A process named by an expression is known only as it
    is called; there the depth of calls is what ends it.

    Raises:
        DrawingRefused: they come back (`cyclic_call`), each located at the call that leads there.
    """
    drawings = _Drawings((*beside, source))
    findings = cyclic_calls(drawings.of_source(source.process).process, drawings.of_call)
    if findings:
        raise refusal_of(findings)


def cyclic_calls(
    process: Process, of_call: Callable[[Called], Iterable[Process]]
) -> tuple[Finding, ...]:
    """List the calls of a process that come back to itself; `of_call` says what a call begins."""
    findings = []
    for called, node in _calls_of(process):
        way = _way_back(called, process.id, of_call)
        if way is not None:
            names = " calls ".join(repr(name) for name in (process.id, *way))
            words = f"The process {process.id!r} calls itself without end: {names}."
            findings.append(fault("cyclic_call", node.id, node.line, words))
    return tuple(findings)


class _Drawings:
    """What a call means, in every version it may begin."""

    def __init__(self, sources: Iterable[FlowSource]) -> None:
        self._sources: Mapping[str, FlowSource] = {each.process: each for each in sources}
        self._ready: dict[str, Definition] = {}

    def of_source(self, process: str) -> Definition:
        """Return a drawing that is about to be published."""
        if process not in self._ready:
            text = self._sources[process].bpmn.encode()
            self._ready[process] = deploy(bpmn.parse(text), process=process)
        return self._ready[process]

    def of_call(self, called: Called) -> Iterator[Process]:
        """Return the drawings a call may begin; none where nothing is published."""
        process, version = called
        try:
            if version != NEW_WORK:
                yield numbered_flow(process, version).definition.process
            elif process in self._sources:
                yield self.of_source(process).process
            else:
                allotted = allotment_of(process)
                yield allotted.rule.definition.process
                if allotted.tried is not None:
                    yield allotted.tried.definition.process
        except FlowUnknown:
            return


def _calls_of(process: Process) -> Iterator[tuple[Called, Node]]:
    """List the calls of a drawing whose process is written out."""
    for node in process.nodes.values():
        called, binding = node.work.called, node.work.binding or ""
        if node.kind is Kind.CALL and called and expression_of(called) is None:
            yield (called, binding if binding.isdigit() else NEW_WORK), node


def _way_back(
    start: Called, process: str, of_call: Callable[[Called], Iterable[Process]]
) -> tuple[str, ...] | None:
    """Return the processes called one by the other until new work of this one; None if it ends."""
    seen = {start}
    ways: list[tuple[Called, tuple[str, ...]]] = [(start, (start[0],))]
    while ways:
        called, way = ways.pop()
        if called == (process, NEW_WORK):
            return way
        for drawn in of_call(called):
            for onward, _ in _calls_of(drawn):
                if onward not in seen:
                    seen.add(onward)
                    ways.append((onward, (*way, onward[0])))
    return None
