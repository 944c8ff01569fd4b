"""Whether every input of an activity can exist by the time a token comes to it."""

from collections.abc import Iterator, Mapping, Sequence

from orchestration.bpmn.errors import Finding
from orchestration.bpmn.expressions import expression_of
from orchestration.bpmn.faults import fault
from orchestration.bpmn.graph import following, turned
from orchestration.bpmn.model import ACTIVITIES, Assignment, Kind, Node, Process
from orchestration.feel import FeelSyntaxError, compile_expression


def check_inputs(process: Process, names: frozenset[str]) -> Iterator[Finding]:
    """Find inputs that name what is not set on every way there, and are not said to be optional.

    Only a process that declares what it begins with can be looked at so; what stands in a container
    may be given variables by it, and is left alone.
    """
    if not process.variables:
        return
    setters = _setters(process)
    ways = following(process)
    for node in process.nodes.values():
        if node.kind not in ACTIVITIES or node.container != process.id:
            continue
        for each in node.work.inputs:
            for name in () if each.is_optional else sorted(_named_in(each, names)):
                if name in setters and _comes_unset(process, node, setters[name], ways):
                    words = (
                        f"On a way to it nothing has set {name!r}, which the input {each.name!r}"
                        " needs. Say optional=true where it may be missing."
                    )
                    yield fault("input_may_be_missing", node.id, each.line, words)


def _named_in(each: Assignment, names: frozenset[str]) -> set[str]:
    if each.value is None:
        return {each.name}
    feel = expression_of(each.value)
    if feel is None:
        return set()
    try:
        return {path[0] for path in compile_expression(feel, names=names).reads}
    except FeelSyntaxError:
        return set()  # It is found where expressions are looked at.


def _setters(process: Process) -> Mapping[str, frozenset[str]]:
    """Give, for every variable the process does not begin with, the nodes that set it."""
    found: dict[str, set[str]] = {}
    for node in process.nodes.values():
        loop = node.loop
        set_here = {each.name for each in node.work.outputs} | {
            node.work.result or "",
            (loop.into or "") if loop else "",
        }
        for name in set_here - {"", *process.variables}:
            found.setdefault(name, set()).add(_outermost(process, node))
    return {name: frozenset(nodes) for name, nodes in found.items()}


def _outermost(process: Process, node: Node) -> str:
    while node.container != process.id and node.container in process.nodes:
        node = process.nodes[node.container]
    return node.id


def _comes_unset(
    process: Process, node: Node, setters: frozenset[str], ways: Mapping[str, tuple[str, ...]]
) -> bool:
    """Tell whether a token can come to a node without passing any that sets a variable.

    What leaves by an event at the border of an activity has not set what that activity sets.
    """
    sources = turned(ways)
    unset = {
        each.id
        for each in process.nodes.values()
        if each.container == process.id and not each.incoming and each.attached_to is None
    }
    is_growing = True
    while is_growing:
        come = {
            each.id
            for each in process.nodes.values()
            if each.id not in unset and _enters(each, sources.get(each.id, ()), unset, setters)
        }
        unset |= come
        is_growing = bool(come)
    return node.id in unset


def _enters(node: Node, sources: Sequence[str], unset: set[str], setters: frozenset[str]) -> bool:
    """Tell whether a token comes to a node unset; a parallel one waits for all its ways."""
    ways = [each in unset and (each not in setters or node.attached_to == each) for each in sources]
    return any(ways) and (all(ways) or node.kind is not Kind.PARALLEL)
