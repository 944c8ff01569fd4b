"""Everything the bank holds about one person, as GDPR 15 asks for it: for a page and as JSON.

What is held by category, with its source, what for, how long and on which ground; who received or
read it; and each decision with its logic. Asking for it is itself an access, on record.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

import nexus.public
import orchestration.public
import sentinel.public
from interaction.conversation import all_said
from sentinel.vocabulary import Principal

BOOKINGS_MAX = 500
RIGHTS = (
    "to have what is wrong put right (GDPR 16)",
    "to have it erased, where no duty keeps it (GDPR 17)",
    "to have its use restricted, or to object to it (GDPR 18, 21)",
    "to have a person look at a decision that was made by rules alone (GDPR 22)",
    "to complain to the supervisory authority (GDPR 77)",
)


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of data: where it came from, what for, on which ground, how long, and the data."""

    name: str
    source: str
    purpose: str
    ground: str
    retention: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class AccessReport:
    """What is held about one person at one time."""

    customer_id: UUID
    entity: str
    made_at: datetime
    known_since: datetime | None
    forgotten_at: datetime | None
    categories: tuple[Category, ...]
    purposes: tuple[tuple[str, int], ...]
    recipients: tuple[tuple[str, int], ...]
    accesses: tuple["sentinel.public.AccessAbout", ...]
    decisions: tuple["sentinel.public.DecisionAbout", ...]
    rights: tuple[str, ...] = RIGHTS

    @property
    def automated(self) -> tuple["sentinel.public.DecisionAbout", ...]:
        """The decisions that rules alone took."""
        return tuple(each for each in self.decisions if each.is_automated)


@cache
def personal_stores() -> Mapping[str, Any]:
    """Return which stores an erasure destroys, and which stay, on which ground and how long."""
    text = Path(__file__).with_name("personal_data.json").read_text(encoding="utf-8")
    stores: Mapping[str, Any] = json.loads(text)
    return stores


def access_report(*, customer_id: UUID, asked_by: Principal, at: datetime) -> AccessReport | None:
    """Return everything held about a person, and record that it was asked for; None if nobody.

    Raises:
        sentinel.public.EntityNotSet: no legal entity is being worked for.
    """
    subject = f"customer:{customer_id}"
    standing = sentinel.public.subject_standing(subject=subject)
    state = _state(customer_id)
    if standing is None and state is None:
        return None
    cases = orchestration.public.cases_about(customer_id=customer_id)
    files = orchestration.public.documents_about(customer_id=customer_id)
    with transaction.atomic():
        sentinel.public.record_access(
            principal=asked_by, resource=f"access_report:{customer_id}", is_granted=True, at=at
        )
        decisions = sentinel.public.decisions_about(subject=subject)
        accesses = sentinel.public.accesses_about(resources=_resources(customer_id, cases, files))
    sent = Counter(each.sent_to for each in decisions if each.sent_to)
    # Which colleague looked is for compliance to know; the person learns that colleagues did.
    is_own = asked_by.id == subject
    read = Counter(
        each.principal_id.partition(":")[0] if is_own else each.principal_id
        for each in accesses
        if each.result == "read"
    )
    return AccessReport(
        customer_id=customer_id,
        entity=sentinel.public.current_entity(),
        made_at=at,
        known_since=standing.known_since if standing else None,
        forgotten_at=standing.forgotten_at if standing else None,
        categories=_categories(customer_id, state, cases, files),
        purposes=tuple(Counter(each.purpose for each in decisions).most_common()),
        recipients=tuple((sent + read).most_common()),
        accesses=() if is_own else accesses,
        decisions=decisions,
    )


def _resources(
    customer_id: UUID,
    cases: Iterable["orchestration.public.CaseRecord"],
    files: Iterable["orchestration.public.Document"],
) -> list[str]:
    """Return everything whose reading is a reading about this person."""
    return [
        f"customer:{customer_id}",
        f"access_report:{customer_id}",
        f"evidence:customer-{customer_id}",
        *(f"case:{each.id}" for each in cases),
        *(f"evidence:case-{each.id}" for each in cases),
        *(f"document:{each.id}" for each in files),
    ]


def _categories(
    customer_id: UUID,
    state: "nexus.public.CustomerState | None",
    cases: Iterable["orchestration.public.CaseRecord"],
    files: Iterable["orchestration.public.Document"],
) -> tuple[Category, ...]:
    every = (
        *_known(state),
        _bookings(customer_id),
        _facts(customer_id),
        _conversations(customer_id),
        _files(files),
        _cases(cases),
    )
    return tuple(each for each in every if each.rows)


def as_json(*, report: AccessReport) -> str:
    """Return a report as JSON, with where what is kept is kept."""
    said = {**asdict(report), "stores": personal_stores()}
    return json.dumps(said, indent=2, ensure_ascii=False, default=_text)


def _state(customer_id: UUID) -> "nexus.public.CustomerState | None":
    try:
        return nexus.public.customer_state(customer_id=customer_id)
    except nexus.public.CustomerUnknown:
        return None


def _known(state: "nexus.public.CustomerState | None") -> Iterable[Category]:
    if state is None:
        return
    core, contract = "the bank's core system", "the contract with you"
    due = ("GDPR 6(1)(b) and (c)", "7 years after the relationship ends")
    party = tuple((name, _text(value)) for name, value in sorted(state.party.items()))
    yield Category("Who you are", core, contract, *due, ("What", "Value"), party)
    yield _listed(("Accounts", core, contract, *due), state.accounts)
    yield _listed(("Cards", core, contract, *due), state.cards)
    yield _listed(("Payees", "you", contract, *due), state.payees)


def _bookings(customer_id: UUID) -> Category:
    found: list[nexus.public.Booking] = []
    before: str | None = None
    while len(found) < BOOKINGS_MAX:
        page = nexus.public.transactions(customer_id=customer_id, before=before, limit=100)
        found += page.bookings
        before = page.before
        if before is None:
            break
    head = ("Bookings", "you, and who paid you", "the contract with you", "GDPR 6(1)(b) and (c)")
    note = f"The latest {BOOKINGS_MAX}; statements hold the others." if before else ""
    return _listed((*head, "7 years after the year of the booking"), found, note=note)


def _facts(customer_id: UUID) -> Category:
    rows = nexus.public.facts_of(subjects=[f"customer:{customer_id}", f"party:{customer_id}"])
    return Category(
        "What is known of you",
        "named with each",
        "serving you, and the duty to know whom the bank serves",
        "GDPR 6(1)(b) and (c)",
        "5 years after the relationship ends",
        ("What", "Value", "Source", "Since", "Class"),
        tuple(
            (each.name, _text(each.value), each.source, _text(each.valid_from), each.purpose_class)
            for each in rows
        ),
    )


def _conversations(customer_id: UUID) -> Category:
    return Category(
        "What was said",
        "you, the assistant and colleagues",
        "answering you",
        "GDPR 6(1)(b)",
        "until you are forgotten",
        ("When", "Who", "Words"),
        tuple((_text(each.said_at), each.author, each.text) for each in all_said(customer_id)),
    )


def _files(files: Iterable["orchestration.public.Document"]) -> Category:
    return Category(
        "Files you handed in",
        "you",
        "doing what you asked for",
        "GDPR 6(1)(b)",
        "until you are forgotten",
        ("When", "Name", "Type", "Bytes", "What was read from it"),
        tuple(
            (
                _text(each.received_at),
                each.name,
                each.media_type,
                str(each.size),
                _text(dict(each.reading)),
            )
            for each in files
        ),
    )


def _cases(cases: Iterable["orchestration.public.CaseRecord"]) -> Category:
    return Category(
        "Cases",
        "you, and the bank's work for you",
        "doing what you asked for, and proving that it was done",
        "GDPR 6(1)(b) and (f)",
        "5 years after the case is closed",
        ("Number", "About", "State", "Opened", "Closed"),
        tuple(
            (each.number, each.title, each.state, _text(each.opened_at), _text(each.closed_at))
            for each in cases
        ),
    )


def _listed(head: tuple[str, str, str, str, str], items: Iterable[Any], note: str = "") -> Category:
    """Return dataclasses of one kind as a category, a column for each field."""
    rows = list(items)
    names = [each.name for each in fields(rows[0])] if rows and is_dataclass(rows[0]) else []
    return Category(
        *head,
        tuple(name.replace("_", " ").capitalize() for name in names),
        tuple(tuple(_text(getattr(row, name)) for name in names) for row in rows),
        note,
    )


def _in_words(value: Mapping[str, object]) -> str:
    """Return what is known as a person reads it: each name and what it is, but nothing empty."""
    said = ((name.replace("_", " "), _text(item)) for name, item in value.items())
    return "; ".join(f"{name}: {item}" for name, item in said if item)


_TEXTS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (datetime, lambda value: value.isoformat(timespec="seconds")),
    (date, lambda value: value.isoformat()),
    (bool, lambda value: "yes" if value else "no"),
    (dict, _in_words),
)


def _text(value: object) -> str:
    if value is None:
        return ""
    return next((say(value) for kind, say in _TEXTS if isinstance(value, kind)), str(value))
