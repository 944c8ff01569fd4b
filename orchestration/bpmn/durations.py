"""Durations as ISO 8601 writes them; FEEL reads fewer: no weeks, no months beside days."""

import re
from dataclasses import dataclass

from orchestration.feel.temporal import DAY_NANOSECONDS, NANOSECONDS

_LENGTH_MAX = 54
_NUMBER = r"(?:(\d+)(?:[.,](\d+))?{})?"
_DURATION = re.compile(
    r"(-?)P(?:(\d+)Y)?(?:(\d+)M)?"
    + "".join(_NUMBER.format(unit) for unit in "WD")
    + "(?:T"
    + "".join(_NUMBER.format(unit) for unit in "HMS")
    + ")?",
    re.ASCII,
)
# From weeks to seconds, as the expression lists them.
_UNITS = (
    7 * DAY_NANOSECONDS,
    DAY_NANOSECONDS,
    3600 * NANOSECONDS,
    60 * NANOSECONDS,
    NANOSECONDS,
)


@dataclass(frozen=True, slots=True)
class IsoDuration:
    """Calendar months, and after them an exact time; both forward or both backward."""

    months: int
    nanoseconds: int

    @property
    def is_forward(self) -> bool:
        """Tell whether it leads to a later instant."""
        return self.months > 0 or self.nanoseconds > 0

    def times(self, count: int) -> "IsoDuration":
        """Give the duration so many times over."""
        return IsoDuration(self.months * count, self.nanoseconds * count)


def parse_iso_duration(text: str) -> IsoDuration | None:
    """Read `P1Y2M3DT4H`, `P2W` or `PT1.5H`; None when it is none, or names nothing.

    Weeks stand alone, and only the smallest part has a fraction.
    """
    found = _DURATION.fullmatch(text)
    if found is None or text.endswith(("P", "T")) or len(text) > _LENGTH_MAX:
        return None
    sign, years, months, *exact = found.groups()
    wholes, fractions = exact[::2], exact[1::2]
    is_mixed = wholes[0] is not None and (years or months or any(wholes[1:]))
    named = [at for at, whole in enumerate(wholes) if whole is not None]
    if is_mixed or any(fractions[at] for at in named[:-1]):
        return None
    nanoseconds = sum(
        _length(whole, fraction, unit)
        for whole, fraction, unit in zip(wholes, fractions, _UNITS, strict=True)
    )
    direction = -1 if sign else 1
    total = int(years or 0) * 12 + int(months or 0)
    return IsoDuration(direction * total, direction * nanoseconds)


def is_period(text: str) -> bool:
    """Tell whether a text is a duration that leads forward in time."""
    duration = parse_iso_duration(text)
    return duration is not None and duration.is_forward


def _length(whole: str | None, fraction: str | None, unit: int) -> int:
    part = int(fraction or 0) * unit // int("1" + "0" * len(fraction or ""))
    return int(whole or 0) * unit + part
