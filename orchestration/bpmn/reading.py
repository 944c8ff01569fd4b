"""From BPMN 2.0 XML to a drawing. Anything well-formed is read; judging comes later."""

from collections import Counter
from dataclasses import replace

from orchestration.bpmn.drawn_events import Declared
from orchestration.bpmn.elements import NODE_TAGS, deadline_of, read_node
from orchestration.bpmn.errors import DrawingRefused
from orchestration.bpmn.extensions import extensions
from orchestration.bpmn.model import CONTAINERS, Drawing, Flow, Node, Process
from orchestration.markup import (
    Element,
    MarkupRefused,
    children,
    line_of,
    local_name,
    namespace,
    read_xml,
    text_of,
)

SIZE_MAX_BYTES = 2_000_000
BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
ELEMENTS_MAX = 3_000
_CONTAINERS = {kind.value for kind in CONTAINERS}
_DEPTH_MAX = 20


def parse(xml: bytes) -> Drawing:
    """Read a drawing, keeping the file as it is.

    Raises:
        DrawingRefused: the file is too large, is no safe XML, or is no BPMN; the code is the
            reason XML was refused for, `not_bpmn`, `nests_too_deeply` or `too_many_elements`.
    """
    try:
        root = read_xml(xml, size_max_bytes=SIZE_MAX_BYTES)
    except MarkupRefused as error:
        raise DrawingRefused(error.why, "", error.line, error.reason) from error
    if local_name(root) != "definitions" or namespace(root) != BPMN:
        raise DrawingRefused("not_bpmn", "", line_of(root), "The file is not a BPMN 2.0 drawing.")
    declared = Declared.of(root)
    processes = tuple(_process(each, declared) for each in children(root, "process"))
    pools = tuple(
        each.get("name") or each.get("id") or ""
        for collaboration in children(root, "collaboration")
        for each in children(collaboration, "participant")
    )
    return Drawing(
        id=root.get("id") or "",
        name=root.get("name") or "",
        processes=processes,
        xml=xml,
        pools=pools,
        kept=_kept(root),
    )


def _kept(root: Element) -> dict[str, int]:
    kept = {"dataObjectReference", "dataStoreReference", "textAnnotation", "group", "messageFlow"}
    return dict(Counter(name for name in map(local_name, root.iter()) if name in kept))


def _process(element: Element, declared: Declared) -> Process:
    reader = _Reader(declared)
    identity = element.get("id") or ""
    reader.read_lanes(element, 0)
    reader.read_container(element, identity, 0)
    return Process(
        id=identity,
        name=element.get("name") or "",
        is_executable=element.get("isExecutable") == "true",
        line=line_of(element),
        nodes=reader.connected_nodes(),
        flows=reader.flows,
        lanes=tuple(dict.fromkeys(reader.lanes.values())),
        handlers=reader.handlers(),
        repeated=tuple(reader.repeated),
        variables=tuple(each.get("name") or "" for each in extensions(element, "variable")),
        deadline=deadline_of(element),
    )


class _Reader:
    """Collects the nodes and flows of one process, of every depth."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self.nodes: dict[str, Node] = {}
        self.flows: dict[str, Flow] = {}
        self.lanes: dict[str, str] = {}
        self.associations: list[tuple[str, str]] = []
        self.repeated: list[tuple[str, int]] = []

    def read_lanes(self, element: Element, depth: int) -> None:
        """Note for every node in a lane the lane's name; an inner lane wins."""
        _refuse_depth(element, depth)
        for lane_set in children(element, "laneSet", "childLaneSet"):
            for lane in children(lane_set, "lane"):
                name = lane.get("name") or lane.get("id") or ""
                for reference in children(lane, "flowNodeRef"):
                    self.lanes[text_of(reference)] = name
                self.read_lanes(lane, depth + 1)

    def read_container(self, element: Element, container: str, depth: int) -> None:
        """Read the nodes and flows of a process or sub-process."""
        _refuse_depth(element, depth)
        for child in element:
            tag = local_name(child)
            if tag in NODE_TAGS:
                node = read_node(child, container, self.declared)
                self._note(node.id, node.line)
                self.nodes.setdefault(node.id, node)
                if tag in _CONTAINERS:
                    self.read_container(child, node.id, depth + 1)
            elif tag == "sequenceFlow":
                flow = _flow(child, container)
                self._note(flow.id, flow.line)
                self.flows.setdefault(flow.id, flow)
            elif tag == "association":
                self.associations.append((child.get("sourceRef", ""), child.get("targetRef", "")))

    def _note(self, identity: str, line: int) -> None:
        if identity in self.nodes or identity in self.flows:
            self.repeated.append((identity, line))
        if len(self.nodes) + len(self.flows) >= ELEMENTS_MAX:
            words = f"A process has at most {ELEMENTS_MAX} nodes and flows."
            raise DrawingRefused("too_many_elements", identity, line, words)

    def connected_nodes(self) -> dict[str, Node]:
        """Give the nodes with their flows and lanes filled in."""
        incoming: dict[str, list[str]] = {}
        outgoing: dict[str, list[str]] = {}
        for flow in self.flows.values():
            incoming.setdefault(flow.target, []).append(flow.id)
            outgoing.setdefault(flow.source, []).append(flow.id)
        return {
            identity: replace(
                node,
                incoming=tuple(incoming.get(identity, ())),
                outgoing=tuple(outgoing.get(identity, ())),
                lane=self.lanes.get(identity),
            )
            for identity, node in self.nodes.items()
        }

    def handlers(self) -> dict[str, str]:
        """Give for each node an association leaves the activity it points to."""
        return {
            source: target
            for source, target in self.associations
            if source in self.nodes and target in self.nodes
        }


def _refuse_depth(element: Element, depth: int) -> None:
    if depth > _DEPTH_MAX:
        words = "Sub-processes and lanes nest at most 20 deep."
        raise DrawingRefused("nests_too_deeply", element.get("id", ""), line_of(element), words)


def _flow(element: Element, container: str) -> Flow:
    drawn = next(iter(children(element, "conditionExpression")), None)
    condition = None if drawn is None else text_of(drawn)
    return Flow(
        id=element.get("id") or "",
        name=element.get("name") or "",
        source=element.get("sourceRef") or "",
        target=element.get("targetRef") or "",
        condition=condition or None,
        container=container,
        line=line_of(element),
        language=None if drawn is None else drawn.get("language"),
    )
