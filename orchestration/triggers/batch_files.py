"""Files of many items, CSV or JSON lines: checked to the end, then read piece by piece. Pure.

No more of a file is held than one piece, however long it is: the check keeps sixteen bytes of
every key, and who reads goes on after the items that are kept already.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from jsonschema.exceptions import ValidationError

from orchestration.json_schema import faults
from orchestration.triggers.content import BatchContent, can_be_kept

ITEMS_MAX = 100_000
PIECE_ITEMS = 1_000
KEY_LENGTH_MAX = 200
# A value of a flow is far shorter; a file that is one item would be held whole.
ITEM_LENGTH_MAX = 16_000_000
PIECE_LENGTH_MAX = 4_000_000
REASON_LENGTH_MAX = 300
_NOT_KEPT = "it holds characters that cannot be kept, or is too deep"
_CHUNK_BYTES = 64 * 1024
_Record = tuple[int, Mapping[str, object], int]


class FileNotUnderstood(ValueError):
    """A file is neither CSV nor JSON lines, is empty, too long, or names an item twice."""

    code = "file_not_understood"
    is_retryable = False

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line, self.reason = line, reason


@dataclass(frozen=True, slots=True)
class FileItem:
    """One item; `code` says why it is refused, if it is, and `reason` says it in words."""

    line: int
    key: str
    values: Mapping[str, object]
    code: str = ""
    reason: str = ""


def digest_of(file: BinaryIO) -> bytes:
    """Return what tells a file from every other."""
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.digest()


def check_file(file: BinaryIO, declared: BatchContent) -> int:
    """Read a file to its end and return how many items it has; nothing of it is kept.

    Raises:
        FileNotUnderstood: the file cannot be read, or two items have one key.
    """
    seen: set[bytes] = set()
    for line, values, _length in _records(file):
        if len(seen) >= ITEMS_MAX:
            raise FileNotUnderstood(line, f"more than {ITEMS_MAX} items")
        key = _key(declared, values)
        if not key or len(key) > KEY_LENGTH_MAX or not can_be_kept(key):
            raise FileNotUnderstood(line, f"{declared.key} is missing, too long or repeated")
        digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
        if digest in seen:
            raise FileNotUnderstood(line, f"{declared.key} is missing, too long or repeated")
        seen.add(digest)
    if not seen:
        raise FileNotUnderstood(0, "it has no items")
    return len(seen)


def pieces_of(
    file: BinaryIO, declared: BatchContent, *, after: int = 0, size: int = PIECE_ITEMS
) -> Iterator[tuple[FileItem, ...]]:
    """Yield the items behind the first so many; what does not fit the schema is refused by itself.

    Raises:
        FileNotUnderstood: the file cannot be read.
    """
    piece: list[FileItem] = []
    length = 0
    for line, values, held in islice(_records(file), after, None):
        piece.append(_item(declared, line, values))
        length += held
        if len(piece) == size or length > PIECE_LENGTH_MAX:
            yield tuple(piece)
            piece, length = [], 0
    if piece:
        yield tuple(piece)


def failures_csv(rows: Sequence[tuple[int, str, str, str, str]]) -> str:
    """Return lines, keys, states, codes and reasons as a table for people."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["line", "key", "state", "code", "reason"])
    # A spreadsheet must not take what a stranger wrote for a formula.
    writer.writerows(
        [line, _harmless(key), state, _harmless(code), _harmless(reason)]
        for line, key, state, code, reason in rows
    )
    return out.getvalue()


def _harmless(text: str) -> str:
    """Mark as text what a spreadsheet would compute; some skip what is blank before the sign."""
    return f"'{text}" if text.lstrip()[:1] in {*"=+-@|%"} or text[:1] in {*"\t\r\n"} else text


def _item(declared: BatchContent, line: int, values: Mapping[str, object]) -> FileItem:
    key = _key(declared, values)
    if not can_be_kept(values):
        return FileItem(line, key, {}, "item_refused", _NOT_KEPT)
    found = faults(declared.accepts, values)
    if not found:
        return FileItem(line, key, values)
    return FileItem(line, key, values, "item_refused", _words(found[0])[:REASON_LENGTH_MAX])


def _words(fault: ValidationError) -> str:
    """Say where an item does not fit and how; what stands in it is not repeated."""
    place = ".".join(map(str, fault.absolute_path)) or "the item"
    wanted = fault.validator_value
    match fault.validator:
        case "required" if isinstance(wanted, list) and isinstance(fault.instance, dict):
            return f"{', '.join(each for each in wanted if each not in fault.instance)} is missing"
        case "enum" if isinstance(wanted, list):
            return f"{place} is none of {', '.join(map(str, wanted))}"
        case "type":
            kinds = wanted if isinstance(wanted, list) else [wanted]
            return f"{place} is no {' or '.join(map(str, kinds))}"
        case "pattern":
            return f"{place} is not written as {wanted}"
        case "additionalProperties":
            return f"{place} has more than is asked for"
        case word:
            return f"{place} does not keep to {word} {wanted}"


def _key(declared: BatchContent, values: Mapping[str, object]) -> str:
    return str(values.get(declared.key) or "")


class _Lines:
    """The lines of a file as text; no item may be longer than there is room for."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.number, self._text, self._held = 0, text, 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        self.number += 1
        try:
            line = self._text.readline(ITEM_LENGTH_MAX + 1)
        except UnicodeDecodeError as error:
            raise FileNotUnderstood(0, "it is not UTF-8") from error
        self._held += len(line)
        if self._held > ITEM_LENGTH_MAX:
            raise FileNotUnderstood(self.number, "the item is too long")
        if not line:
            raise StopIteration
        return line

    def let_go(self) -> int:
        """Return how long the item was that has been read; the next one begins."""
        held, self._held = self._held, 0
        return held


def _records(file: BinaryIO) -> Iterator[_Record]:
    """Yield every item with the number of its last line and how long it was as text."""
    text = _text_of(file)
    try:
        is_json = _begins_as_json(text)
    except UnicodeDecodeError as error:
        raise FileNotUnderstood(0, "it is not UTF-8") from error
    finally:
        # The file stays open: it is another's to close.
        text.detach()
    text = _text_of(file)
    lines = _Lines(text)
    try:
        yield from _json_lines(lines) if is_json else _csv(lines)
    finally:
        text.detach()


def _text_of(file: BinaryIO) -> io.TextIOWrapper:
    file.seek(0)
    return io.TextIOWrapper(file, encoding="utf-8-sig", newline="")


def _begins_as_json(text: io.TextIOWrapper) -> bool:
    while (character := text.read(1)).isspace():
        pass
    return character == "{"


def _json_lines(lines: _Lines) -> Iterator[_Record]:
    for line in lines:
        if line.strip():
            try:
                values = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise FileNotUnderstood(lines.number, "it is not JSON") from error
            if not isinstance(values, dict):
                raise FileNotUnderstood(lines.number, "it is no object")
            yield lines.number, values, lines.let_go()


def _csv(lines: _Lines) -> Iterator[_Record]:
    reader = csv.DictReader(lines, strict=True)
    try:
        for values in reader:
            if None in values or None in values.values():
                raise FileNotUnderstood(reader.line_num, "it has another number of columns")
            yield reader.line_num, dict(values), lines.let_go()
    except csv.Error as error:
        raise FileNotUnderstood(reader.line_num, "it is not CSV") from error
