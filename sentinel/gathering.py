"""Everything a decision needs from the database, in one round trip and one consistent look."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sentinel.authority import AuthorityOnFile
from sentinel.counting import Dimension, Standing, Standings
from sentinel.emergency.standing import EmergencyOnFile, emergency_on_file
from sentinel.history import AGENT_SECONDS, NOTHING_EARLIER, Earlier, earlier_of
from sentinel.refusals import SentinelError
from sentinel.store import run_one
from sentinel.vocabulary import Money, Principal

_GATHER = """
SELECT sentinel_gather(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s),
  sentinel_earlier(%s, %s, %s), sentinel_is_shut(frontline_entity(), %s), NULL
"""
# Only an employee who acts without a machine can have broken glass: nobody else pays for it.
_GATHER_FOR_BREAKER = _GATHER.replace("NULL", "sentinel_emergency_for(%s, %s, %s)")


class GateShut(SentinelError):
    """A backup was put back, and the gate has not been opened since."""

    code = "gate_shut"
    is_retryable = True


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
    holders: list[str]
    dimensions: tuple[Dimension, ...]
    agents: list[str]
    breaker: Principal | None = None


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
    stopped_rules: frozenset[str]
    wrapped_key: bytes | None
    caps: Mapping[str, int]
    standings: Standings
    spent: Mapping[str, Any] | None
    approvals: tuple[ApprovalOnFile, ...]
    challenges: tuple[ChallengeOnFile, ...]
    exempted: tuple[int, int]
    oldest_pending: datetime | None
    earlier: Earlier | None = NOTHING_EARLIER
    authorities: tuple[AuthorityOnFile, ...] = ()
    emergency: EmergencyOnFile | None = None


def gather(question: Question) -> Gathered:
    """Return what the database knows, after locking the subject if the action is serial.

    Raises:
        GateShut: a backup was put back, and nothing of this kind is judged yet.
    """
    sql, asked = _GATHER, _parameters(question)
    if question.breaker is not None:
        who = (question.breaker.id, question.breaker.person_id)
        sql, asked = _GATHER_FOR_BREAKER, (*asked, *who, question.kind)
    ((text, earlier, is_gate_shut, emergency),) = run_one(sql, asked)
    if is_gate_shut:
        raise GateShut
    found = json.loads(text)
    epoch, stopped, stopped_rules = found["switches"]
    pending = found["pending"]
    return Gathered(
        now=datetime.fromisoformat(found["now"]),
        publications=found["publications"],
        epoch=epoch,
        stopped=tuple(stopped or ()),
        stopped_rules=frozenset(stopped_rules or ()),
        wrapped_key=None if found["key"] is None else bytes.fromhex(found["key"]),
        caps=found["caps"] or {},
        standings=tuple(Standing(*item) for item in found["limits"] or ()),
        spent=found["spent"],
        approvals=tuple(_approval(item) for item in found["approvals"] or ()),
        challenges=tuple(_challenge(item) for item in found["challenges"] or ()),
        exempted=tuple(found["exempted"] or (0, 0)),
        oldest_pending=datetime.fromisoformat(pending) if pending else None,
        authorities=tuple(authority_on_file(item) for item in found["authorities"] or ()),
        earlier=earlier_of(earlier),
        emergency=emergency_on_file(emergency),
    )


def _parameters(question: Question) -> tuple[object, ...]:
    return (
        question.is_serial,
        question.at,
        # One text costs the driver less than an array, and no scope holds a space.
        " ".join(question.scopes),
        question.subject,
        question.holder,
        question.customer,
        question.currency,
        " ".join(each.asked() for each in question.dimensions),
        question.idempotency_key,
        question.case_id,
        question.kind,
        " ".join(question.holders),
        question.case_id,
        " ".join(question.agents),
        AGENT_SECONDS,
        question.kind,
    )


def authority_on_file(item: Mapping[str, Any]) -> AuthorityOnFile:
    """Return a row of `sentinel_authorities`."""
    cap = item["cap"]
    return AuthorityOnFile(
        id=UUID(item["id"]),
        kind=item["kind"],
        holder=item["holder"],
        person=item["person"],
        role=item["role"],
        powers=item["powers"],
        cap=None if cap is None else Money(cap, item["currency"]),
        on_behalf_of=item["behalf"],
        is_standing=item["stands"],
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
