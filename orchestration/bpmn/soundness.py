"""Where tokens would wait for ever, or run on twice, found by playing every choice of a drawing.

Conditions count as open: every way they could go is followed. Only one order of what happens side
by side is followed, because none of it can take a token from the other. What is found on no way at
all is certain; what some way leads to is a doubt.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, combinations

from orchestration.bpmn.errors import Finding
from orchestration.bpmn.expressions import condition_of
from orchestration.bpmn.faults import fault
from orchestration.bpmn.graph import following, insides, link_targets, reached, turned
from orchestration.bpmn.model import EventType, Kind, Node, Process

_MARKINGS_MAX = 2_000
_WAYS_MAX = 6
_PLACES_MAX = 60
_STOPS = {EventType.TERMINATE, EventType.ERROR, EventType.CANCEL}

# The flows that hold a token, sorted; a flow stands as often as it holds one.
Marking = tuple[str, ...]
Ways = tuple[tuple[str, ...], ...]


def check_tokens(process: Process) -> Iterator[Finding]:
    """Find joins that never open, joins that may not open, and meetings that multiply tokens."""
    for container, nodes in insides(process).items():
        play = _Play(process, nodes)
        yield from play.findings()
        if not play.is_whole:
            line = process.nodes[container].line if container in process.nodes else process.line
            words = "There are too many ways through this to look at every one."
            yield fault("not_judged_wholly", container, line, words)


@dataclass
class _Play:
    """One container, played from each of its starts until nothing new comes up."""

    process: Process
    nodes: tuple[Node, ...]
    opened: set[str] = field(default_factory=set)
    starved: set[str] = field(default_factory=set)
    multiplied: set[str] = field(default_factory=set)
    is_whole: bool = True

    def __post_init__(self) -> None:
        self.own = {node.id for node in self.nodes}
        self.links = link_targets(self.process)
        self.reach = {
            node.id: self._reach_of(node)
            for node in self.nodes
            if node.kind is Kind.INCLUSIVE and len(node.incoming) > 1
        }

    def _reach_of(self, join: Node) -> dict[str, frozenset[str]]:
        before = turned(following(self.process, around=join.id))
        return {flow: reached({self.process.flows[flow].source}, before) for flow in join.incoming}

    def findings(self) -> Iterator[Finding]:
        """Play from every start and say what was found."""
        starts = [node for node in self.nodes if node.kind is Kind.START]
        # Every start is played, also when one before it could not be played to its end.
        self.is_whole = sum(not self._explore(start) for start in starts) == 0
        # What no playing can reach may still show by how it is drawn.
        drawn = set() if self.is_whole else {each.id for each in self.nodes if self._is_dead(each)}
        for identity in sorted(self.starved | drawn):
            node = self.process.nodes[identity]
            if identity in drawn or (self.is_whole and identity not in self.opened):
                words = "This join waits for ways that are never taken together."
                yield fault("dead_join", identity, node.line, words)
            else:
                words = "On some way this join waits for a token that never comes."
                yield fault("deadlock_possible", identity, node.line, words)
        for identity in sorted(self.multiplied):
            node = self.process.nodes[identity]
            words = "Ways taken side by side meet here unjoined: what follows runs for each."
            yield fault("token_multiplies", identity, node.line, words)

    def _is_dead(self, node: Node) -> bool:
        """Tell whether all ways into a parallel join come straight from one choice."""
        if node.kind is not Kind.PARALLEL or len(node.incoming) < 2:
            return False
        sources = {self._choice_before(flow) for flow in node.incoming}
        return len(sources) == 1 and None not in sources

    def _choice_before(self, flow: str) -> str | None:
        """Go back over plain nodes to the choice a flow comes from, if it comes from one."""
        seen: set[str] = set()
        node = self.process.nodes.get(self.process.flows[flow].source)
        while node is not None and node.id not in seen:
            if node.kind in {Kind.EXCLUSIVE, Kind.EVENT_BASED} and len(node.outgoing) > 1:
                return node.id
            if len(node.incoming) != 1 or len(node.outgoing) != 1:
                return None
            seen.add(node.id)
            node = self.process.nodes.get(self.process.flows[node.incoming[0]].source)
        return None

    def _explore(self, start: Node) -> bool:
        """Play every choice; say whether all of them could be."""
        first = [tuple(sorted(way)) for way in self._ways_out(start)]
        seen: set[Marking] = set(first)
        open_markings = list(seen)
        while open_markings:
            if len(seen) > _MARKINGS_MAX:
                return False
            for after in self._next(open_markings.pop()):
                if len(after) <= _PLACES_MAX and after not in seen:
                    seen.add(after)
                    open_markings.append(after)
        return True

    def _next(self, marking: Marking) -> Iterator[Marking]:
        targets = {flow: self._target(flow) for flow in marking}
        merging = [flow for flow in marking if self._is_merge(targets[flow])]
        plain = [flow for flow, node in targets.items() if not self._is_meeting(node)]
        if plain:
            yield from self._fire(marking, (plain[0],), targets[plain[0]])
            return
        full = self._full_join(marking)
        if full is not None:
            yield from self._fire(marking, full.incoming, full)
        elif merging:
            yield from self._merge(marking, merging, targets)
        else:
            yield from self._last(marking, targets)

    def _target(self, flow: str) -> Node | None:
        # A flow across a border, or to nowhere, is refused for itself and is not followed here.
        node = self.process.nodes.get(self.process.flows[flow].target)
        return node if node is not None and node.id in self.own else None

    def _is_join(self, node: Node | None) -> bool:
        is_joining = node is not None and node.kind in {Kind.PARALLEL, Kind.INCLUSIVE}
        return is_joining and node is not None and len(node.incoming) > 1

    def _is_meeting(self, node: Node | None) -> bool:
        return node is not None and len(node.incoming) > 1 and node.kind is not Kind.END

    def _is_merge(self, node: Node | None) -> bool:
        return self._is_meeting(node) and not self._is_join(node)

    def _full_join(self, marking: Marking) -> Node | None:
        held = set(marking)
        return next(
            (
                node
                for node in self.nodes
                if node.kind is Kind.PARALLEL
                and len(node.incoming) > 1
                and held.issuperset(node.incoming)
            ),
            None,
        )

    def _merge(
        self, marking: Marking, merging: list[str], targets: dict[str, Node | None]
    ) -> Iterator[Marking]:
        node = targets[merging[0]]
        assert node is not None
        here = [flow for flow in merging if targets[flow] is node]
        if node.kind is Kind.COMPLEX:
            # Whether it opens is for its own condition to say: it may, or it takes them in.
            yield tuple(flow for flow in marking if flow not in here)
        elif len(here) > 1:
            # Said once; played on as if they were one, so that the rest can be judged.
            self.multiplied.add(node.id)
        yield from self._fire(marking, tuple(here), node)

    def _last(self, marking: Marking, targets: dict[str, Node | None]) -> Iterator[Marking]:
        """Open an inclusive join nothing more can come to; else everything here is stuck."""
        for node in {node.id: node for node in targets.values() if node is not None}.values():
            if node.kind is Kind.INCLUSIVE and not self._is_awaited(marking, node):
                held = tuple(flow for flow in node.incoming if flow in marking)
                yield from self._fire(marking, held, node)
                return
        self.starved |= {node.id for node in targets.values() if node is not None}

    def _is_awaited(self, marking: Marking, join: Node) -> bool:
        reach = self.reach[join.id]
        arrived = {flow for flow in join.incoming if flow in marking}
        covered = set(chain.from_iterable(reach[flow] for flow in arrived))
        others = {self.process.flows[flow].target for flow in marking} - {join.id}
        return any(
            node in nodes and node not in covered
            for flow, nodes in reach.items()
            if flow not in arrived
            for node in others
        )

    def _fire(
        self, marking: Marking, used: tuple[str, ...], node: Node | None
    ) -> Iterator[Marking]:
        if node is None:
            return
        if self._is_join(node):
            self.opened.add(node.id)
        left = Counter(marking)
        left.subtract(used)
        rest = tuple((+left).elements())
        if node.kind is Kind.END and any(event.type in _STOPS for event in node.events):
            return
        for way in self._ways_out(node):
            yield tuple(sorted((*rest, *way)))

    def _ways_out(self, node: Node) -> Ways:
        """List the sets of flows a node may send tokens along."""
        if node.id in self.links:
            return self._ways_out(self.process.nodes[self.links[node.id]])
        ways = self._own_ways(node)
        for boundary in self.nodes:
            if boundary.attached_to == node.id and boundary.outgoing:
                beside = self._own_ways(boundary)
                together = tuple((*way, *other) for way in ways for other in beside)
                ways += beside if boundary.is_interrupting else together
        return ways or ((),)

    def _own_ways(self, node: Node) -> Ways:
        out = node.outgoing
        if node.kind in {Kind.EXCLUSIVE, Kind.EVENT_BASED}:
            return tuple((flow,) for flow in out)
        always = tuple(flow for flow in out if self._is_always(node, flow))
        decided = tuple(flow for flow in out if flow not in always)
        if node.kind is Kind.PARALLEL or not decided:
            return (out,)
        sizes = range(0 if always else 1, len(decided) + 1)
        if len(decided) > _WAYS_MAX:
            sizes = range(1, 2)
        chosen = chain.from_iterable(combinations(decided, size) for size in sizes)
        return tuple((*always, *some) for some in chosen)

    def _is_always(self, node: Node, flow: str) -> bool:
        is_deciding = node.kind is Kind.INCLUSIVE or flow == node.default_flow
        return not is_deciding and condition_of(self.process.flows[flow]) is None
