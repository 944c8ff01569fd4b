"""Approvals: another human being looks at exactly these parameters and says yes, no, or change it.

An approval is the state of a request, never a token. Change a parameter and the request no longer
fits; nobody who is part of the action, under any account, can answer it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.db import connection, transaction

from sentinel.approvers import (
    Answering,
    ApprovalAnswered,
    ApprovalClosed,
    ApprovalRefused,
    ApprovalTooSoon,
    require_may_answer,
)
from sentinel.log.records import append
from sentinel.passkeys import PasskeyAnswer, Signature
from sentinel.sealed_values import parameters_of
from sentinel.sealing import SubjectForgotten, seal, subject_key, unseal
from sentinel.signed_approvals import APPROVE, is_signature_needed, require_approval_signature
from sentinel.vocabulary import Fact, Principal

ApprovalVerdict = Literal["approve", "reject", "return"]
State = Literal["open", "approved", "rejected", "returned", "closed"]
OPEN_DAYS_MAX = 30
_STATES: dict[ApprovalVerdict, State] = {
    "approve": "approved",
    "reject": "rejected",
    "return": "returned",
}
_REQUEST = """
SELECT q.id, q.decision_id, q.case_id, q.action_kind, encode(q.params_hash, 'hex'), q.role,
  q.policies, q.subject, q.requested_by, q.excluded_ids, q.excluded_persons,
  CASE WHEN q.state = 'open' AND q.expires_at < clock_timestamp() THEN 'closed' ELSE q.state END,
  q.opened_at, q.expires_at
FROM sentinel_approval_request q
"""


class ApprovalUnknown(ApprovalRefused):
    """There is no such approval request."""

    code = "approval_unknown"


class ApprovalForgotten(ApprovalClosed):
    """Whom it is about was forgotten, so it can be rejected or returned, and not approved."""

    code = "approval_forgotten"


class ApprovalUnsigned(ApprovalRefused):
    """This is of high risk, so it is approved with a passkey."""

    code = "approval_unsigned"
    is_retryable = True


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """One thing that waits for, or has had, a second person's answer."""

    id: UUID
    decision_id: UUID
    case_id: UUID
    action_kind: str
    params_hash: str
    role: str
    policies: tuple[str, ...]
    subject: str
    requested_by: str
    excluded_ids: tuple[str, ...]
    excluded_persons: tuple[str, ...]
    state: State
    opened_at: datetime
    expires_at: datetime
    parameters: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class ApprovalState:
    """Where a request stands after an answer."""

    request_id: UUID
    state: State
    approver_id: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """One answer as it was given. `comment` is empty once the subject is forgotten."""

    request_id: UUID
    approver_id: str
    role: str
    verdict: ApprovalVerdict
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Rest:
    """What an answer rests on: authority for the role, and a signature."""

    used: Sequence[UUID]
    signature: Signature | None


def approval_request(*, request_id: UUID) -> ApprovalRequest:
    """Return a request with the parameters it is about, for those who may approve.

    Raises:
        ApprovalUnknown: there is none of this id.
    """
    found = _requests("WHERE q.id = %s", [request_id])
    if not found:
        raise ApprovalUnknown(str(request_id))
    return found[0]


def open_approval_requests(*, roles: tuple[str, ...]) -> tuple[ApprovalRequest, ...]:
    """Return the requests that wait for one of these roles, oldest first."""
    return _requests(
        "WHERE q.role = ANY (%s) AND q.state = 'open' AND q.expires_at > clock_timestamp()"
        " ORDER BY q.opened_at",
        [list(roles)],
    )


def approve(  # noqa: PLR0913  (the door's own words, one for each)
    *,
    request_id: UUID,
    approver: Principal,
    verdict: ApprovalVerdict,
    comment: str,
    params_hash: str,
    at: datetime,
    facts: Sequence[Fact] = (),
    passkey: PasskeyAnswer | None = None,
) -> ApprovalState:
    """Answer an approval request, once, for exactly the parameters the approver saw.

    What is of high risk is approved with the approver's passkey, once they have one. `facts`
    attest how the approver is related to those whom the action touches.

    Raises:
        ApprovalUnknown: there is no such request.
        ApprovalAnswered: somebody has answered it.
        ApprovalClosed: it has expired.
        ApprovalForgotten: it is approved, and whom it is about was forgotten.
        ApprovalByParticipant: the approver is the initiator or in the chain.
        ApprovalBySamePerson: the approver is the same person under another account.
        ApprovalByDelegate: the approver stands in for a participant, or a participant for them.
        ApprovalWrongRole: the approver lacks the role, or is not an employee.
        ApprovalBeyondMandate: it is more than the approver may approve.
        ApprovalConflict: the approver is related to somebody the action touches.
        ApprovalFactsMissing: how they are related is not attested, where that is needed.
        ApprovalOtherParameters: the parameters are not those the approver saw.
        ApprovalTooSoon: the approver answered something else of high risk a moment ago.
        ApprovalUnsigned: it takes a signature by passkey, and none was given.
        PasskeyUnknown: the approver has no passkey.
        PasskeyRefused: the signature is not theirs, or not over this.
    """
    with transaction.atomic():
        request = _locked(request_id)
        used = require_may_answer(request, Answering(approver, params_hash, facts, at))
        signature = _signature(request, approver, verdict, passkey, at)
        _require_gap(request, approver, at)
        _write_answer(request, approver, verdict, comment, at, _Rest(used, signature))
    return ApprovalState(request_id, _STATES[verdict], approver.id, at)


def keep_approval_open(*, request_id: UUID, until: datetime) -> datetime:
    """Keep an open request open for longer, in the caller's transaction; return when it closes.

    It never closes earlier than it would have, nor later than OPEN_DAYS_MAX after it was opened.

    Raises:
        ApprovalUnknown: there is no such request.
        ApprovalAnswered: somebody has answered it.
        ApprovalClosed: it has expired.
    """
    with transaction.atomic():
        request = _locked(request_id)
        if request.state == "closed":
            raise ApprovalClosed(str(request_id))
        if request.state != "open":
            raise ApprovalAnswered(str(request_id))
        closes_at = min(until, request.opened_at + timedelta(days=OPEN_DAYS_MAX))
        if closes_at <= request.expires_at:
            return request.expires_at
        _write_closing(request, closes_at)
    return closes_at


def close_approval(*, request_id: UUID, at: datetime) -> bool:
    """Close an open request that nobody need answer any more; return whether it was open.

    Raises:
        ApprovalUnknown: there is no such request.
    """
    with transaction.atomic():
        request = _locked(request_id)
        if request.state != "open":
            return False
        _write_closing(request, max(at, request.opened_at), state="closed")
    return True


def approvals_of(*, request_id: UUID) -> tuple[Approval, ...]:
    """Return the answers to a request."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.request_id, a.approver_id, q.role, a.verdict, a.comment_sealed,"
            " a.answered_at, q.subject FROM sentinel_approval a"
            " JOIN sentinel_approval_request q ON q.id = a.request_id WHERE q.id = %s",
            [request_id],
        )
        rows = cursor.fetchall()
    return tuple(
        Approval(request, approver, role, verdict, _comment(request, sealed, subject), at)
        for request, approver, role, verdict, sealed, at, subject in rows
    )


def _locked(request_id: UUID) -> ApprovalRequest:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM sentinel_approval_request WHERE id = %s FOR UPDATE", [request_id]
        )
    return approval_request(request_id=request_id)


def _signature(
    request: ApprovalRequest,
    approver: Principal,
    verdict: ApprovalVerdict,
    passkey: PasskeyAnswer | None,
    at: datetime,
) -> Signature | None:
    """Return the signature an approval was given with; a refusal needs none."""
    if verdict != APPROVE:
        return None
    if passkey is not None:
        return require_approval_signature(approver, request.id, request.params_hash, passkey, at)
    if is_signature_needed(kind=request.action_kind, principal_id=approver.id):
        raise ApprovalUnsigned(str(request.id))
    return None


def _require_gap(request: ApprovalRequest, approver: Principal, at: datetime) -> None:
    """Accept an answer of high risk only some time after the person's last one, if data say so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sentinel_answers_too_soon(%s, risk, %s) FROM sentinel_approval_request"
            " WHERE id = %s",
            [approver.person_id, at, request.id],
        )
        (is_too_soon,) = cursor.fetchone()
    if is_too_soon:
        raise ApprovalTooSoon(str(request.id))


def _write_closing(request: ApprovalRequest, closes_at: datetime, *, state: State = "open") -> None:
    body = {"closes_at": closes_at.isoformat(), "request": str(request.id)}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sentinel_approval_request SET expires_at = %s, state = %s WHERE id = %s",
            [closes_at, state, request.id],
        )
        append(
            cursor,
            kind="approval_term",
            body=body,
            decision_id=request.decision_id,
            case_id=request.case_id,
        )


def _write_answer(
    request: ApprovalRequest,
    approver: Principal,
    verdict: ApprovalVerdict,
    comment: str,
    at: datetime,
    rest: _Rest,
) -> None:
    sealed = _sealed_comment(request, verdict, comment)
    body: dict[str, object] = {
        "approver": approver.id,
        "authority": [str(each) for each in rest.used],
        "at": at.isoformat(),
        "params_hash": request.params_hash,
        "request": str(request.id),
        "role": request.role,
        "verdict": verdict,
    }
    if rest.signature is not None:
        body["signature"] = rest.signature.plain()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_approval (request_id, approver_id, approver_person, verdict,"
            " params_hash, comment_sealed, answered_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                request.id,
                approver.id,
                approver.person_id,
                verdict,
                bytes.fromhex(request.params_hash),
                sealed,
                at,
            ],
        )
        cursor.execute(
            "UPDATE sentinel_approval_request SET state = %s WHERE id = %s",
            [_STATES[verdict], request.id],
        )
        append(
            cursor,
            kind="approval",
            body=body,
            decision_id=request.decision_id,
            case_id=request.case_id,
        )


def _sealed_comment(
    request: ApprovalRequest, verdict: ApprovalVerdict, comment: str
) -> bytes | None:
    """Return what is kept of a comment: nothing about somebody who was forgotten."""
    try:
        key = subject_key(request.subject)
    except SubjectForgotten as error:
        if verdict == APPROVE:
            raise ApprovalForgotten(str(request.id)) from error
        return None
    return seal(key, comment.encode(), bound_to=_bound(request.id))


def _requests(condition: str, parameters: list[Any]) -> tuple[ApprovalRequest, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_REQUEST + condition, parameters)
        rows = cursor.fetchall()
    return tuple(_request(row) for row in rows)


def _request(row: tuple[Any, ...]) -> ApprovalRequest:
    names = ApprovalRequest.__dataclass_fields__
    # Arrays come as lists; what a door returns cannot be changed.
    values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in row]
    return ApprovalRequest(**dict(zip(names, [*values, parameters_of(row[1])], strict=True)))


def _comment(request_id: UUID, sealed: bytes | None, subject: str) -> str:
    if sealed is None:
        return ""
    try:
        key = subject_key(subject)
    except SubjectForgotten:
        return ""
    return unseal(key, bytes(sealed), bound_to=_bound(request_id)).decode()


def _bound(request_id: UUID) -> str:
    return f"approval/v1|{request_id}"
