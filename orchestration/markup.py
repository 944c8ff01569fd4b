"""Reading XML that people upload: small, without DTDs, entities or the network."""

from lxml import etree

Element = etree._Element


class MarkupRefused(ValueError):
    """The file is too large, is no XML, or holds a document type."""

    code = "markup_refused"
    is_retryable = False

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason, line)
        self.reason, self.line = reason, line


def read_xml(xml: bytes, *, size_max_bytes: int) -> Element:
    """Parse a file to its root element.

    Raises:
        MarkupRefused: it is too large, is not well-formed, or declares a document type.
    """
    if len(xml) > size_max_bytes:
        raise MarkupRefused(f"larger than {size_max_bytes} bytes")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise MarkupRefused("not well-formed", error.lineno or 0) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise MarkupRefused("a document type is not accepted")
    return root


def local_name(element: Element) -> str:
    """Give the tag without its namespace."""
    return str(element.tag).rpartition("}")[2]


def namespace(element: Element) -> str:
    """Give the namespace of the tag."""
    return str(element.tag).rpartition("}")[0].lstrip("{")


def children(element: Element, *names: str) -> list[Element]:
    """List child elements with one of the names, whatever their namespace."""
    return [child for child in element if local_name(child) in names]


def child(element: Element, *names: str) -> Element | None:
    """Give the first child element with one of the names."""
    found = children(element, *names)
    return found[0] if found else None


def text_of(element: Element | None) -> str:
    """Give all text inside an element, trimmed; empty for no element."""
    return "" if element is None else "".join(map(str, element.itertext())).strip()


def line_of(element: Element) -> int:
    """Give the line the element begins on, from 1."""
    line: int | None = getattr(element, "sourceline", None)
    return line or 0
