"""The one encoder for everything that is hashed or signed: JCS (RFC 8785) behind a domain prefix.

The values are a subset of JSON on which RFC 8785 is simple: text in NFC, integers below 2^53,
booleans, null, lists and objects. There are no floating-point numbers, so money travels as a
decimal string or as integer minor units.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

Canonical: TypeAlias = "bool | int | str | list[Canonical] | dict[str, Canonical] | None"

INTEGER_LIMIT = 2**53
DEPTH_MAX = 32
BYTES_MAX = 4 * 1024 * 1024
_TEXT = frozenset({str})
_LEAVES = frozenset({str, bool, type(None)})

# json escapes exactly what RFC 8785 escapes once non-ASCII text is left alone.
_SORTING = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
_ORDERED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=False)


class NotCanonical(ValueError):
    """The value or text has no canonical form, so it must not be hashed or signed."""

    code = "not_canonical"
    is_retryable = False

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field, self.reason = field, reason


def canonical_json(value: object) -> bytes:
    """Return the RFC 8785 bytes of a value.

    Raises:
        NotCanonical: the value holds a float, an integer of 2^53 or more, text that is not NFC,
            a key that is not text, or a type JSON does not know.
    """
    try:
        if _is_simple(value):
            text = _SORTING.encode(value)
            # All of it is ASCII without a zero character, so nothing is left to check or to sort.
            if text.isascii() and "\\u0000" not in text:
                return text.encode()
        if _check(value, "$", 0):
            return _SORTING.encode(value).encode()
        return _ORDERED.encode(_ordered(value)).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("$", "text holds a lone surrogate") from error


def encode(what: str, value: object, *, version: int = 1) -> bytes:
    """Return the bytes to hash or sign for a value of the kind `what`.

    Raises:
        NotCanonical: the value has no canonical form.
    """
    return domain_prefix(what, version=version) + canonical_json(value)


def digest(what: str, value: object, *, version: int = 1) -> bytes:
    """Return the SHA-256 of `encode(what, value)`, 32 bytes.

    Raises:
        NotCanonical: the value has no canonical form.
    """
    return hashlib.sha256(encode(what, value, version=version)).digest()


def domain_prefix(what: str, *, version: int = 1) -> bytes:
    """Return the first bytes of everything hashed or signed as `what`, ending in a zero byte."""
    # Without the prefix, a signature over one kind of object could be presented as another.
    return f"frontline/{what}/v{version}\0".encode()


def parse(text: bytes) -> Canonical:
    """Return the value of strict JSON text.

    Raises:
        NotCanonical: duplicate keys, floats, large integers, text that is not NFC, not UTF-8,
            too deep, too long, or not JSON at all.
    """
    if len(text) > BYTES_MAX:
        raise NotCanonical("$", "text is too long")
    try:
        value: Canonical = _STRICT.decode(text.decode())
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise NotCanonical("$", "text is not UTF-8 JSON") from error
    _check(value, "$", 0)
    return value


def parse_canonical(text: bytes) -> Canonical:
    """Return the value of JSON text that is already in canonical form, byte for byte.

    Raises:
        NotCanonical: the text is not strict JSON, or another text encodes the same value.
    """
    if len(text) > BYTES_MAX:
        raise NotCanonical("$", "text is too long")
    try:
        # No strictness is needed here: a double key, a float or another spelling of a number has no
        # canonical form or another one, and the comparison shows it.
        value: Canonical = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotCanonical("$", "text is not UTF-8 JSON") from error
    if canonical_json(value) != text:
        raise NotCanonical("$", "text is not in canonical form")
    return value


def _is_simple(value: object) -> bool:
    """Return whether all types, keys and integers have a canonical form; text is not looked at.

    It goes down level by level, and leaves out at once what there is nothing to look at in.
    """
    level: list[Any] = [value]
    for _ in range(DEPTH_MAX + 1):
        below: list[Any] = []
        for item in level:
            if type(item) is int:
                if not -INTEGER_LIMIT < item < INTEGER_LIMIT:
                    return False
                continue
            inside = _inside(item)
            if inside is None:
                return False
            below += inside
        if not below:
            return True
        level = below
    return False


def _inside(item: Any) -> Sequence[object] | None:  # noqa: ANN401
    """Return what there is to look at in a value, or None if it has no canonical form itself."""
    kind = type(item)
    if kind is dict:
        if not _TEXT.issuperset(map(type, item)):
            return None
        return [each for each in item.values() if type(each) not in _LEAVES]
    if kind is list or kind is tuple:
        return [each for each in item if type(each) not in _LEAVES]
    return () if kind in _LEAVES else None


def _check(value: object, field: str, depth: int) -> bool:
    """Refuse what has no canonical form; return whether all keys sort as plain ASCII."""
    if isinstance(value, str):
        return _check_text(value, field)
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        if not -INTEGER_LIMIT < value < INTEGER_LIMIT:
            raise NotCanonical(field, "integer is 2^53 or larger")
        return True
    if depth >= DEPTH_MAX:
        raise NotCanonical(field, "value is nested too deeply")
    if isinstance(value, dict):
        return _check_object(value, depth)
    if isinstance(value, (list, tuple)):
        return _check_list(value, field, depth)
    raise NotCanonical(field, f"type {type(value).__name__} has no canonical form")


def _check_text(value: str, field: str) -> bool:
    if not value.isascii() and not unicodedata.is_normalized("NFC", value):
        raise NotCanonical(field, "text is not in Unicode normal form C")
    # JSON allows it, PostgreSQL does not.
    if "\0" in value:
        raise NotCanonical(field, "text holds a zero character")
    return True


def _check_list(items: Sequence[object], field: str, depth: int) -> bool:
    is_plain = True
    for item in items:
        is_plain &= _check(item, field, depth + 1)
    return is_plain


def _check_object(value: dict[object, object], depth: int) -> bool:
    is_plain = True
    for key, item in value.items():
        if not isinstance(key, str):
            raise NotCanonical(str(key), "key is not text")
        _check_text(key, key)
        is_plain &= _check(item, key, depth + 1) & key.isascii()
    return is_plain


def _ordered(value: object) -> object:
    """Return a copy with keys in UTF-16 order, which differs from code points above U+FFFF."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return {name: _ordered(value[name]) for name in names}
    if isinstance(value, (list, tuple)):
        return [_ordered(item) for item in value]
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("$", "object has a duplicate key")
    return found


def _integer(digits: str) -> int:
    if len(digits) > 17 or digits == "-0":
        raise NotCanonical("$", "integer is 2^53 or larger, or a negative zero")
    return int(digits)


def _refuse_number(text: str) -> NoReturn:
    raise NotCanonical("$", f"number {text[:20]} is not an integer")


_STRICT = json.JSONDecoder(
    object_pairs_hook=_without_duplicates,
    parse_int=_integer,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
)
