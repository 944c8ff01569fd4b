"""Who may give the second person's answer: another human being, with the role, free of interest.

A role may come by authority, within its kinds, its cap and its time; a mandate caps what somebody
may approve. Whoever stands in for a participant counts as that participant. How the approver is
related to those whom the action touches is attested like any fact, and a relation refuses.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db import connection

from sentinel.authority import weigh
from sentinel.catalogue import AMOUNT_LIMIT, UnknownAction, action_kind
from sentinel.facts import FactKind, attest
from sentinel.gathering import authority_on_file
from sentinel.refusals import SentinelError
from sentinel.vocabulary import Fact, Money, Principal

RELATIONS = ("approver_to_beneficiary", "approver_to_customer")
UNRELATED = "none"
RELATION_SECONDS_MAX = 300
_KINDS = {name: FactKind(type="String", max_age_seconds=RELATION_SECONDS_MAX) for name in RELATIONS}
_AUTHORITIES = """
SELECT sentinel_authorities(%s, %s, %s)::text, sentinel_stands_in(%s, %s, %s, %s, %s)
"""


class ApprovalRefused(SentinelError):
    """This person cannot give this answer to this approval request."""

    code = "approval_refused"

    def __init__(self, request_id: str) -> None:
        super().__init__(request_id)
        self.request_id = request_id


class ApprovalByParticipant(ApprovalRefused):
    """The approver takes part in the action: the initiator, or somebody in the chain."""

    code = "approval_by_participant"


class ApprovalBySamePerson(ApprovalRefused):
    """The approver is the same human being as a participant, under another account."""

    code = "approval_by_same_person"


class ApprovalByDelegate(ApprovalRefused):
    """The approver stands in for a participant in this, or a participant for the approver."""

    code = "approval_by_delegate"


class ApprovalWrongRole(ApprovalRefused):
    """The approver does not have the role that must approve, or is not a person."""

    code = "approval_wrong_role"


class ApprovalBeyondMandate(ApprovalRefused):
    """The amount is more than the approver may approve, or their mandate has ended."""

    code = "approval_beyond_mandate"


class ApprovalConflict(ApprovalRefused):
    """The approver is related to somebody the action touches; `relation` says how."""

    code = "approval_conflict"

    def __init__(self, request_id: str, relation: str) -> None:
        super().__init__(request_id)
        self.args = (request_id, relation)
        self.relation = relation


class ApprovalFactsMissing(ApprovalRefused):
    """It is not attested, or not any more, how the approver is related; `fact` names which."""

    code = "approval_facts_missing"

    def __init__(self, request_id: str, fact: str) -> None:
        super().__init__(request_id)
        self.args = (request_id, fact)
        self.fact = fact


class ApprovalOtherParameters(ApprovalRefused):
    """The approver looked at other parameters than those the request is for."""

    code = "approval_other_parameters"


class ApprovalAnswered(ApprovalRefused):
    """Somebody has answered this request already."""

    code = "approval_answered"


class ApprovalClosed(ApprovalRefused):
    """The request has expired or was closed."""

    code = "approval_closed"


class ApprovalTooSoon(ApprovalRefused):
    """This person answered something else of high risk a moment ago; so fast, nobody looks."""

    code = "approval_too_soon"
    is_retryable = True


class Asked(Protocol):
    """What a request says that decides who may answer it."""

    @property
    def id(self) -> UUID: ...  # noqa: D102
    @property
    def action_kind(self) -> str: ...  # noqa: D102
    @property
    def params_hash(self) -> str: ...  # noqa: D102
    @property
    def role(self) -> str: ...  # noqa: D102
    @property
    def excluded_ids(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def excluded_persons(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def opened_at(self) -> datetime: ...  # noqa: D102
    @property
    def expires_at(self) -> datetime: ...  # noqa: D102
    @property
    def parameters(self) -> Mapping[str, object] | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Answering:
    """Somebody about to answer: what they saw, how they are related, and when."""

    approver: Principal
    params_hash: str
    facts: Sequence[Fact]
    at: datetime


def require_may_answer(request: Asked, answering: Answering) -> tuple[UUID, ...]:
    """Accept only another person with the role; return the authority that the role rests on.

    Raises:
        ApprovalRefused: one of its kinds says why.
    """
    name, approver = str(request.id), answering.approver
    if request.state in {"approved", "rejected", "returned"}:
        raise ApprovalAnswered(name)
    if request.state == "closed" or request.expires_at <= answering.at:
        raise ApprovalClosed(name)
    chain = approver.chain()
    if {link.id for link in chain} & set(request.excluded_ids):
        raise ApprovalByParticipant(name)
    if {link.person_id for link in chain} & set(request.excluded_persons):
        raise ApprovalBySamePerson(name)
    if approver.kind != "employee" or approver.on_behalf_of or not approver.person_id:
        raise ApprovalWrongRole(name)
    used = _require_authority(request, answering)
    _require_unrelated(request, answering)
    if answering.params_hash != request.params_hash:
        raise ApprovalOtherParameters(name)
    return used


def _require_authority(request: Asked, answering: Answering) -> tuple[UUID, ...]:
    name, approver, kind = str(request.id), answering.approver, request.action_kind
    holders = [approver.id, f"role:{request.role}"]
    others = list(request.excluded_persons)
    with connection.cursor() as cursor:
        cursor.execute(
            _AUTHORITIES,
            [
                *(holders, kind, answering.at),
                *(approver.person_id, others, kind, request.opened_at, answering.at),
            ],
        )
        found, stands_in = cursor.fetchone()
    if stands_in:
        raise ApprovalByDelegate(name)
    rows = [authority_on_file(item) for item in json.loads(found or "[]")]
    weighed = weigh(approver, _amount(request), rows, power="approve")
    if request.role not in weighed.principal.roles:
        raise ApprovalBeyondMandate(name) if weighed.beyond else ApprovalWrongRole(name)
    if weighed.refusal:
        raise ApprovalBeyondMandate(name)
    return weighed.used


def _amount(request: Asked) -> Money | None:
    """Return the amount a request is about; one that cannot be known is beyond every cap."""
    try:
        fields = action_kind(request.action_kind).money_fields
    except UnknownAction:
        fields = ("?",)
    if not fields:
        return None
    money = request.parameters.get(fields[0]) if request.parameters else None
    if not isinstance(money, dict):
        return Money(AMOUNT_LIMIT, "")
    return Money(int(money["minor_units"]), str(money["currency"]))


def _require_unrelated(request: Asked, answering: Answering) -> None:
    name = str(request.id)
    required = frozenset(action_kind(request.action_kind).relations_needed)
    attested = attest(answering.facts, kinds=_KINDS, required=required, at=answering.at)
    if attested.refusal:
        raise ApprovalFactsMissing(name, attested.detail)
    related = [str(value) for value in attested.values.values() if value != UNRELATED]
    if related:
        raise ApprovalConflict(name, related[0])
