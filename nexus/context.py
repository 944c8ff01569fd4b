"""Context packages: what may be used for a purpose, within a budget, stamped with a digest."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sentinel.public
from nexus.facts import Fact, facts_of
from sentinel.public import count_written

# The purposes a bank begins with. Which classes each may use (GDPR Art. 5(1)(b)), and whether the
# customer agreed, is asked of Sentinel; an unknown purpose may use none.
PURPOSES = sentinel.public.shipped_purposes()

# Facts older than this are left out: a decision must not rest on them without a fresh look.
AGE_MAX: Mapping[str, timedelta] = {
    "risk": timedelta(days=30),
    "behaviour": timedelta(days=400),
}


class PurposeUnknown(LookupError):
    """No such purpose is declared, so nothing may be used for it."""

    code = "purpose_unknown"
    is_retryable = False

    def __init__(self, purpose: str) -> None:
        super().__init__(purpose)
        self.purpose = purpose


@dataclass(frozen=True, slots=True)
class ContextItem:
    """One fact handed over, with where it came from and how old it was."""

    fact_id: UUID
    subject: str
    name: str
    value: object
    source: str
    purpose_class: str
    age_seconds: int


@dataclass(frozen=True, slots=True)
class Omission:
    """What was left out, and why: not permitted, not agreed to, too old, or over the budget."""

    subject: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ContextSnapshot:
    """A purpose-limited package; `digest` (hex SHA-256) covers items and omissions alike."""

    id: UUID
    purpose: str
    taken_at: datetime
    digest: str
    items: tuple[ContextItem, ...]
    omitted: tuple[Omission, ...]


@dataclass(frozen=True, slots=True)
class ContextRequest:
    """Whose context, for which purpose and case; the budget counts characters of the values."""

    subjects: tuple[str, ...]
    purpose: str
    case_id: UUID | None = None
    budget_characters: int = 12_000
    pinned: tuple[str, ...] = ()


def context_for(*, request: ContextRequest, snapshot_id: UUID, at: datetime) -> ContextSnapshot:
    """Assemble, keep and return the context that a purpose permits, as of a time.

    Pinned names come first and are never dropped for the budget; the rest follows newest first.

    Raises:
        PurposeUnknown: the purpose is not declared.
    """
    customers = [f"customer:{each[6:]}" for each in request.subjects if each.startswith("party:")]
    refusals = sentinel.public.data_refusals(purpose=request.purpose, subjects=customers)
    if refusals is None:
        raise PurposeUnknown(request.purpose)
    facts = facts_of(subjects=request.subjects, as_of=at)
    kept, omitted = _select(facts, request, refusals, at)
    snapshot = ContextSnapshot(
        id=snapshot_id,
        purpose=request.purpose,
        taken_at=at,
        digest=_digest(request, kept, omitted),
        items=tuple(kept),
        omitted=tuple(omitted),
    )
    _keep(snapshot, request)
    return snapshot


def _select(
    facts: Sequence[Fact],
    request: ContextRequest,
    refusals: Mapping[str, str],
    at: datetime,
) -> tuple[list[ContextItem], list[Omission]]:
    kept: list[ContextItem] = []
    omitted: list[Omission] = []
    left = request.budget_characters
    for fact in _by_priority(facts, request.pinned):
        size = len(json.dumps(fact.value))
        reason = _refusal(fact, refusals, at)
        if not reason and fact.name not in request.pinned and size > left:
            reason = "over_budget"
        if reason:
            omitted.append(Omission(fact.subject, fact.name, reason))
        else:
            left -= size
            kept.append(_item(fact, at))
    return kept, omitted


def _by_priority(facts: Sequence[Fact], pinned: tuple[str, ...]) -> list[Fact]:
    newest_first = sorted(facts, key=lambda fact: (fact.valid_from, str(fact.id)), reverse=True)
    return sorted(newest_first, key=lambda fact: fact.name not in pinned)


def _refusal(fact: Fact, refusals: Mapping[str, str], at: datetime) -> str:
    refused = refusals.get(fact.purpose_class, "not_permitted_for_purpose")
    if refused:
        return refused
    oldest = AGE_MAX.get(fact.purpose_class)
    if oldest is not None and at - fact.valid_from > oldest:
        return "stale"
    return ""


def _item(fact: Fact, at: datetime) -> ContextItem:
    return ContextItem(
        fact_id=fact.id,
        subject=fact.subject,
        name=fact.name,
        value=fact.value,
        source=fact.source,
        purpose_class=fact.purpose_class,
        age_seconds=max(0, int((at - fact.valid_from).total_seconds())),
    )


def _digest(
    request: ContextRequest, kept: Sequence[ContextItem], omitted: Sequence[Omission]
) -> str:
    value = {
        "purpose": request.purpose,
        "items": [{"id": str(item.fact_id), "value": item.value} for item in kept],
        "omitted": [[each.subject, each.name, each.reason] for each in omitted],
    }
    return sentinel.public.digest(domain="context", value=value)


def _keep(snapshot: ContextSnapshot, request: ContextRequest) -> None:
    """Keep which facts were handed over, not their values: those stay where they are."""
    body = {
        "facts": [str(item.fact_id) for item in snapshot.items],
        "omitted": [[each.subject, each.name, each.reason] for each in snapshot.omitted],
        "subjects": list(request.subjects),
    }
    count_written(
        sql="INSERT INTO nexus_snapshot (id, subject, purpose, case_id, digest, body, taken_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        parameters=[
            snapshot.id,
            request.subjects[0],
            request.purpose,
            request.case_id,
            snapshot.digest,
            json.dumps(body),
            snapshot.taken_at,
        ],
    )
