"""Writing drawings: everything that was read stays, understood or not, and single things change.

A drawing is edited as the XML it came as. Diagrams, colours, comments, elements of other
namespaces and the order of everything are kept, because nothing but what an edit names is touched.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from lxml import etree

from orchestration.bpmn.errors import DrawingRefused
from orchestration.bpmn.extensions import FRONTLINE
from orchestration.bpmn.model import Drawing
from orchestration.bpmn.reading import BPMN, SIZE_MAX_BYTES, parse
from orchestration.markup import Element, read_xml


@dataclass(frozen=True, slots=True)
class Named:
    """An element gets another name; an empty one takes its name away."""

    element: str
    name: str


@dataclass(frozen=True, slots=True)
class Documented:
    """An element gets another documentation; an empty text takes it away."""

    element: str
    text: str


@dataclass(frozen=True, slots=True)
class Conditioned:
    """A flow gets another condition; None takes it away."""

    element: str
    condition: str | None


@dataclass(frozen=True, slots=True)
class Defaulted:
    """A gateway or activity gets another default flow; None takes it away."""

    element: str
    flow: str | None


@dataclass(frozen=True, slots=True)
class Extended:
    """An element gets our extension elements of one name: exactly those given, with attributes."""

    element: str
    extension: str
    given: tuple[Mapping[str, str], ...] = field(default=())


Edit = Named | Documented | Conditioned | Defaulted | Extended


def write(drawing: Drawing) -> bytes:
    """Give a drawing as a file: what was read, written anew, with nothing lost."""
    return _file(_tree(drawing))


def edited(drawing: Drawing, edits: Iterable[Edit]) -> Drawing:
    """Give a drawing with some things changed, and everything else as it was.

    Raises:
        DrawingRefused: an edit names an element the drawing does not have, or not once, or gives
            a text no XML can hold.
    """
    root = _tree(drawing)
    for edit in edits:
        element = _element(root, edit.element)
        try:
            _EDITORS[type(edit)](element, edit)
        except ValueError as error:
            words = "A drawing cannot hold this text."
            raise DrawingRefused("text_refused", edit.element, 0, words) from error
    return parse(_file(root))


def _tree(drawing: Drawing) -> Element:
    return read_xml(drawing.xml, size_max_bytes=SIZE_MAX_BYTES, keeps_comments=True)


def _file(root: Element) -> bytes:
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)


def _element(root: Element, identity: str) -> Element:
    found = [each for each in root.iter("{*}*") if each.get("id") == identity]
    if len(found) != 1:
        words = f"The drawing has {len(found)} elements of the id {identity!r}, not one."
        raise DrawingRefused("element_unknown", identity, 0, words)
    return found[0]


def _set(element: Element, attribute: str, value: str | None) -> None:
    if value:
        element.set(attribute, value)
    elif attribute in element.attrib:
        del element.attrib[attribute]


def _name(element: Element, edit: Named) -> None:
    _set(element, "name", edit.name)


def _default(element: Element, edit: Defaulted) -> None:
    _set(element, "default", edit.flow)


def _document(element: Element, edit: Documented) -> None:
    found = element.find(f"{{{BPMN}}}documentation")
    if not edit.text:
        if found is not None:
            _drop(found)
        return
    if found is None:
        found = etree.Element(f"{{{BPMN}}}documentation")
        element.insert(0, found)
    for inner in list(found):
        found.remove(inner)
    found.text = edit.text


def _condition(element: Element, edit: Conditioned) -> None:
    found = element.find(f"{{{BPMN}}}conditionExpression")
    if edit.condition is None:
        if found is not None:
            _drop(found)
        return
    if found is None:
        found = etree.SubElement(element, f"{{{BPMN}}}conditionExpression")
    found.text = edit.condition


def _extend(element: Element, edit: Extended) -> None:
    holder = element.find(f"{{{BPMN}}}extensionElements")
    if holder is None:
        if not edit.given:
            return
        holder = etree.Element(f"{{{BPMN}}}extensionElements")
        element.insert(len(element.findall(f"{{{BPMN}}}documentation")), holder)
    tag = f"{{{FRONTLINE}}}{edit.extension}"
    old = holder.findall(tag)
    place = holder.index(old[0]) if old else len(holder)
    # New ones stand in the white space of the old ones.
    behind = [each.tail for each in old] if all(not (e.tail or "").strip() for e in old) else []
    for each in old:
        _drop(each)
    for offset, attributes in enumerate(edit.given):
        drawn = etree.Element(tag, dict(attributes), nsmap={"frontline": FRONTLINE})
        drawn.tail = behind[min(offset, len(behind) - 1)] if behind else None
        holder.insert(place + offset, drawn)
    if not len(holder):
        _drop(holder)


def _drop(element: Element) -> None:
    """Remove an element, but not the white space that stands behind it."""
    parent = element.getparent()
    assert parent is not None
    behind, before = element.tail or "", element.getprevious()
    if behind.strip():
        if before is None:
            parent.text = (parent.text or "") + behind
        else:
            before.tail = (before.tail or "") + behind
    parent.remove(element)


_EDITORS: dict[type, Callable[..., None]] = {
    Named: _name,
    Documented: _document,
    Conditioned: _condition,
    Defaulted: _default,
    Extended: _extend,
}
