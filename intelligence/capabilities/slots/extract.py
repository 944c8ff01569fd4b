"""Read everything a message names, in an order that gives each character to one slot only."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from intelligence.capabilities.slots.amount_choice import read_amount
from intelligence.capabilities.slots.cards import find_card, find_card_numbers
from intelligence.capabilities.slots.categories import find_accounts, find_category, find_merchant
from intelligence.capabilities.slots.dates import read_date
from intelligence.capabilities.slots.ibans import find_ibans, has_known_length
from intelligence.capabilities.slots.people import choose_people, find_people, find_unknown_name
from intelligence.capabilities.slots.periods import read_period
from intelligence.capabilities.slots.pieces import without
from intelligence.capabilities.slots.purposes import (
    find_purpose,
    find_purpose_noun,
    find_quoted_purpose,
)
from intelligence.capabilities.slots.refusals import refusal
from intelligence.capabilities.slots.values import (
    IbanSlot,
    KnownPayee,
    PayeeSlot,
    Refusal,
    Slots,
    Span,
    TextSlot,
)

_LINKS: Final = re.compile(
    r"\b(?:https?://|www\.)\S+|\b[\w.+-]+@[\w-]+\.[\w.]+|\b\d{1,2}[:.h]\d{2}\s*(?:am|pm|h)\b|"
    r"\b\d{1,2}:\d{2}\b"
)


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a message names, what in it is refused, and the text left when payees are masked."""

    slots: Slots
    refusals: tuple[Refusal, ...]
    payee_spans: tuple[Span, ...] = ()


def extract(*, text: str, today: date, payees: Sequence[KnownPayee]) -> Extraction:
    """Return the slots of a message, each with its place; nothing unwritten is returned."""
    ibans = find_ibans(text)
    quoted = find_quoted_purpose(text)
    fixed = [slot.span for slot in ibans] + ([quoted.span] if quoted else [])
    fixed += [Span(m.start(), m.end(), m[0]) for m in _LINKS.finditer(text)]
    left = without(text, fixed)
    left = without(left, find_card_numbers(left))
    dates = read_date(left, today=today)
    period = read_period(left, today=today)
    left = without(left, dates.spans)
    spoken = without(left, [period.span]) if period else left
    amount = read_amount(spoken, original=text)
    if amount.amount:
        left = without(left, [amount.amount.span])
    about, target = find_accounts(left)
    own = [slot.span for slot in (about, target) if slot]
    payee, purpose, spans = _who_and_why(without(left, own), text, payees, quoted)
    slots = Slots(
        amount=amount.amount,
        date=dates.date,
        iban=ibans[0] if len(ibans) == 1 else None,
        payee=payee,
        purpose=purpose,
        card=find_card(without(text, [slot.span for slot in ibans])),
        category=find_category(left),
        merchant=find_merchant(left),
        period=period,
        account_kind=about,
        target_account_kind=target,
        ibans=ibans,
    )
    refusals = (*amount.refusals, *dates.refusals, *_iban_refusals(ibans), *_payee_refusals(payee))
    return Extraction(slots, refusals, spans)


def _who_and_why(
    left: str, text: str, payees: Sequence[KnownPayee], quoted: TextSlot | None
) -> tuple[PayeeSlot | None, TextSlot | None, tuple[Span, ...]]:
    """Return payee, purpose and places of payees; a known name right behind "for" is the payee."""
    places = find_people(left, payees)
    purpose = quoted or find_purpose(left, original=text)
    inside = [place for place in places if purpose and _is_inside(place[0], purpose.span)]
    outside = [place for place in places if place not in inside]
    payee = choose_people(left, outside)
    if payee is None and inside and purpose and inside[0][0].start == purpose.span.start:
        payee, purpose = choose_people(left, inside), _purpose_behind(left, text, inside[0][0])
    if payee is None:
        payee = find_unknown_name(without(left, [purpose.span] if purpose else []))
    if purpose is None:
        blanked = [place[0] for place in places] + ([payee.span] if payee else [])
        purpose = find_purpose_noun(without(left, blanked))
    spans = tuple(place[0] for place in places)
    return _as_written(payee, text), purpose, spans


def _purpose_behind(left: str, text: str, span: Span) -> TextSlot | None:
    return find_purpose(without(left, [Span(0, span.end, "")]), original=text)


def _as_written(payee: PayeeSlot | None, text: str) -> PayeeSlot | None:
    if payee is None:
        return None
    span = payee.span
    return replace(payee, span=replace(span, text=text[span.start : span.end]))


def _is_inside(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _iban_refusals(ibans: Sequence[IbanSlot]) -> tuple[Refusal, ...]:
    if len({slot.value for slot in ibans}) > 1:
        return (refusal("several_ibans", ibans[-1].span),)
    if not ibans or ibans[0].is_valid:
        return ()
    has_length = has_known_length(ibans[0].value)
    code = "iban_wrong_check_digits" if has_length else "iban_unknown_form"
    return (refusal(code, ibans[0].span),)


def _payee_refusals(payee: PayeeSlot | None) -> tuple[Refusal, ...]:
    return (refusal("several_payees", payee.span),) if payee and len(payee.candidates) > 1 else ()
