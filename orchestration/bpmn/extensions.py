"""Our own extension elements of a drawing, found by their namespace."""

from orchestration.markup import Element, child, local_name, namespace

FRONTLINE = "https://frontline.bank/bpmn/1.0"


def extensions(element: Element, *names: str) -> list[Element]:
    """List our extension elements of an element with one of the names."""
    holder = child(element, "extensionElements")
    return [] if holder is None else _ours(holder, names)


def nested_extensions(element: Element, outer: str, name: str) -> list[Element]:
    """List our elements of a name that stand inside an extension element called `outer`."""
    return [each for holder in extensions(element, outer) for each in _ours(holder, (name,))]


def extension(element: Element, name: str) -> dict[str, str]:
    """Give the attributes of the first extension element of a name; empty when there is none."""
    found = extensions(element, name)
    return {str(key): str(value) for key, value in found[0].attrib.items()} if found else {}


def _ours(holder: Element, names: tuple[str, ...]) -> list[Element]:
    return [each for each in holder if namespace(each) == FRONTLINE and local_name(each) in names]
