"""What the core says as values, as the text that our tables keep."""

import base64
import json
import zlib
from typing import TypeVar

from orchestration.core.codec import EncodingRefused, decode
from orchestration.core.events import Event
from orchestration.core.history import Entry
from orchestration.durable import large_values, packing, shorthand

_T = TypeVar("_T")
# Many texts go to the database as one, parted by a character that JSON never holds bare: an array
# of them would have every quotation mark escaped, which costs more than the rest of a statement.
PART = "\x1e"
# What begins otherwise was written before values were packed, in the core's own encoding.
_MARK = "~"
# What followed from an answer in the usual way is kept in shorthand.
_SHORT = "*"
# What else followed from an event says mostly what it and every other line of history says: it is
# kept deflated, with the event and this as its dictionary. Neither may ever change.
_DEFLATED = "^"
_DICTIONARY = (
    b'],["h","timer","message","signal","g",["A","WorkFailed","error",["Z","completed",null]],'
    b'["R","business_rule","send","action:","model:",{}]],["V","","s0",""],["E",'
    b'["l",["w","","t",,"done",null],["V","","","s0",""],["L","s","t1",1,"done"],'
    b'["F","","","","t",null,{},true],["F","","","","t",null,{},false],["N","","t",1,"s0"],'
    b'["W","","t",2,"read:'
)
_WINDOW_BITS, _MEMORY_LEVEL, _EFFORT = -12, 1, 6


def to_text(value: object) -> str:
    """Return the text of a state, an event, a command or history; large values are kept apart.

    Raises:
        orchestration.durable.large_values.ValueTooLarge: no instance may carry one of its values.
    """
    packed = packing.pack(value)
    text = packing.dumps(packed)
    if len(text) > large_values.LARGE_CHARACTERS:
        text = packing.dumps(_apart(packed))
    return _MARK + text


def line_texts(event: Event, entries: tuple[Entry, ...]) -> tuple[str, str]:
    """Return the texts of an event and of what followed from it; the second needs the first.

    Raises:
        orchestration.durable.large_values.ValueTooLarge: no instance may carry one of the values.
    """
    about = to_text(event)
    short = shorthand.shortened(event, entries)
    if short is not None:
        return about, _SHORT + short
    text = to_text(entries)
    if len(text) > large_values.LARGE_CHARACTERS:
        return about, text
    deflate = zlib.compressobj(
        _EFFORT, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_FIXED, _dictionary(about)
    )
    deflated = deflate.compress(text[1:].encode()) + deflate.flush()
    packed = _DEFLATED + base64.b85encode(deflated).decode()
    return about, min(text, packed, key=len)


def entries_of(event: str, text: str) -> tuple[Entry, ...]:
    """Return what followed from an event, from the texts of both.

    Raises:
        orchestration.core.codec.EncodingRefused: it is something else.
    """
    if text.startswith(_SHORT):
        answer: Event = from_text(event, object)  # type: ignore[assignment]  # only events are stored
        return shorthand.lengthened(answer, text[1:])
    if text.startswith(_DEFLATED):
        inflate = zlib.decompressobj(_WINDOW_BITS, _dictionary(event))
        try:
            # A text is deflated only below this length; a sign of it has at most four bytes.
            plain = inflate.decompress(
                base64.b85decode(text[1:]), 4 * large_values.LARGE_CHARACTERS
            )
            text = _MARK + plain.decode()
        except (ValueError, zlib.error) as error:
            raise EncodingRefused("not a text of this version") from error
    return from_text(text, tuple)


def _dictionary(event: str) -> bytes:
    return _DICTIONARY + event.encode()


def from_text(text: str, wanted: type[_T]) -> _T:
    """Return the value of a text that `to_text` wrote; what is kept apart is not fetched yet.

    Raises:
        orchestration.core.codec.EncodingRefused: it is something else.
    """
    if not text.startswith(_MARK):
        return decode(text.encode(), wanted)
    try:
        value = packing.unpack(json.loads(text[1:]))
    except (ValueError, LookupError, TypeError) as error:
        raise EncodingRefused("not a text of this version") from error
    if not isinstance(value, wanted):
        raise EncodingRefused(f"not a {wanted.__name__}")
    return value


def _apart(packed: packing.Packed) -> packing.Packed:
    """Return packed data with every large value of it replaced by its digest."""
    if type(packed) is dict:
        return {name: _value_apart(item) for name, item in packed.items()}
    if type(packed) is list and packed[0] in packing.RECORDS:
        return [packed[0], *(_field_apart(item) for item in packed[1:])]
    if type(packed) is list and packed[0] == "l":
        return ["l", *(_apart(item) for item in packed[1:])]
    return packed


def _field_apart(item: packing.Packed) -> packing.Packed:
    """Records, lists of records and contexts are looked into; any other value is kept whole."""
    is_list = type(item) is list and item and item[0] == "l"
    if type(item) is dict or (is_list and all(map(_is_record, item[1:]))):
        return _apart(item)
    return _apart(item) if _is_record(item) else _value_apart(item)


def _is_record(item: packing.Packed) -> bool:
    return type(item) is list and bool(item) and item[0] in packing.RECORDS


def _value_apart(item: packing.Packed) -> packing.Packed:
    if item is None or isinstance(item, bool | int):
        return item
    text = packing.dumps(item)
    if len(text) <= large_values.LARGE_CHARACTERS:
        return item
    kept = large_values.store(text)
    return ["v", kept.digest, kept.size]
