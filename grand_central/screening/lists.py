"""Reads published sanctions lists into lines of our own: one header, then one line per entry."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from grand_central.screening.index import ListedName

FILE_BYTES_MAX = 200 * 1024 * 1024
Format = Literal["ofac-sdn", "ofac-alt", "un", "names"]
_NONE = "-0-"


class ListNotUnderstood(ValueError):
    """The file is not a sanctions list of a format we read; nothing of it was taken."""

    code = "list_not_understood"
    is_retryable = False

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(file, reason)
        self.file, self.reason = file, reason


@dataclass(frozen=True, slots=True)
class ListEntry:
    """Somebody or something on a list, by all its names; the first is the main one."""

    id: str
    names: tuple[str, ...]
    kind: str
    programme: str
    are_aliases: bool = False

    def line(self) -> str:
        """Return the entry as it is kept and hashed."""
        return _line(
            {
                "id": self.id,
                "names": list(self.names),
                "kind": self.kind,
                "programme": self.programme,
                "aliases": self.are_aliases,
            }
        )


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A list as it was read: `lines` is what is loaded, `digest` is over exactly those."""

    title: str
    is_sample: bool
    lines: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over all lines, as hex."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()


def read_list(*, path: Path, title: str, is_sample: bool = False) -> PublishedList:
    """Read an OFAC SDN or ALT file (CSV), the UN consolidated list (XML), or our own CSV.

    Raises:
        ListNotUnderstood: another format, not well formed, or without entries.
    """
    if path.stat().st_size > FILE_BYTES_MAX:
        raise ListNotUnderstood(path.name, "larger than any list we know")
    try:
        entries = list(_entries(path))
    except (ParseError, DefusedXmlException, UnicodeDecodeError, csv.Error) as error:
        raise ListNotUnderstood(path.name, "not well formed") from error
    if not entries:
        raise ListNotUnderstood(path.name, "no entries")
    header = _line({"title": title, "is_sample": is_sample, "file": path.name})
    return PublishedList(title, is_sample, (header, *(entry.line() for entry in entries)))


def listed_names(list_name: str, lines: Iterable[str]) -> Iterator[ListedName]:
    """Return the names of the entries in lines as `ListEntry.line` writes them."""
    for line in lines:
        entry = json.loads(line)
        for number, name in enumerate(entry["names"]):
            is_alias = entry["aliases"] or number > 0
            yield ListedName(list_name, entry["id"], name, is_alias, entry["programme"])


def _entries(path: Path) -> Iterator[ListEntry]:
    with path.open("rb") as stream:
        beginning = stream.read(200).lstrip()
    if beginning.startswith((b"<", b"\xef\xbb\xbf<")):
        yield from _un(path)
        return
    rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8", errors="replace")))
    first = next(rows, [])
    if first[:2] == ["id", "name"]:
        yield from _own(rows)
    elif first[:1] == ["ID"]:
        yield from _sdn(rows)
    elif len(first) >= 12 and first[0].isdigit():
        yield from _sdn(_chained(first, rows))
    elif len(first) == 5 and first[0].isdigit() and first[1].isdigit():
        yield from _alt(_chained(first, rows))
    else:
        raise ListNotUnderstood(path.name, "not a format we read")


def _chained(first: list[str], rows: Iterable[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rows


def _own(rows: Iterable[list[str]]) -> Iterator[ListEntry]:
    """Yield entries of our own format: id, name, kind, programme, then aliases."""
    for row in rows:
        if len(row) >= 4 and row[1].strip():
            names = (row[1].strip(), *(alias.strip() for alias in row[4:] if alias.strip()))
            yield ListEntry(row[0], names, row[2], row[3])


def _sdn(rows: Iterable[list[str]]) -> Iterator[ListEntry]:
    for row in rows:
        if len(row) >= 4 and row[0].isdigit() and _given(row[1]):
            yield ListEntry(f"ofac-{row[0]}", (row[1].strip(),), _kind(row[2]), row[3].strip())


def _alt(rows: Iterable[list[str]]) -> Iterator[ListEntry]:
    names: dict[str, list[str]] = {}
    for row in rows:
        if len(row) >= 4 and row[0].isdigit() and _given(row[3]):
            names.setdefault(row[0], []).append(row[3].strip())
    for number, aliases in names.items():
        yield ListEntry(f"ofac-{number}", tuple(aliases), "unknown", "", are_aliases=True)


def _un(path: Path) -> Iterator[ListEntry]:
    root = ElementTree.parse(path).getroot()
    for element in root.iter("INDIVIDUAL"):
        parts = (f"{number}_NAME" for number in ("FIRST", "SECOND", "THIRD", "FOURTH"))
        name = " ".join(filter(None, (_text(element, part) for part in parts)))
        yield from _un_entry(element, name, "person", "INDIVIDUAL_ALIAS")
    for element in root.iter("ENTITY"):
        yield from _un_entry(element, _text(element, "FIRST_NAME"), "organisation", "ENTITY_ALIAS")


def _un_entry(element: Element, name: str, kind: str, alias: str) -> Iterator[ListEntry]:
    aliases = [_text(each, "ALIAS_NAME") for each in element.iter(alias)]
    names = tuple(dict.fromkeys(filter(None, [name, *aliases])))
    if names:
        number, programme = _text(element, "DATAID"), _text(element, "UN_LIST_TYPE")
        yield ListEntry(f"un-{number}", names, kind, programme)


def _text(element: Element, tag: str) -> str:
    return " ".join((element.findtext(tag) or "").split())


def _kind(text: str) -> str:
    return {"individual": "person", _NONE: "organisation"}.get(text.strip(), text.strip())


def _given(text: str) -> bool:
    return text.strip() not in {"", _NONE}


def _line(values: dict[str, object]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
