"""The two graphs: a customer's things and relations, and how a case came to its decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import networkx
from django.db import connection, transaction

from nexus import store
from nexus.columns import json_object
from nexus.reducers import NewEdge, NewNode

NODES_MAX = 500


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A thing in a graph, and how many steps it is from where the walk began."""

    id: str
    kind: str
    attributes: Mapping[str, object]
    distance: int


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """A relation between two things of the neighbourhood."""

    source: str
    relation: str
    target: str
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What lies within some steps of one thing; `is_truncated` when more was there than shown."""

    origin: str
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    is_truncated: bool

    def path_between(self, *, start: str, end: str) -> tuple[str, ...]:
        """Return the shortest chain of things from one to another, empty when there is none."""
        graph = networkx.Graph((edge.source, edge.target) for edge in self.edges)
        if start not in graph or end not in graph or not networkx.has_path(graph, start, end):
            return ()
        return tuple(networkx.shortest_path(graph, start, end))


def connect(*, nodes: Sequence[NewNode], edges: Sequence[NewEdge]) -> None:
    """Add what a layer above knows to the Context Graph: cases, messages, documents, steps."""
    # Both or neither, in a caller's transaction too: it cannot go on after either has failed.
    with transaction.atomic(savepoint=False):
        store.write_nodes(nodes=nodes)
        store.write_edges(edges=edges)


def customer_graph(*, customer_id: UUID, steps: int = 2) -> Neighbourhood:
    """Return the Customer State Graph around one customer."""
    return neighbourhood(origin=f"party:{customer_id}", steps=steps)


def case_graph(*, case_id: UUID, steps: int = 3) -> Neighbourhood:
    """Return the Context Graph around one case: what led to it and what came of it."""
    return neighbourhood(origin=f"case:{case_id}", steps=steps)


def neighbourhood(*, origin: str, steps: int) -> Neighbourhood:
    """Return what lies within some steps of a thing, nearest first, at most 500 things."""
    distances = _reach(origin, steps)
    names = list(distances)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source, relation, target, valid_from FROM nexus_edge"
            " WHERE source = ANY(%s) AND target = ANY(%s) ORDER BY id",
            [names, names],
        )
        edges = tuple(GraphEdge(*row) for row in cursor.fetchall())
        cursor.execute("SELECT id, kind, attributes FROM nexus_node WHERE id = ANY(%s)", [names])
        known = {row[0]: row for row in cursor.fetchall()}
    nodes = tuple(
        GraphNode(name, known[name][1], json_object(known[name][2]), distance)
        if name in known
        else GraphNode(name, name.partition(":")[0], {}, distance)
        for name, distance in distances.items()
    )
    return Neighbourhood(origin, nodes, edges, is_truncated=len(names) >= NODES_MAX)


def _reach(origin: str, steps: int) -> dict[str, int]:
    """Walk outwards one ring at a time, each ring one indexed query, until the cap."""
    distances = {origin: 0}
    ring = [origin]
    for distance in range(1, steps + 1):
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT target FROM nexus_edge WHERE source = ANY(%(ring)s)
                UNION
                SELECT source FROM nexus_edge WHERE target = ANY(%(ring)s)
                ORDER BY 1
                """,
                {"ring": ring},
            )
            ring = [name for (name,) in cursor.fetchall() if name not in distances]
        ring = ring[: NODES_MAX - len(distances)]
        distances |= dict.fromkeys(ring, distance)
    return distances
