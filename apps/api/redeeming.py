"""Connectors outside: they spend a token before they act, and say afterwards how it ended."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

import interaction.public
import sentinel.public
from apps.api.programs import NotReadable, ProgramEdge, caller_within, refusal, strict_object
from interaction.public import Caller, CallerRefused, Ended, PermitUnknown, Presented, Wish
from sentinel.public import IdempotencyConflict, OutcomeRefused, TokenRefused
from sentinel.vocabulary import Decision, Outcome, OutcomeKind

_STATUS: Mapping[str, int] = {
    "altered": 400,
    "unknown_key": 400,
    "wrong_connector": 403,
    "unknown_decision": 404,
    "spent": 409,
    "expired": 410,
    "emergency_over": 410,
    "gate_shut": 503,
    "revoked": 410,
    "other_parameters": 422,
    "unknown_obligation": 422,
}
_KINDS = {each.value: each for each in OutcomeKind if each is not OutcomeKind.EXPIRED}


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class _Redeem(_Said):
    token: str = Field(max_length=4096)
    kind: str = Field(max_length=80)
    resource: str = Field(max_length=200)
    parameters: dict[str, object]
    case_id: str = Field(max_length=36)
    idempotency_key: str = Field(min_length=1, max_length=200)
    obligations: list[str] = Field(default_factory=list, max_length=20)


class _Asked(_Said):
    mandate: str = Field(max_length=40)
    kind: str = Field(max_length=80)
    resource: str = Field(max_length=200)
    parameters: dict[str, object]
    case_id: str = Field(max_length=36)
    idempotency_key: str = Field(min_length=1, max_length=200)
    purpose: str = Field(pattern=r"^[a-z][a-z_]{0,39}$")


class _Ended(_Said):
    kind: str = Field(max_length=10)
    code: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    reference: str = Field(default="", pattern=r"^[A-Za-z0-9._:-]{0,100}$")
    words: str = Field(default="", max_length=200)


class _Connector(ProgramEdge):
    """An address for connectors within a legal entity."""

    def answered(
        self, request: Request, entity: str, take: Callable[[Caller], Response]
    ) -> Response:
        """Take what came from a known program, within a legal entity."""
        if entity not in {each.entity for each in sentinel.public.legal_entities()}:
            return refusal(404, "not_found")
        with sentinel.public.legal_entity(entity=entity):
            try:
                return take(caller_within(request))
            except CallerRefused as refused:
                return refusal(401, refused.code)
            except PermitUnknown as unknown:
                return refusal(404, unknown.code)
            except (NotReadable, ValidationError):
                return refusal(400, "payload_refused")


class AskForPermit(_Connector):
    """`POST`: ask for a token, as the connector that carries it out, under a bank's mandate."""

    def post(self, request: Request, entity: str) -> Response:
        """Decide and record it; only a permit comes with a token, made out to this connector."""

        def take(caller: Caller) -> Response:
            wish = _wish(strict_object(request))
            try:
                found = interaction.public.permit_outside(
                    caller=caller, wish=wish, at=datetime.now(UTC)
                )
            except CallerRefused:
                return refusal(403, "not_allowed")
            except IdempotencyConflict as refused:
                return refusal(409, refused.code)
            key = interaction.public.key_of(caller=caller, wish=wish)
            return Response({**_decided(found), "idempotency_key": key})

        return self.answered(request, entity, take)


class RedeemToken(_Connector):
    """`POST`: spend a token for exactly this action, once; only then may the connector act."""

    def post(self, request: Request, entity: str) -> Response:
        """Answer 200 once. A token that is spent is 409 and says how it ended, if that is known."""

        def take(caller: Caller) -> Response:
            presented = _presented(strict_object(request))
            try:
                spent = interaction.public.redeem_outside(
                    caller=caller, presented=presented, at=datetime.now(UTC)
                )
            except CallerRefused:
                return refusal(403, "wrong_connector")
            except TokenRefused as refused:
                return _refused(refused, caller)
            return Response({"redeemed": str(spent)})

        return self.answered(request, entity, take)


class TokenOutcome(_Connector):
    """`POST`: say how it ended; `GET`: ask how it ended."""

    def post(self, request: Request, entity: str, token: UUID) -> Response:
        """Record the outcome; the same again is answered with what is on record."""

        def take(caller: Caller) -> Response:
            said = _Ended.model_validate(dict(strict_object(request)))
            if said.kind not in _KINDS:
                return refusal(400, "payload_refused")
            try:
                kept = interaction.public.record_outside(
                    caller=caller,
                    token_id=token,
                    said=Ended(_KINDS[said.kind], said.code, said.reference, said.words),
                )
            except OutcomeRefused as refused:
                return refusal(409, refused.code, recorded=refused.recorded)
            return Response(_shown(kept))

        return self.answered(request, entity, take)

    def get(self, request: Request, entity: str, token: UUID) -> Response:
        """Return the outcome as it is on record; 404 while there is none."""

        def take(caller: Caller) -> Response:
            kept = interaction.public.outcome_outside(caller=caller, token_id=token)
            return Response(_shown(kept)) if kept else refusal(404, "no_outcome")

        return self.answered(request, entity, take)


def _wish(given: Mapping[str, object]) -> Wish:
    said = _Asked.model_validate(dict(given))
    return Wish(
        mandate=said.mandate,
        kind=said.kind,
        resource=said.resource,
        parameters=said.parameters,
        case_id=_id(said.case_id),
        idempotency_key=said.idempotency_key,
        purpose=said.purpose,
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotReadable from error


def _decided(found: Decision) -> dict[str, object]:
    token = found.token
    return {
        "decision": str(found.id),
        "verdict": found.verdict.value,
        "reasons": [
            {"id": each.policy_id, "staff": each.staff, "customer": each.customer}
            for each in found.reasons
        ],
        "approval": str(found.approval_request_id) if found.approval_request_id else None,
        "token": token.compact if token else None,
        "expires_at": token.expires_at.isoformat() if token else None,
        "outcome": _shown(found.replayed) if found.replayed else None,
    }


def _presented(given: Mapping[str, object]) -> Presented:
    said = _Redeem.model_validate(dict(given))
    return Presented(
        token=said.token,
        kind=said.kind,
        resource=said.resource,
        parameters=said.parameters,
        case_id=_id(said.case_id),
        idempotency_key=said.idempotency_key,
        handled=frozenset(said.obligations),
    )


def _refused(error: TokenRefused, caller: Caller) -> Response:
    status = _STATUS.get(error.reason, 400)
    if error.reason != "spent":
        return refusal(status, error.reason)
    kept = interaction.public.outcome_outside(caller=caller, token_id=UUID(error.token_id))
    ended = _shown(kept) if kept else None
    return refusal(status, error.reason, decision=error.token_id, outcome=ended)


def _shown(kept: Outcome) -> dict[str, str]:
    return {
        "decision": str(kept.decision_id),
        "kind": kept.kind.value,
        "code": kept.code,
        "reference": kept.reference,
        "recorded_at": kept.recorded_at.isoformat(),
    }
