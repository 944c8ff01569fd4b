"""Large values: kept once by what they say, outside the row, and fetched when somebody looks.

A value above `LARGE_CHARACTERS` is replaced by its digest wherever an instance writes it: in the
state, in the history, in a message. Two instances with the same document share one row.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db import connection

from orchestration.feel.values import FeelValue

LARGE_CHARACTERS = 8_192
VALUE_CHARACTERS_MAX = 8 * 1024 * 1024
# What may come in at once, all variables together.
TOGETHER_CHARACTERS_MAX = 2 * VALUE_CHARACTERS_MAX


class ValueTooLarge(ValueError):
    """A variable is larger than an instance may carry; keep it as a document instead."""

    code = "value_too_large"
    is_retryable = False

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size, self.limit = size, limit


class ValueMissing(LookupError):
    """A value that an instance refers to is not kept here."""

    code = "value_missing"
    is_retryable = False

    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.digest = digest


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that is kept elsewhere: its digest and the length of its text."""

    digest: str
    size: int


class KeptVariables(Mapping[str, FeelValue]):
    """Variables of which some are kept elsewhere, fetched when they are first looked at."""

    def __init__(self, raw: Mapping[str, FeelValue | Kept]) -> None:
        self.raw = dict(raw)
        self._fetched: dict[str, FeelValue] = {}

    def __getitem__(self, name: str) -> FeelValue:
        value = self.raw[name]
        if not isinstance(value, Kept):
            return value
        if name not in self._fetched:
            self._fetched[name] = fetch(value.digest)
        return self._fetched[name]

    def __contains__(self, name: object) -> bool:
        return name in self.raw

    def __iter__(self) -> Iterator[str]:
        return iter(self.raw)

    def __len__(self) -> int:
        return len(self.raw)

    def with_value(self, name: str, value: FeelValue) -> "KeptVariables":
        """Return these variables with one of them set, and nothing fetched for it."""
        return KeptVariables({**self.raw, name: value})


def fetch(digest: str) -> FeelValue:
    """Return a value by its digest.

    Raises:
        ValueMissing: it is not kept here.
    """
    # The two speak of each other: a value is packed like everything an instance writes.
    from orchestration.durable.packing import unpack  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM orch_value WHERE hash = %s", [digest])
        row = cursor.fetchone()
    if row is None:
        raise ValueMissing(digest)
    value: FeelValue = unpack(json.loads(row[0]))
    return value


def store(text: str) -> Kept:
    """Keep the text of a packed value, once, and return where it is.

    Raises:
        ValueTooLarge: no instance may carry it.
    """
    require_size(len(text))
    digest = hashlib.sha256(b"frontline/value/v1\0" + text.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_value (hash, size, content) VALUES (%s, %s, %s)"
            " ON CONFLICT (entity, hash) DO NOTHING",
            [digest, len(text), text],
        )
    return Kept(digest, len(text))


def require_size(size: int) -> None:
    """Refuse a value above the limit.

    Raises:
        ValueTooLarge: no instance may carry it.
    """
    if size > VALUE_CHARACTERS_MAX:
        raise ValueTooLarge(size, VALUE_CHARACTERS_MAX)


def require_carriable(values: Mapping[str, object]) -> None:
    """Refuse values before anything is done with them, judged by the text and lists they hold.

    Raises:
        ValueTooLarge: one of them, or all together, are too large for an instance to carry.
    """
    together = 0
    for value in values.values():
        size = _rough_size(value)
        require_size(size)
        together += size
        if together > TOGETHER_CHARACTERS_MAX:
            raise ValueTooLarge(together, TOGETHER_CHARACTERS_MAX)


def _rough_size(value: object) -> int:
    """Return about how long the text of a value is; never more than it is."""
    total, open_values = 0, [value]
    while open_values and total <= VALUE_CHARACTERS_MAX:
        each = open_values.pop()
        if isinstance(each, str):
            total += len(each)
        elif isinstance(each, Kept):
            total += each.size
        elif isinstance(each, KeptVariables):
            open_values.extend(each.raw.values())
        elif isinstance(each, Mapping):
            total += 2 * len(each)
            open_values.extend(each.values())
        elif isinstance(each, tuple | list):
            total += 2 * len(each)
            open_values.extend(each)
        else:
            total += 1
    return total
