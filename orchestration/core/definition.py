"""A process made ready to run: expressions compiled, and the drawing indexed for the core."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from orchestration.bpmn.errors import DrawingRefused, Finding, Severity, refusal_of
from orchestration.bpmn.expressions import expression_texts, names_in_scope
from orchestration.bpmn.faults import fault
from orchestration.bpmn.graph import following, link_targets, reached, turned
from orchestration.bpmn.lint import check_process
from orchestration.bpmn.model import ACTIVITIES, Drawing, EventType, Flow, Kind, Node, Process
from orchestration.feel import Expression, compile_expression
from orchestration.feel.values import FeelValue

# From an incoming flow of a join to the nodes whose tokens may still arrive by it.
Reach = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class AnswerFault:
    """Where an answer is not what it must be, and which rule it breaks; never what stood there."""

    place: str
    rule: str


# Finds the faults of what a called step has answered; pure.
AnswerCheck = Callable[[Mapping[str, FeelValue]], tuple[AnswerFault, ...]]


@dataclass(frozen=True, slots=True)
class Definition:
    """One executable process of a drawing; `digest` is the SHA-256 of the whole file.

    `starts` and `event_starts` give by container its start events and those of the event
    sub-processes in it, `offers` the activities an ad-hoc sub-process lets one choose, `links` the
    catching link of a throwing one. `checks` look at what called steps
    answer, by the name of the schema their node asks for.
    """

    process: Process
    digest: str
    expressions: Mapping[str, Expression]
    outgoing: Mapping[str, tuple[Flow, ...]]
    boundaries: Mapping[str, tuple[Node, ...]]
    starts: Mapping[str, tuple[Node, ...]]
    event_starts: Mapping[str, tuple[Node, ...]]
    offers: Mapping[str, tuple[str, ...]]
    links: Mapping[str, str]
    reach: Mapping[str, Reach]
    checks: Mapping[str, AnswerCheck]

    def node(self, node_id: str) -> Node:
        """Give a node by its id, which must be one of this process."""
        return self.process.nodes[node_id]

    def handler_of(self, activity: str) -> str | None:
        """Give what undoes an activity: the handler drawn at it, or an event sub-process in it."""
        for boundary in self.boundaries.get(activity, ()):
            if boundary.event.type is EventType.COMPENSATION:
                return self.process.handlers.get(boundary.id)
        for start in self.event_starts.get(activity, ()):
            if start.event.type is EventType.COMPENSATION:
                return start.container
        return None


def deploy(
    drawing: Drawing,
    *,
    process: str | None = None,
    checks: Mapping[str, AnswerCheck] | None = None,
    is_published: bool = False,
) -> Definition:
    """Make a process of a drawing ready to run; without a name, its only executable one.

    Without `checks` the drawing is only looked at: whether its schemas are there is not asked.
    What `is_published` was looked through then, and is not refused for a fault known since.

    Raises:
        DrawingRefused: the process cannot be run; `findings` names every fault with its place.
    """
    chosen = drawing.process(process)
    if chosen is None:
        words = "The drawing has no such process, or more than one to choose from."
        raise DrawingRefused("no_process", process or drawing.id, 0, words)
    if not is_published:
        _refuse_faulty(chosen, checks)
    return _index(chosen, sha256(drawing.xml).hexdigest(), checks or {})


def _refuse_faulty(process: Process, checks: Mapping[str, AnswerCheck] | None) -> None:
    errors = tuple(each for each in faults_of(process, checks) if each.severity is Severity.ERROR)
    if errors:
        raise refusal_of(errors)


def faults_of(
    process: Process, checks: Mapping[str, AnswerCheck] | None = None
) -> tuple[Finding, ...]:
    """List everything wrong or doubtful in a process and in the schemas it names."""
    return (*check_process(process), *_schemas_unknown(process, checks))


def _schemas_unknown(
    process: Process, checks: Mapping[str, AnswerCheck] | None
) -> Iterator[Finding]:
    for node in process.nodes.values():
        named = node.work.schema
        if checks is not None and named is not None and named not in checks:
            words = f"The flow has no schema called {named!r}."
            yield fault("schema_unknown", node.id, node.line, words)


def _index(process: Process, digest: str, checks: Mapping[str, AnswerCheck]) -> Definition:
    nodes = process.nodes
    names = names_in_scope(process)
    expressions = {
        text: compile_expression(text, names=names) for text, _ in expression_texts(process)
    }
    return Definition(
        process=process,
        digest=digest,
        expressions=expressions,
        outgoing={
            node.id: tuple(process.flows[flow] for flow in node.outgoing) for node in nodes.values()
        },
        boundaries=_grouped((node.attached_to, node) for node in nodes.values()),
        starts=_grouped(
            (node.container, node) for node in nodes.values() if node.kind is Kind.START
        ),
        event_starts=_grouped(
            (nodes[node.container].container, node)
            for node in nodes.values()
            if node.kind is Kind.START
            and node.container in nodes
            and nodes[node.container].is_event_sub_process
        ),
        offers={
            node.id: _offers_of(process, node) for node in nodes.values() if node.ad_hoc is not None
        },
        links=link_targets(process),
        reach={
            node.id: _reach_of(process, node)
            for node in nodes.values()
            if node.kind in {Kind.INCLUSIVE, Kind.COMPLEX} and len(node.incoming) > 1
        },
        checks=checks,
    )


def _offers_of(process: Process, ad_hoc: Node) -> tuple[str, ...]:
    return tuple(
        node.id
        for node in process.nodes.values()
        if node.container == ad_hoc.id
        and node.kind in ACTIVITIES
        and node.is_in_flow
        and not node.incoming
    )


def _grouped(pairs: Iterator[tuple[str | None, Node]]) -> dict[str, tuple[Node, ...]]:
    grouped: dict[str, tuple[Node, ...]] = {}
    for key, node in pairs:
        if key is not None:
            grouped[key] = (*grouped.get(key, ()), node)
    return grouped


def _reach_of(process: Process, join: Node) -> dict[str, frozenset[str]]:
    """Find for every incoming flow the nodes from which it can be reached around the join."""
    before = turned(following(process, around=join.id))
    return {flow: reached({process.flows[flow].source}, before) for flow in join.incoming}
