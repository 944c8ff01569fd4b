"""Read an amount written in digits, or say exactly why it is not taken."""

import re
from typing import Final

AMOUNT_MINOR_UNITS_MAX: Final = 10**13
_WHOLE: Final = re.compile(r"\d+")
_DECIMAL: Final = re.compile(r"(\d*)[.,](\d{1,2})")
_LONG_DECIMAL: Final = re.compile(r"\d*[.,]\d{3,}|\d{1,3}(?:([.,' ])\d{3})+(?!\1)[.,]\d{3,}")
_ONE_GROUP: Final = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_GROUPED: Final = re.compile(r"[1-9]\d{0,2}(?:([.,' ])\d{3})+(?:(?!\1)[.,](\d{1,2}))?")
_THOUSANDS: Final = re.compile(r"(\d{1,6})(?:[.,](\d{1,2}))?k", re.IGNORECASE)
_DASHED: Final = re.compile(r"(\d+)[.,][-\u2013=]")
_RANGE: Final = re.compile(r"\d[\d.,]*[-\u2013]\d[\d.,]*")


class AmountRefused(Exception):
    """What is written is not one positive amount; `code` says why."""

    code = "amount_refused"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _minor_units(whole: str, decimals: str, exponent: int) -> int:
    if len(decimals.rstrip("0")) > exponent:
        raise AmountRefused("amount_too_many_decimals")
    kept = decimals[:exponent].ljust(exponent, "0")
    return int((whole or "0") + kept)


def _check_form(written: str) -> None:
    if not written.isascii():
        raise AmountRefused("amount_unusual_digits")
    if _RANGE.fullmatch(written) or _ONE_GROUP.fullmatch(written):
        raise AmountRefused("amount_ambiguous")
    if _LONG_DECIMAL.fullmatch(written):
        raise AmountRefused("amount_too_many_decimals")


def _parts(written: str) -> tuple[str, str]:
    """Return whole digits and decimal digits of an amount in one of the accepted forms."""
    if _WHOLE.fullmatch(written):
        return written, ""
    if dashed := _DASHED.fullmatch(written):
        return dashed[1], ""
    if decimal := _DECIMAL.fullmatch(written):
        return decimal[1], decimal[2]
    if thousands := _THOUSANDS.fullmatch(written):
        decimals = thousands[2] or ""
        return thousands[1] + decimals.ljust(3, "0"), ""
    if grouped := _GROUPED.fullmatch(written):
        decimals = grouped[2] or ""
        whole = written[: len(written) - len(decimals) - 1] if decimals else written
        return re.sub(r"\D", "", whole), decimals
    has_only_separators = re.fullmatch(r"[\d.,' ]+", written)
    raise AmountRefused("amount_ambiguous" if has_only_separators else "amount_not_a_number")


def minor_units_of(written: str, *, exponent: int = 2) -> int:
    """Return the minor units of a number such as "250", "1.250,50", "1,250.50", "250,-" or "2k".

    A single separator before exactly three digits ("1.250") is a thousand to some and a mistake to
    others, so it is asked about.

    Raises:
        AmountRefused: it is not one positive amount of a size and precision that can be paid.
    """
    spaced = written.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2019", "'")
    if spaced[:1] in "-\u2212\u2013":
        raise AmountRefused("amount_negative")
    plain = spaced.removeprefix("+")
    _check_form(plain)
    whole, decimals = _parts(plain)
    if len(whole.lstrip("0")) > 14:
        raise AmountRefused("amount_too_large")
    amount = _minor_units(whole, decimals, exponent)
    if amount == 0:
        raise AmountRefused("amount_zero")
    if amount > AMOUNT_MINOR_UNITS_MAX:
        raise AmountRefused("amount_too_large")
    return amount
