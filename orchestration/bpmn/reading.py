"""From BPMN 2.0 XML to a drawing. Anything well-formed is read; judging comes later."""

from collections import Counter

from orchestration.bpmn.elements import NODE_TAGS, Definitions, read_node
from orchestration.bpmn.errors import DrawingRefused
from orchestration.bpmn.model import Drawing, Flow, Node, Process
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
_CONTAINERS = {"subProcess", "transaction", "adHocSubProcess"}
_DEPTH_MAX = 20


def parse(xml: bytes) -> Drawing:
    """Read a drawing, keeping the file as it is.

    Raises:
        DrawingRefused: the file is too large, is no safe XML, or is no BPMN.
    """
    try:
        root = read_xml(xml, size_max_bytes=SIZE_MAX_BYTES)
    except MarkupRefused as error:
        raise DrawingRefused("not_readable", "", error.line, error.reason) from error
    if local_name(root) != "definitions" or namespace(root) != BPMN:
        raise DrawingRefused("not_bpmn", "", line_of(root), "The file is not a BPMN 2.0 drawing.")
    definitions = Definitions.of(root)
    processes = tuple(_process(each, definitions) for each in children(root, "process"))
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


def _process(element: Element, definitions: Definitions) -> Process:
    reader = _Reader(definitions)
    identity = element.get("id") or ""
    reader.read_lanes(element)
    reader.read_container(element, identity, 0)
    return Process(
        id=identity,
        name=element.get("name") or "",
        is_executable=element.get("isExecutable") == "true",
        line=line_of(element),
        nodes=reader.connected_nodes(),
        flows={flow.id: flow for flow in reader.flows},
        lanes=tuple(dict.fromkeys(reader.lanes.values())),
        handlers=reader.handlers(),
        repeated=tuple(reader.repeated),
    )


class _Reader:
    """Collects the nodes and flows of one process, of every depth."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.nodes: dict[str, Node] = {}
        self.flows: list[Flow] = []
        self.lanes: dict[str, str] = {}
        self.associations: list[tuple[str, str]] = []
        self.repeated: list[tuple[str, int]] = []

    def read_lanes(self, element: Element) -> None:
        """Note for every node in a lane the lane's name; an inner lane wins."""
        for lane_set in children(element, "laneSet", "childLaneSet"):
            for lane in children(lane_set, "lane"):
                name = lane.get("name") or lane.get("id") or ""
                for reference in children(lane, "flowNodeRef"):
                    self.lanes[text_of(reference)] = name
                self.read_lanes(lane)

    def read_container(self, element: Element, container: str, depth: int) -> None:
        """Read the nodes and flows of a process or sub-process."""
        if depth > _DEPTH_MAX:
            words = "Sub-processes nest too deeply."
            raise DrawingRefused("nests_too_deeply", container, line_of(element), words)
        for child in element:
            tag = local_name(child)
            if tag in NODE_TAGS:
                node = read_node(child, container, self.definitions)
                if node.id in self.nodes:
                    self.repeated.append((node.id, node.line))
                self.nodes.setdefault(node.id, node)
                if tag in _CONTAINERS:
                    self.read_container(child, node.id, depth + 1)
            elif tag == "sequenceFlow":
                self._add_flow(_flow(child, container))
            elif tag == "association":
                self.associations.append((child.get("sourceRef", ""), child.get("targetRef", "")))

    def _add_flow(self, flow: Flow) -> None:
        if any(flow.id == each.id for each in self.flows) or flow.id in self.nodes:
            self.repeated.append((flow.id, flow.line))
        self.flows.append(flow)

    def connected_nodes(self) -> dict[str, Node]:
        """Give the nodes with their flows and lanes filled in."""
        return {identity: self._connected(node) for identity, node in self.nodes.items()}

    def _connected(self, node: Node) -> Node:
        values = {name: getattr(node, name) for name in Node.__slots__}
        values["incoming"] = tuple(flow.id for flow in self.flows if flow.target == node.id)
        values["outgoing"] = tuple(flow.id for flow in self.flows if flow.source == node.id)
        values["lane"] = self.lanes.get(node.id)
        return Node(**values)

    def handlers(self) -> dict[str, str]:
        """Give for each node an association leaves the activity it points to."""
        return {
            source: target
            for source, target in self.associations
            if source in self.nodes and target in self.nodes
        }


def _flow(element: Element, container: str) -> Flow:
    condition = next((text_of(each) for each in children(element, "conditionExpression")), None)
    return Flow(
        id=element.get("id") or "",
        name=element.get("name") or "",
        source=element.get("sourceRef") or "",
        target=element.get("targetRef") or "",
        condition=condition or None,
        container=container,
        line=line_of(element),
    )
