"""The tables of a DMN file as rows of cells, and the same file with some cells written anew.

Only the texts of cells are touched: ids, order, comments and the diagram stay as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from orchestration.markup import Element, child, children, read_xml, text_of

BYTES_MAX = 5_000_000
CELL_LENGTH_MAX = 1_000


class CellRefused(ValueError):
    """There is no such cell, or its text is too long; nothing was changed."""

    code = "cell_refused"
    is_retryable = False

    def __init__(self, cell: str, words: str) -> None:
        super().__init__(cell, words)
        self.cell, self.words = cell, words


@dataclass(frozen=True, slots=True)
class RuleCell:
    """One cell; `key` names it in its file, `before` is what it says in the version in force."""

    key: str
    text: str
    before: str
    is_output: bool

    @property
    def is_changed(self) -> bool:
        """Tell whether it says something else than the version in force."""
        return self.text != self.before


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule, as drawn from 1; `name` is its id."""

    number: int
    name: str
    cells: tuple[RuleCell, ...]


@dataclass(frozen=True, slots=True)
class RuleTable:
    """A decision table: its hit policy, what its columns are called, and its rules."""

    id: str
    decision: str
    policy: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: tuple[RuleRow, ...]


def tables_in(xml: str, before: str) -> tuple[RuleTable, ...]:
    """Return the tables of a DMN file, each cell with what it said before.

    Raises:
        MarkupRefused: it is no XML that may be read.
    """
    earlier = {key: text_of(child(cell, "text")) for key, cell, _ in _cells(_root(before))}
    return tuple(_table(name, table, earlier) for name, table in _tables(_root(xml)))


def with_cells(xml: str, edits: Mapping[str, str]) -> str:
    """Return a DMN file with some cells written anew; without a change, the very same text.

    Raises:
        MarkupRefused: it is no XML that may be read.
        CellRefused: it has no such cell, or the text is too long.
    """
    root = _root(xml)
    found = {key: cell for key, cell, _ in _cells(root)}
    is_changed = False
    for key, text in edits.items():
        if key not in found:
            raise CellRefused(key, "There is no such cell.")
        if len(text) > CELL_LENGTH_MAX:
            raise CellRefused(key, f"A cell has at most {CELL_LENGTH_MAX} characters.")
        is_changed = _write(found[key], text.strip()) or is_changed
    if not is_changed:
        return xml
    written: bytes = etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)
    return written.decode()


def _root(xml: str) -> Element:
    return read_xml(xml.encode(), size_max_bytes=BYTES_MAX, keeps_comments=True)


def _tables(root: Element) -> Iterator[tuple[str, Element]]:
    """Give every table with the name of the decision it stands in."""
    for table in root.iter("{*}decisionTable"):
        names = (each.get("name") for each in table.iterancestors())
        yield next((name for name in names if name), ""), table


def _id_of(table: Element) -> str:
    """Return what names a table in its file: its id, that of its decision, or its place.

    A place counts tables, not lines: a cell of several lines moves no other table.
    """
    own = table.get("id")
    if own:
        return str(own)
    parent = table.getparent()
    tables = [*table.getroottree().getroot().iter("{*}decisionTable")]
    siblings = [] if parent is None else children(parent, "decisionTable")
    if parent is not None and parent.get("id") and len(siblings) == 1:
        return str(parent.get("id"))
    return f"table-{tables.index(table) + 1}"


def _cells(root: Element) -> Iterator[tuple[str, Element, bool]]:
    for _name, table in _tables(root):
        yield from _cells_of(table)


def _cells_of(table: Element) -> Iterator[tuple[str, Element, bool]]:
    """Give the cells of a table: the key is table, rule and column, as drawn."""
    table_id = _id_of(table)
    for number, rule in enumerate(children(table, "rule"), 1):
        for column, cell in enumerate(children(rule, "inputEntry"), 1):
            yield f"{table_id}.{number}.i{column}", cell, False
        for column, cell in enumerate(children(rule, "outputEntry"), 1):
            yield f"{table_id}.{number}.o{column}", cell, True


def _table(name: str, table: Element, earlier: Mapping[str, str]) -> RuleTable:
    made: dict[str, list[RuleCell]] = {}
    for key, cell, is_output in _cells_of(table):
        text = text_of(child(cell, "text"))
        number = key.rsplit(".", 2)[1]
        made.setdefault(number, []).append(RuleCell(key, text, earlier.get(key, text), is_output))
    rows = tuple(
        RuleRow(number, str(rule.get("id") or number), tuple(made.get(str(number), ())))
        for number, rule in enumerate(children(table, "rule"), 1)
    )
    return RuleTable(
        id=_id_of(table),
        decision=name,
        policy=str(table.get("hitPolicy") or "UNIQUE"),
        inputs=tuple(_column(each, "inputExpression") for each in children(table, "input")),
        outputs=tuple(_column(each, "") for each in children(table, "output")),
        rows=rows,
    )


def _column(column: Element, expression: str) -> str:
    """Return what a column is called: its label, its name, or what it looks at."""
    looked_at = child(column, expression)
    words = "" if looked_at is None else text_of(child(looked_at, "text"))
    return str(column.get("label") or column.get("name") or words or "Result")


def _write(cell: Element, text: str) -> bool:
    place = child(cell, "text")
    if place is None:
        place = etree.SubElement(cell, etree.QName(etree.QName(cell).namespace, "text"))
    if text_of(place) == text:
        return False
    for inner in list(place):
        place.remove(inner)
    place.text = text
    return True
