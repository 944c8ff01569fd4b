"""Whether what a drawing and its content name is there: steps, rules, forms, roles and nodes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sentinel.public
from orchestration import dmn, steps
from orchestration.bpmn.errors import Finding
from orchestration.bpmn.expressions import expression_of
from orchestration.bpmn.faults import fault
from orchestration.bpmn.model import Kind, Node, Process
from orchestration.core.commands import CallKind
from orchestration.journeys import FlowSource

CUSTOMER = "customer"
_PERSON = "person:"
# What the content may say besides what it says at nodes.
_INCIDENT, _ANYWHERE = "incident", "*"


@dataclass(frozen=True, slots=True)
class Known:
    """What a flow may name beyond its own files; without `processes` calls are not looked at."""

    roles: frozenset[str]
    processes: frozenset[str] | None = None


def named_findings(
    source: FlowSource, process: Process, rules: Mapping[str, dmn.Definitions], known: Known
) -> Iterator[Finding]:
    """List what a flow names that is not there, each with its element and line."""
    yield from drawn_findings(process, known)
    for node in process.nodes.values():
        yield from _decision(node, rules)
        if node.kind is Kind.USER:
            yield from _form(node, source)
    yield from _content(source, process, known)


def drawn_findings(process: Process, known: Known) -> Iterator[Finding]:
    """List what a drawing names that is not there, whatever files stand beside it."""
    actions = frozenset(each.kind for each in sentinel.public.action_kinds())
    for node in process.nodes.values():
        yield from _step(node, actions)
        yield from _called(node, known)
        if node.kind is Kind.USER:
            yield from _people(node, known)


def _step(node: Node, actions: frozenset[str]) -> Iterator[Finding]:
    kind, separator, name = (node.work.call or "").partition(":")
    if not separator:
        return
    is_action = kind == CallKind.ACTION
    # What is no kind of call at all is refused for that.
    is_call = kind in set(CallKind)
    is_known = name in actions if is_action else is_call and steps.is_known(CallKind(kind), name)
    if is_call and not is_known:
        words = f"This bank has no step {node.work.call!r}."
        yield fault("step_unknown", node.id, node.line, words)


def _decision(node: Node, rules: Mapping[str, dmn.Definitions]) -> Iterator[Finding]:
    file, _, name = (node.work.decision or "").partition("#")
    if node.kind is not Kind.RULE or not name:
        return
    if file not in rules:
        words = f"The flow has no rules called {file!r}."
        yield fault("decision_unknown", node.id, node.line, words)
    elif not rules[file].has(name):
        words = f"{file} has no decision {name!r}."
        yield fault("decision_unknown", node.id, node.line, words)


def _called(node: Node, known: Known) -> Iterator[Finding]:
    called = node.work.called
    if node.kind is not Kind.CALL or not called or expression_of(called) is not None:
        return
    if known.processes is not None and called not in known.processes:
        words = f"No process {called!r} is published yet."
        yield fault("process_unknown", node.id, node.line, words)


def _people(node: Node, known: Known) -> Iterator[Finding]:
    if expression_of(node.work.roles) is not None:
        return
    roles = _listed(node.work.roles) or _listed(node.lane)
    if not roles:
        words = "No role and no lane says who does this, so nobody can."
        yield fault("nobody_may_do", node.id, node.line, words)
    for role in roles:
        if role not in known.roles:
            words = f"The bank has no role {role!r}, so nobody can do this."
            yield fault("nobody_may_do", node.id, node.line, words)


def _form(node: Node, source: FlowSource) -> Iterator[Finding]:
    key, roles = node.work.form, node.work.roles
    # What the customer is asked is a card, whose kinds are not the flow's.
    if key is None or expression_of(roles) is not None or CUSTOMER in _listed(roles or node.lane):
        return
    if key not in source.forms:
        words = f"The flow has no form called {key!r}."
        yield fault("form_unknown", node.id, node.line, words)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _content(source: FlowSource, process: Process, known: Known) -> Iterator[Finding]:
    content = source.content
    named: tuple[tuple[str, Mapping[str, object], str], ...] = (
        ("says", content.says, _INCIDENT),
        ("notes", content.notes, ""),
        ("cards", content.cards, ""),
        ("states", content.states, ""),
        ("owners", content.owners, _ANYWHERE),
    )
    for place, at_nodes, besides in named:
        for name in at_nodes:
            if name not in process.nodes and name != besides:
                words = f"The {place} of the journey name {name!r}, which is not in the drawing."
                yield fault("node_unknown", name, process.line, words)
    for name, owner in content.owners.items():
        if not owner.startswith(_PERSON) and owner not in known.roles:
            words = f"The bank has no role {owner!r}, so nobody looks when this does not work."
            yield fault("nobody_may_do", name, process.line, words)
