"""The shipped models and a customer's payees, as the unit tests use them."""

import json
from datetime import date
from functools import cache
from uuid import UUID

from intelligence.artefact_files import SHIPPED
from intelligence.capabilities.dialogue import NO_DIALOGUE
from intelligence.capabilities.slots.values import KnownPayee
from intelligence.capabilities.understanding import understand
from intelligence.providers import local

TODAY = date(2026, 11, 21)  # a Saturday
PAYEES = tuple(
    KnownPayee(UUID(int=number), name, aliases)
    for number, (name, aliases) in enumerate(
        [
            ("Hendriks Vastgoed B.V.", ("landlord",)),
            ("Bob Jansen", ()),
            ("Anna Bakker", ()),
            ("Sophie van Dijk", ()),
        ],
        start=1,
    )
)


@cache
def entries():
    return {entry["artefact"]: entry for entry in json.loads((SHIPPED / "index.json").read_text())}


def model(name="intent.understand-1"):
    entry = entries()[name]
    return local.load(artefact=entry["artefact"], digest=entry["digest"])


def meaning_of(text, dialogue=NO_DIALOGUE, payees=PAYEES, name="intent.understand-1"):
    return understand(text=text, today=TODAY, payees=payees, dialogue=dialogue, model=model(name))


def said(text, dialogue=NO_DIALOGUE):
    """Return the intent and the filled slots in a form that is easy to compare."""
    meaning = meaning_of(text, dialogue)
    found = {}
    for slot in meaning.slots.names():
        value = getattr(meaning.slots, slot)
        found[slot] = _plain(slot, value)
    return meaning.intent.value, found


def _plain(slot, value):
    if slot == "amount":
        return (value.minor_units, value.currency)
    if slot == "payee":
        names = [candidate.name for candidate in value.candidates]
        return names[0] if len(names) == 1 else (names or f"?{value.span.text}")
    if slot == "period":
        return (value.first.isoformat(), value.last.isoformat())
    if slot == "card":
        return (value.last_four, value.kind, value.is_all)
    if slot == "date":
        return value.value.isoformat()
    return value.value
