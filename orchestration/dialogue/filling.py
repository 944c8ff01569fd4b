"""From what a message names to the parameters of a request, each with where it came from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import intelligence.public
import nexus.public
from orchestration import act, journeys
from orchestration.dialogue.drafts import Draft
from orchestration.journeys import Slot
from orchestration.wording import filled, iban_words
from sentinel.vocabulary import Provenance, Source

REMITTANCE_LENGTH_MAX = 140


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says something, where and when; `reference` names the message as a source."""

    customer_id: UUID
    reference: str
    at: datetime

    @property
    def typed(self) -> Source:
        """Return the source of what the customer typed."""
        return Source(Provenance.CUSTOMER_TYPED, self.reference)

    @property
    def selected(self) -> Source:
        """Return the source of what the customer chose from a card."""
        return Source(Provenance.CUSTOMER_SELECTED, self.reference)


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers of a choice card."""

    value: str
    label: str
    detail: str


@dataclass(frozen=True, slots=True)
class Question:
    """What must be asked before the request can go on; with options it becomes a card."""

    slot: str
    words: str
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Filling:
    """A draft after a message, and what must be asked about a slot that could not be read."""

    draft: Draft
    question: Question | None = None


Reader = Callable[[str, Slot, intelligence.public.Slots, Draft, Speaker], Filling]


def fill(
    slots: Mapping[str, Slot],
    named: intelligence.public.Slots,
    draft: Draft,
    speaker: Speaker,
) -> Filling:
    """Return the draft with everything a message names, and the first question that is open."""
    question: Question | None = None
    for name, slot in slots.items():
        found = _READERS[slot.type](name, slot, named, draft, speaker)
        draft, question = found.draft, question or found.question
    return Filling(draft, question or _missing(slots, draft))


def _missing(slots: Mapping[str, Slot], draft: Draft) -> Question | None:
    for name, slot in slots.items():
        if slot.required and any(target not in draft.values for target in slot.fills.values()):
            return Question(name, slot.question)
    return None


def _amount(
    _name: str, slot: Slot, named: intelligence.public.Slots, draft: Draft, speaker: Speaker
) -> Filling:
    if named.amount is None:
        return Filling(draft)
    currency = named.amount.currency or _currency(speaker.customer_id)
    value = {"minor_units": named.amount.minor_units, "currency": currency}
    return Filling(draft.with_value(slot.fills["amount"], value, speaker.typed))


def _currency(customer_id: UUID) -> str:
    account = default_account(customer_id)
    return account.currency if account else "EUR"


def _payee(
    name: str, slot: Slot, named: intelligence.public.Slots, draft: Draft, speaker: Speaker
) -> Filling:
    name_field, iban_field = slot.fills["name"], slot.fills["iban"]
    if named.iban is not None and named.iban.is_valid:
        draft = _with_number(draft, slot, named.iban.value, speaker)
    if named.payee is not None:
        if len(named.payee.candidates) > 1 and named.iban is None:
            return Filling(
                draft.without(name_field, iban_field), _which_payee(name, named, speaker)
            )
        draft = _with_name(draft, slot, named, speaker)
    if name_field in draft.values and iban_field not in draft.values:
        words = filled(journeys.words("payee_unknown"), {"name": draft.values[name_field]})
        return Filling(draft, Question(name, words))
    if iban_field in draft.values and name_field not in draft.values:
        return Filling(draft, Question(name, journeys.words("payee_name_missing")))
    return Filling(draft)


def _with_name(
    draft: Draft, slot: Slot, named: intelligence.public.Slots, speaker: Speaker
) -> Draft:
    """Take a payee named: a known one brings their number, a new one only the name."""
    assert named.payee is not None
    name_field, iban_field = slot.fills["name"], slot.fills["iban"]
    if named.payee.payee is None:
        if named.iban is None and iban_field in draft.values and name_field in draft.values:
            draft = draft.without(iban_field)
        text = " ".join(named.payee.span.text.split())
        return draft.with_value(name_field, text, speaker.typed)
    if named.iban is not None:
        return draft.with_value(name_field, named.payee.payee.name, speaker.typed)
    return with_payee(draft, slot, named.payee.payee.payee_id, speaker)


def with_payee(draft: Draft, slot: Slot, payee_id: UUID, speaker: Speaker) -> Draft:
    """Return the draft with a known payee: name and number come from the bank's records."""
    known = nexus.public.payees_of(customer_id=speaker.customer_id)
    payee = next((each for each in known if each.payee_id == payee_id), None)
    if payee is None:
        return draft
    source = Source(Provenance.SYSTEM_OF_RECORD, f"payee:{payee.payee_id}")
    draft = draft.with_value(slot.fills["name"], payee.name, source)
    return draft.with_value(slot.fills["iban"], payee.iban, source)


def _with_number(draft: Draft, slot: Slot, iban: str, speaker: Speaker) -> Draft:
    """Take an account number typed; if it is a known payee's or an own one, the name is known."""
    draft = draft.with_value(slot.fills["iban"], iban, speaker.typed)
    name_field = slot.fills["name"]
    known = nexus.public.payees_of(customer_id=speaker.customer_id)
    payee = next((each for each in known if each.iban == iban), None)
    if payee is not None:
        source = Source(Provenance.SYSTEM_OF_RECORD, f"payee:{payee.payee_id}")
        return draft.with_value(name_field, payee.name, source)
    state = nexus.public.customer_state(customer_id=speaker.customer_id)
    if iban in {each.iban for each in state.accounts}:
        source = Source(Provenance.SYSTEM_OF_RECORD, f"party:{speaker.customer_id}")
        return draft.with_value(name_field, str(state.party["name"]), source)
    return draft


def _which_payee(name: str, named: intelligence.public.Slots, speaker: Speaker) -> Question:
    assert named.payee is not None
    known = {
        each.payee_id: each for each in nexus.public.payees_of(customer_id=speaker.customer_id)
    }
    options = tuple(
        Option(str(each.payee_id), each.name, iban_words(known[each.payee_id].iban))
        for each in named.payee.candidates
        if each.payee_id in known
    )
    return Question(name, journeys.words("which_payee"), options)


def _date(
    name: str, slot: Slot, named: intelligence.public.Slots, draft: Draft, speaker: Speaker
) -> Filling:
    if named.date is None:
        return Filling(draft)
    if named.date.value > speaker.at.date():
        return Filling(draft, Question(name, journeys.words("date_later")))
    today = (act.booking_day() or speaker.at.date()).isoformat()
    return Filling(draft.with_value(slot.fills["date"], today, speaker.typed))


def _text(
    _name: str, slot: Slot, named: intelligence.public.Slots, draft: Draft, speaker: Speaker
) -> Filling:
    if named.purpose is None:
        return Filling(draft)
    text = printable(named.purpose.value)[:REMITTANCE_LENGTH_MAX]
    return Filling(draft.with_value(slot.fills["text"], text, speaker.typed))


def printable(text: str) -> str:
    """Return text without characters that are not shown, its spaces evened out."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _account(
    _name: str, slot: Slot, named: intelligence.public.Slots, draft: Draft, speaker: Speaker
) -> Filling:
    if named.account_kind is None:
        return Filling(draft)
    state = nexus.public.customer_state(customer_id=speaker.customer_id)
    wanted = named.account_kind.value
    account = next((each for each in state.accounts if each.kind.endswith(wanted)), None)
    if account is None:
        return Filling(draft)
    return Filling(draft.with_value(slot.fills["account"], str(account.account_id), speaker.typed))


def default_account(customer_id: UUID) -> nexus.public.AccountView | None:
    """Return the account a customer pays from unless they say otherwise: the first current one."""
    state = nexus.public.customer_state(customer_id=customer_id)
    usable = [each for each in state.accounts if each.status == "open"]
    current = [each for each in usable if each.kind == "customer_current"]
    return next(iter(current or usable), None)


def _card(
    name: str, slot: Slot, named: intelligence.public.Slots, draft: Draft, speaker: Speaker
) -> Filling:
    """A card is always chosen on a card of the conversation, since blocking is for good."""
    if slot.fills["card"] in draft.values:
        return Filling(draft)
    state = nexus.public.customer_state(customer_id=speaker.customer_id)
    active = [each for each in state.cards if each.status == "active"]
    if named.card is not None and not named.card.is_all:
        active = [each for each in active if _is_meant(each, named.card)] or active
    if not active:
        return Filling(draft, Question(name, journeys.words("no_card")))
    options = tuple(Option(str(each.card_id), card_name(each), each.product) for each in active)
    nothing = Option("none", "Do not block a card", "")
    return Filling(draft, Question(name, slot.question, (*options, nothing)))


def _is_meant(card: nexus.public.CardView, named: intelligence.public.CardSlot) -> bool:
    if named.last_four is not None:
        return card.last_four == named.last_four
    return named.kind is None or named.kind in card.product.casefold()


def card_name(card: nexus.public.CardView) -> str:
    """Return a card as people call it: "Visa card ending 1234"."""
    return f"{card.scheme.title()} card ending {card.last_four}"


_READERS: Mapping[str, Reader] = {
    "amount": _amount,
    "payee": _payee,
    "date": _date,
    "text": _text,
    "account": _account,
    "card": _card,
}
# What a message names that a slot of a type is filled from.
_NAMED: Mapping[str, tuple[str, ...]] = {
    "amount": ("amount",),
    "payee": ("payee", "iban"),
    "date": ("date",),
    "text": ("purpose",),
    "account": ("account_kind",),
    "card": ("card",),
}


def is_named(slot: Slot, named: intelligence.public.Slots) -> bool:
    """Tell whether a message names anything that a slot is filled from."""
    return not set(_NAMED[slot.type]).isdisjoint(named.names())
