"""Reading XML that people upload: small, without DTDs, entities or the network."""

from lxml import etree

Element = etree._Element


class MarkupRefused(ValueError):
    """The file is too large, is no XML, or holds a document type; `why` says which, stably.

    `why` is `too_large`, `not_well_formed`, `nests_too_deeply` or `has_document_type`.
    """

    code = "markup_refused"
    is_retryable = False

    def __init__(self, why: str, reason: str, line: int = 0) -> None:
        super().__init__(why, reason, line)
        self.why, self.reason, self.line = why, reason, line


def read_xml(xml: bytes, *, size_max_bytes: int, keeps_comments: bool = False) -> Element:
    """Parse a file to its root element.

    Raises:
        MarkupRefused: it is too large, is not well-formed, nests too deeply, or declares a
            document type.
    """
    if len(xml) > size_max_bytes:
        raise MarkupRefused("too_large", f"larger than {size_max_bytes} bytes")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=not keeps_comments,
        remove_pis=not keeps_comments,
        # What is not XML is refused at its first fault, never repaired.
        recover=False,
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise _refusal(error) from error
    doctype = root.getroottree().docinfo
    if doctype.internalDTD is not None or doctype.doctype:
        raise MarkupRefused("has_document_type", "a document type is not accepted", 1)
    return root


def _refusal(error: etree.XMLSyntaxError) -> MarkupRefused:
    line = error.lineno or 0
    if "depth" in str(error).lower():
        return MarkupRefused("nests_too_deeply", "elements nest too deeply", line)
    if "entity" in str(error).lower():
        return MarkupRefused("has_document_type", "entities are not accepted", line)
    return MarkupRefused("not_well_formed", "not well-formed", line)


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
