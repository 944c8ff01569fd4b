"""Find IBANs in a text; a wrong check digit is reported, never repaired."""

import re
from collections.abc import Iterator
from typing import Final

from intelligence.capabilities.slots.values import IbanSlot, Span
from sentinel.vocabulary import Provenance

_START: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ \u00a0.-]?[A-Za-z0-9])")
_SEPARATORS: Final = " \u00a0.-"
_LENGTH_MIN: Final = 14
_GROUP: Final = 4
# Lengths by country, as the IBAN registry of ISO 13616 lists them.
_LENGTHS: Final = {
    entry[:2]: int(entry[2:])
    for entry in [
        "AD24",
        "AE23",
        "AL28",
        "AT20",
        "AZ28",
        "BA20",
        "BE16",
        "BG22",
        "BH22",
        "BI27",
        "BR29",
        "BY28",
        "CH21",
        "CR22",
        "CY28",
        "CZ24",
        "DE22",
        "DJ27",
        "DK18",
        "DO28",
        "EE20",
        "EG29",
        "ES24",
        "FI18",
        "FK18",
        "FO18",
        "FR27",
        "GB22",
        "GE22",
        "GI23",
        "GL18",
        "GR27",
        "GT28",
        "HN28",
        "HR21",
        "HU28",
        "IE22",
        "IL23",
        "IQ23",
        "IS26",
        "IT27",
        "JO30",
        "KW30",
        "KZ20",
        "LB28",
        "LC32",
        "LI21",
        "LT20",
        "LU20",
        "LV21",
        "LY25",
        "MC27",
        "MD24",
        "ME22",
        "MK19",
        "MN20",
        "MR27",
        "MT31",
        "MU30",
        "NI28",
        "NL18",
        "NO15",
        "OM23",
        "PK24",
        "PL28",
        "PS29",
        "PT25",
        "QA29",
        "RO24",
        "RS22",
        "RU33",
        "SA24",
        "SC31",
        "SD18",
        "SE24",
        "SI19",
        "SK24",
        "SM27",
        "SO23",
        "ST25",
        "SV28",
        "TL23",
        "TN24",
        "TR26",
        "UA29",
        "VA22",
        "VG24",
        "XK20",
        "YE30",
    ]
}


def has_right_check_digits(iban: str) -> bool:
    """Say whether an IBAN without spaces passes the ISO 7064 check (mod 97)."""
    digits = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    return int(digits) % 97 == 1


def _take(text: str, start: int, length: int) -> tuple[str, int]:
    """Return up to `length` letters and digits from `start`, skipping separators, and the end."""
    taken, position, end = "", start, start
    while position < len(text) and len(taken) < length:
        character = text[position]
        if character.isascii() and character.isalnum():
            taken, end = taken + character, position + 1
        elif character not in _SEPARATORS or text[position - 1] in _SEPARATORS:
            break
        position += 1
    return taken.upper(), end


def _is_word_end(text: str, end: int) -> bool:
    return end >= len(text) or not text[end].isalnum()


def _reading(text: str, start: int) -> tuple[str, int] | None:
    country = text[start : start + 2].upper()
    length = _LENGTHS.get(country)
    if length is None:
        return None
    value, end = _take(text, start, length)
    if len(value) == length and _is_word_end(text, end):
        return value, end
    value, end = _written_together(text, start)
    return (value, end) if len(value) >= _LENGTH_MIN else None


def _written_together(text: str, start: int) -> tuple[str, int]:
    """Return an account of a wrong length: its groups of four, digits or a bank's four capitals."""
    groups = re.compile(r"[A-Za-z0-9]+").finditer(text, start)
    value, end = "", start
    for group in groups:
        is_word = not any(c.isdigit() for c in group[0]) and not re.fullmatch("[A-Z]{4}", group[0])
        if value and (group.start() - end > 1 or is_word):
            break
        value, end = value + group[0].upper(), group.end()
        if len(group[0]) != _GROUP:
            break
    return value, end


def find_ibans(text: str, source: Provenance = Provenance.CUSTOMER_TYPED) -> tuple[IbanSlot, ...]:
    """Return the IBANs of a text in order, valid or not."""
    return tuple(_each(text, source))


def _each(text: str, source: Provenance) -> Iterator[IbanSlot]:
    done = 0
    for match in _START.finditer(text):
        if match.start() < done:
            continue
        reading = _reading(text, match.start())
        if reading is None:
            continue
        value, done = reading
        right_length = _LENGTHS.get(value[:2]) == len(value)
        span = Span(match.start(), done, text[match.start() : done], source)
        yield IbanSlot(value, right_length and has_right_check_digits(value), span)


def has_known_length(iban: str) -> bool:
    """Say whether an IBAN has the length its country uses."""
    return _LENGTHS.get(iban[:2]) == len(iban)
