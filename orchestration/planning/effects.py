"""Which actions a flow performs, read from its drawing: what a plan is asked about beforehand."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestration.bpmn.graph import following, reached
from orchestration.bpmn.model import Kind, Node, Process
from orchestration.durable.definitions import PublishedFlow

_ACTION = "action:"
_DONE = "done"


@dataclass(frozen=True, slots=True)
class Effect:
    """An action at a node; `is_needed` says that without it the request is not done at all."""

    kind: str
    node: Node
    is_needed: bool


def effects_of(flow: PublishedFlow) -> tuple[Effect, ...]:
    """Return the actions a flow may perform on its way, in the order of its drawing.

    What only undoes others is none of them: it stands beside the way.
    """
    process = flow.definition.process
    starts = [
        each.id
        for each in process.nodes.values()
        if each.kind is Kind.START and each.container == process.id
    ]
    done = frozenset(end for end, state in flow.content.states.items() if state == _DONE)
    on_the_way = reached(starts, following(process))
    return tuple(
        Effect(
            kind=(node.work.call or "").removeprefix(_ACTION),
            node=node,
            is_needed=_is_needed(process, outermost, starts, done),
        )
        for node in _acting(process)
        if (outermost := _outermost(process, node)).id in on_the_way
    )


def _acting(process: Process) -> Iterator[Node]:
    for node in process.nodes.values():
        if (node.work.call or "").startswith(_ACTION) and not node.is_for_compensation:
            yield node


def _outermost(process: Process, node: Node) -> Node:
    """Return the activity of the process itself in which a node stands, or the node."""
    while node.container != process.id and node.container in process.nodes:
        node = process.nodes[node.container]
    return node


def _is_needed(process: Process, node: Node, starts: list[str], done: frozenset[str]) -> bool:
    """Tell whether no end that counts as done is reached when this one does not succeed.

    It is left by the events at its border then, never by the flow that leads out of it.
    """
    ways = following(process)
    ways[node.id] = tuple(
        each for each in ways[node.id] if process.nodes[each].attached_to == node.id
    )
    return done.isdisjoint(reached(starts, ways))
