"""Files of items: no more of one is held than a piece, whatever its length."""

import io
import json

import pytest

from orchestration.triggers import batch_files
from orchestration.triggers.batch_files import (
    FileNotUnderstood,
    check_file,
    failures_csv,
    pieces_of,
)
from orchestration.triggers.content import BatchContent

EACH = BatchContent(
    key="id", accepts={"type": "object", "properties": {"n": {"type": "string", "minLength": 1}}}
)
# What the decoder and its buffer take beyond what was asked for.
AHEAD_BYTES_MAX = 64 * 1024


class Counted(io.BytesIO):
    """A file that knows how far it has been read."""

    furthest = 0

    def read(self, size=-1):
        self._told(size)
        found = super().read(size)
        self.furthest = max(self.furthest, self.tell())
        return found

    def read1(self, size=-1):
        self._told(size)
        found = super().read1(size)
        self.furthest = max(self.furthest, self.tell())
        return found

    def _told(self, size):
        assert 0 <= size <= AHEAD_BYTES_MAX, "it is read whole"


def csv_file(count, opened=io.BytesIO):
    lines = ["id,n", *(f"item-{number:06},{number}" for number in range(count))]
    return opened("\n".join(lines).encode())


@pytest.mark.parametrize("count", [10_000, 100_000])
def test_a_long_file_is_read_piece_by_piece_and_never_held_whole(count):
    file = csv_file(count, Counted)

    assert check_file(file, EACH) == count

    file.furthest, item_bytes = 0, len(file.getvalue()) / count
    seen, lines = 0, []
    for piece in pieces_of(file, EACH):
        seen += len(piece)
        assert len(piece) <= batch_files.PIECE_ITEMS
        assert file.furthest <= seen * item_bytes + AHEAD_BYTES_MAX
        lines += [each.line for each in piece]
    assert lines == list(range(2, count + 2))


def test_reading_goes_on_behind_the_items_that_are_kept():
    file = csv_file(2_500)

    first, *_ = pieces_of(file, EACH)
    rest = [each for piece in pieces_of(file, EACH, after=1_000) for each in piece]

    assert len(first) == 1_000
    assert [each.key for each in rest] == [f"item-{number:06}" for number in range(1_000, 2_500)]


def test_long_items_make_short_pieces(monkeypatch):
    monkeypatch.setattr(batch_files, "PIECE_LENGTH_MAX", 1_000)
    lines = [json.dumps({"id": str(number), "n": "x" * 400}) for number in range(9)]

    pieces = list(pieces_of(io.BytesIO("\n".join(lines).encode()), EACH))

    assert [len(piece) for piece in pieces] == [3, 3, 3]


def test_an_item_that_would_have_to_be_held_whole_is_no_item(monkeypatch):
    monkeypatch.setattr(batch_files, "ITEM_LENGTH_MAX", 1_000)
    endless = b'{"id": "' + b"x" * 5_000
    quoted = b'id,n\na,"' + b"x\n" * 5_000

    for content in (endless, quoted):
        with pytest.raises(FileNotUnderstood, match="too long"):
            check_file(io.BytesIO(content), EACH)


def test_a_mark_of_utf_8_and_every_end_of_line_are_read():
    for end in ("\n", "\r\n", "\r"):
        content = "\ufeff" + end.join(["id,n", "a,1", "b,2"])
        (piece,) = pieces_of(io.BytesIO(content.encode()), EACH)
        assert [each.key for each in piece] == ["a", "b"]


def test_an_item_that_does_not_fit_says_where_and_why():
    content = '{"id": "a", "n": ""}\n{"id": "b", "n": "\\u0000"}\n{"id": "c", "n": "1"}\n'

    (piece,) = pieces_of(io.BytesIO(content.encode()), EACH)

    assert [each.code for each in piece] == ["item_refused", "item_refused", ""]
    assert piece[0].reason == "n does not keep to minLength 1"
    assert "cannot be kept" in piece[1].reason
    assert piece[1].values == {}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"required": ["id", "n"]}, "n is missing"),
        ({"properties": {"m": {"enum": ["a", "b"]}}}, "m is none of a, b"),
        ({"properties": {"m": {"type": ["integer", "null"]}}}, "m is no integer or null"),
        ({"properties": {"m": {"pattern": "^[0-9]$"}}}, "m is not written as ^[0-9]$"),
        ({"additionalProperties": False}, "the item has more than is asked for"),
        ({"minProperties": 3}, "the item does not keep to minProperties 3"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_repeats_nothing_of_the_item(schema, words):
    declared = BatchContent(key="id", accepts=schema)

    ((item,),) = pieces_of(io.BytesIO(b"id,m\na,=cmd()"), declared)

    assert (item.code, item.reason) == ("item_refused", words)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", " =", "\r", "|", "%", "\n="])
def test_nothing_in_a_table_of_failures_is_computed_by_a_spreadsheet(sign):
    table = failures_csv([(1, f"{sign}1+1", "failed", f"{sign}c", f"{sign}r")])

    assert f"'{sign}1+1" in table
    assert f"'{sign}c" in table
    assert f"'{sign}r" in table
