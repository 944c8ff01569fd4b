"""Everything a decision needs from the database, in one round trip and one consistent look."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sentinel.limits import DAILY_OUTGOING
from sentinel.store import run_one

_GATHER = """
SELECT sentinel_gather(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What to look up for one proposed action."""

    at: datetime
    scopes: list[str]
    subject: str
    holder: str
    customer: str
    currency: str
    idempotency_key: str
    case_id: UUID
    kind: str
    is_serial: bool


@dataclass(frozen=True, slots=True)
class ApprovalOnFile:
    """An approval request of this case and kind that has not been used."""

    id: UUID
    role: str
    state: str
    params_hash: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ChallengeOnFile:
    """A second-factor challenge of this case and kind that has not been used."""

    id: UUID
    params_hash: str
    attempts: int
    expires_at: datetime
    satisfied_at: datetime | None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the database knows when a decision is taken. `now` is the database's clock."""

    now: datetime
    publications: str
    epoch: int
    stopped: tuple[str, ...]
    wrapped_key: bytes | None
    caps: Mapping[str, int]
    used_minor: int
    spent: Mapping[str, Any] | None
    approvals: tuple[ApprovalOnFile, ...]
    challenges: tuple[ChallengeOnFile, ...]
    exempted: tuple[int, int]
    oldest_pending: datetime | None


def gather(question: Question) -> Gathered:
    """Return what the database knows, after locking the subject if the action is serial."""
    ((text,),) = run_one(_GATHER, _parameters(question))
    found = json.loads(text)
    epoch, stopped = found["switches"]
    pending = found["pending"]
    return Gathered(
        now=datetime.fromisoformat(found["now"]),
        publications=found["publications"],
        epoch=epoch,
        stopped=tuple(stopped or ()),
        wrapped_key=None if found["key"] is None else bytes.fromhex(found["key"]),
        caps=found["caps"] or {},
        used_minor=found["used"] or 0,
        spent=found["spent"],
        approvals=tuple(_approval(item) for item in found["approvals"] or ()),
        challenges=tuple(_challenge(item) for item in found["challenges"] or ()),
        exempted=tuple(found["exempted"] or (0, 0)),
        oldest_pending=datetime.fromisoformat(pending) if pending else None,
    )


def _parameters(question: Question) -> Sequence[object]:
    return (
        question.is_serial,
        question.at,
        # One text costs the driver less than an array, and no scope holds a space.
        " ".join(question.scopes),
        question.subject,
        question.holder,
        question.customer,
        question.currency,
        question.at.date(),
        DAILY_OUTGOING,
        question.idempotency_key,
        question.case_id,
        question.kind,
    )


def _approval(item: Mapping[str, Any]) -> ApprovalOnFile:
    return ApprovalOnFile(
        UUID(item["id"]),
        item["role"],
        item["state"],
        item["params"],
        datetime.fromisoformat(item["expires"]),
    )


def _challenge(item: Mapping[str, Any]) -> ChallengeOnFile:
    satisfied = item["satisfied"]
    return ChallengeOnFile(
        UUID(item["id"]),
        item["params"],
        item["attempts"],
        datetime.fromisoformat(item["expires"]),
        datetime.fromisoformat(satisfied) if satisfied else None,
    )
