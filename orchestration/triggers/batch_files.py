"""Files of many items, CSV or JSON lines: read whole, every item checked first. Pure."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestration.json_schema import is_met
from orchestration.triggers.content import BatchContent, can_be_kept

ITEMS_MAX = 100_000
KEY_LENGTH_MAX = 200


class FileNotUnderstood(ValueError):
    """A file is neither CSV nor JSON lines, is empty, too long, or names an item twice."""

    code = "file_not_understood"
    is_retryable = False

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line, self.reason = line, reason


@dataclass(frozen=True, slots=True)
class FileItem:
    """One item; `code` says why it is refused, if it is."""

    line: int
    key: str
    values: Mapping[str, object]
    code: str


def read_items(content: bytes, declared: BatchContent) -> tuple[FileItem, ...]:
    """Return the items of a file; what does not fit the schema is refused by itself.

    Raises:
        FileNotUnderstood: the file cannot be read, or two items have one key.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileNotUnderstood(0, "it is not UTF-8") from error
    is_json = text.lstrip()[:1] == "{"
    items: list[FileItem] = []
    seen: set[str] = set()
    for line, values in _json_lines(text) if is_json else _csv(text):
        if len(items) >= ITEMS_MAX:
            raise FileNotUnderstood(line, f"more than {ITEMS_MAX} items")
        key = str(values.get(declared.key) or "")
        if not key or len(key) > KEY_LENGTH_MAX or key in seen or not can_be_kept(key):
            raise FileNotUnderstood(line, f"{declared.key} is missing, too long or repeated")
        seen.add(key)
        kept = values if can_be_kept(values) else {}
        is_fine = bool(kept) and is_met(declared.accepts, kept)
        items.append(FileItem(line, key, kept, "" if is_fine else "item_refused"))
    if not items:
        raise FileNotUnderstood(0, "it has no items")
    return tuple(items)


def failures_csv(rows: Sequence[tuple[int, str, str, str]]) -> str:
    """Return lines, keys, states and codes as a table for people."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["line", "key", "state", "code"])
    # A spreadsheet must not take what a stranger wrote for a formula.
    writer.writerows([line, _harmless(key), state, code] for line, key, state, code in rows)
    return out.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def _json_lines(text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise FileNotUnderstood(number, "it is not JSON") from error
        if not isinstance(values, dict):
            raise FileNotUnderstood(number, "it is no object")
        yield number, values


def _csv(text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for values in reader:
            if None in values or None in values.values():
                raise FileNotUnderstood(reader.line_num, "it has another number of columns")
            yield reader.line_num, dict(values)
    except csv.Error as error:
        raise FileNotUnderstood(reader.line_num, "it is not CSV") from error
