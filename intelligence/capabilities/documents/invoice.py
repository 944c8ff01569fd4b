"""Find what a payment needs on an invoice; every value says on which page and where it stands."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from intelligence.capabilities.documents.pages import Box, DocumentRefused, Line, read_lines
from intelligence.capabilities.slots.currencies import CURRENCIES
from intelligence.capabilities.slots.dates import read_date
from intelligence.capabilities.slots.digits import AmountRefused, minor_units_of
from intelligence.capabilities.slots.ibans import find_ibans
from intelligence.capabilities.slots.refusals import WORDS
from intelligence.capabilities.slots.values import Refusal
from sentinel.vocabulary import Money, Provenance

TEXT_MAX: Final = 140
_AMOUNT_LABELS: Final = (
    r"(?:total\s+)?(?:amount|balance)\s+(?:due|payable|to\s+pay)|total\s+(?:due|payable|to\s+pay)|"
    r"te\s+betalen(?:\s+bedrag)?|please\s+pay|payable\s+amount|zu\s+zahlen",
    r"grand\s+total|total\s+incl\S*(?:\s+vat|\s+btw)?|invoice\s+total|"
    r"totaal\s+incl\S*(?:\s+btw)?|gesamtbetrag",
    r"(?<!sub)(?<!sub )(?<!sub-)\btotal\b(?!\s+(?:excl|net|vat|tax|ex\b))|\btotaal\b(?!\s+excl)|"
    r"\bamount\b|\bbedrag\b",
)
_NUMBER: Final = re.compile(
    r"(?P<before>[€$£]|\b(?:EUR|USD|GBP)\b)?\s*(?P<number>\d[\d.,'\u00a0 ]*\d,-|"
    r"\d[\d.,'\u00a0]*\d|\d)\s*"
    r"(?P<after>[€$£]|\b(?:EUR|USD|GBP|euros?)\b)?(?!\s*%)",
    re.IGNORECASE,
)
_DUE: Final = re.compile(
    r"\b(?:due\s+date|payment\s+due(?:\s+(?:by|on|date))?|pay(?:able)?\s+(?:by|before)|"
    r"due(?:\s+(?:by|on))?|"
    r"vervaldatum|betalen\s+voor|f[aä]llig(?:\s+am)?)\b\s*:?",
    re.IGNORECASE,
)
_INVOICE_NUMBER: Final = re.compile(
    r"\b(?:invoice|factuur|rechnung|reference|ref)\s*(?:number|nummer|no\.?|nr\.?|#|id)?\s*[:#]?\s*"
    r"(?P<value>(?=[A-Z0-9./-]*\d)[A-Z0-9][A-Z0-9./-]{2,30})",
    re.IGNORECASE,
)
_INVOICE_LABEL: Final = re.compile(
    r"\b(?:invoice|factuur)\s*(?:number|nummer|no\.?|nr\.?|#)\b\s*:?", re.IGNORECASE
)
_CREDITOR: Final = re.compile(
    r"\b(?:beneficiary(?:\s+name)?|payable\s+to|pay\s+to|account\s+(?:holder|name)|payee|creditor|"
    r"in\s+the\s+name\s+of|t\.?\s?n\.?\s?v\.?|ten\s+name\s+van|kontoinhaber|seller|"
    r"supplier)\b\s*:?",
    re.IGNORECASE,
)
_TITLE: Final = re.compile(
    r"^\W*(?:invoice|factuur|rechnung|page|bill|tax invoice|facture)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where on a document a value stands: page from 1, box in points, and the text itself."""

    page: int
    box: Box
    text: str
    source: Provenance = Provenance.DOCUMENT


@dataclass(frozen=True, slots=True)
class TextField:
    """A text read from a document; `confidence` runs from 0 to 1."""

    value: str
    confidence: float
    place: Place


@dataclass(frozen=True, slots=True)
class IbanField:
    """An IBAN read from a document; a wrong check digit is kept and said."""

    value: str
    is_valid: bool
    confidence: float
    place: Place


@dataclass(frozen=True, slots=True)
class AmountField:
    """An amount read from a document; the currency is empty when none is named."""

    minor_units: int
    currency: str | None
    confidence: float
    place: Place


@dataclass(frozen=True, slots=True)
class DateField:
    """A day read from a document."""

    value: date
    confidence: float
    place: Place


@dataclass(frozen=True, slots=True)
class InvoiceReading:
    """What an invoice says. It is data from outside: nothing in it is trusted or followed."""

    creditor_name: TextField | None = None
    iban: IbanField | None = None
    ibans: tuple[IbanField, ...] = ()
    amount: AmountField | None = None
    due_date: DateField | None = None
    invoice_number: TextField | None = None
    pages: int = 0
    sha256: str = ""
    refusals: tuple[Refusal, ...] = ()

    @property
    def confidence(self) -> float:
        """Return the lowest confidence among the fields a payment needs, 0 when one is missing."""
        needed = (self.creditor_name, self.iban, self.amount)
        return min(field.confidence if field else 0.0 for field in needed)


def read(data: bytes, *, today: date) -> InvoiceReading:
    """Return what an invoice says, or the reason it is not read."""
    digest = hashlib.sha256(data).hexdigest()
    try:
        lines = read_lines(data)
    except DocumentRefused as refused:
        return InvoiceReading(sha256=digest, refusals=(Refusal(refused.reason, refused.customer),))
    ibans = tuple(_ibans(lines))
    amount, amount_refusals = _amount(lines)
    distinct = {field.value for field in ibans}
    return InvoiceReading(
        creditor_name=_creditor(lines),
        iban=ibans[0] if len(distinct) == 1 else None,
        ibans=ibans,
        amount=amount,
        due_date=_due_date(lines, today),
        invoice_number=_invoice_number(lines),
        pages=max(line.page for line in lines),
        sha256=digest,
        refusals=(*_iban_refusals(ibans), *amount_refusals),
    )


def _place(line: Line, start: int, end: int) -> Place:
    return Place(line.page, line.box_of(start, end), line.text[start:end])


def _ibans(lines: Sequence[Line]) -> Iterator[IbanField]:
    for line in lines:
        for found in find_ibans(line.text, Provenance.DOCUMENT):
            confidence = 0.99 if found.is_valid else 0.3
            place = _place(line, found.span.start, found.span.end)
            yield IbanField(found.value, found.is_valid, confidence, place)


def _iban_refusals(ibans: Sequence[IbanField]) -> tuple[Refusal, ...]:
    distinct = {field.value for field in ibans}
    if not distinct:
        return (Refusal("document_without_iban", "I found no IBAN in that document."),)
    if len(distinct) > 1:
        words = "That document names more than one IBAN. Please say which one to use."
        return (Refusal("document_several_ibans", words),)
    if not ibans[0].is_valid:
        return (Refusal("iban_wrong_check_digits", WORDS["iban_wrong_check_digits"]),)
    return ()


def _behind(lines: Sequence[Line], index: int, start: int) -> Iterator[tuple[Line, int]]:
    """Yield where the value of a label may stand: behind it, or below it in the next line."""
    line = lines[index]
    if line.text[start:].strip(" :."):
        yield line, start
    elif index + 1 < len(lines) and lines[index + 1].page == line.page:
        yield lines[index + 1], 0


def _amount(lines: Sequence[Line]) -> tuple[AmountField | None, tuple[Refusal, ...]]:
    """Return the amount to pay: the most telling label wins, and two answers are no answer."""
    for rank, pattern in enumerate(_AMOUNT_LABELS):
        found: list[AmountField] = []
        reasons: list[str] = []
        for index, line in enumerate(lines):
            for label in re.finditer(pattern, line.text, re.IGNORECASE):
                for value_line, start in _behind(lines, index, label.end()):
                    _read_amount(value_line, start, 0.95 - 0.15 * rank, found, reasons)
        distinct = {(field.minor_units, field.currency or "") for field in found}
        if len({minor for minor, _ in distinct}) == 1:
            return max(found, key=lambda field: field.currency is not None), ()
        if distinct or reasons:
            code = "several_amounts" if distinct else reasons[0]
            return None, (Refusal(code, WORDS[code]),)
    return None, (Refusal("document_without_amount", "I found no amount to pay in that document."),)


def _read_amount(
    line: Line, start: int, confidence: float, found: list[AmountField], reasons: list[str]
) -> None:
    """Add the last number behind a label, which is where totals stand, or the reason against it."""
    numbers = list(_NUMBER.finditer(line.text, start))
    if not numbers:
        return
    match = numbers[-1]
    sign = (match["before"] or match["after"] or "").lower()
    currency = CURRENCIES.get(sign) if sign else None
    exponent = Money(0, currency or "EUR").exponent
    try:
        minor_units = minor_units_of(match["number"].strip(), exponent=exponent)
    except AmountRefused as refused:
        reasons.append(refused.reason)
        return
    place = _place(line, match.start(), match.end())
    found.append(AmountField(minor_units, currency, confidence, place))


def _due_date(lines: Sequence[Line], today: date) -> DateField | None:
    for index, line in enumerate(lines):
        for label in _DUE.finditer(line.text):
            for value_line, start in _behind(lines, index, label.end()):
                reading = read_date(value_line.text[start : start + 60], today=today)
                if reading.date:
                    span = reading.date.span
                    place = _place(value_line, start + span.start, start + span.end)
                    return DateField(reading.date.value, 0.9, place)
    return None


def _invoice_number(lines: Sequence[Line]) -> TextField | None:
    for index, line in enumerate(lines):
        match = _INVOICE_NUMBER.search(line.text)
        if match and not find_ibans(match["value"]):
            return TextField(match["value"], 0.9, _place(line, *match.span("value")))
        label = _INVOICE_LABEL.search(line.text)
        if label:
            for value_line, start in _behind(lines, index, label.end()):
                below = re.compile(r"(?=\S*\d)[A-Z0-9][A-Z0-9./-]{2,30}", re.IGNORECASE)
                value = below.search(value_line.text, start)
                if value:
                    return TextField(value[0], 0.7, _place(value_line, *value.span()))
    return None


def _creditor(lines: Sequence[Line]) -> TextField | None:
    for index, line in enumerate(lines):
        for label in _CREDITOR.finditer(line.text):
            for value_line, start in _behind(lines, index, label.end()):
                field = _name_at(value_line, start, 0.9)
                if field:
                    return field
    return next((field for line in lines[:6] if (field := _name_at(line, 0, 0.5))), None)


def _name_at(line: Line, start: int, confidence: float) -> TextField | None:
    """Return the words of one column, when they look like a name."""
    text = line.text
    while start < len(text) and text[start] in " :.-":
        start += 1
    end = text.find("   ", start)
    end = min(len(text) if end < 0 else end, start + TEXT_MAX)
    value = text[start:end].strip()
    letters = sum(character.isalpha() for character in value)
    if letters < 2 or _TITLE.search(value) or find_ibans(value):
        return None
    return TextField(value, confidence, _place(line, start, start + len(value)))
