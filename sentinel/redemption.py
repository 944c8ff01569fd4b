"""Spending a token: everything is checked again, and the database lets it happen once."""

import hmac
import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings
from pydantic import BaseModel

from sentinel.catalogue import (
    ParametersRefused,
    TypedParameters,
    UnknownAction,
    action_kind,
    typed_parameters,
)
from sentinel.entities import current_entity
from sentinel.signing.keys import Purpose, public_keys
from sentinel.store import require_transaction, run_one
from sentinel.tokens import TTL_SECONDS_MAX, Claims, TokenRefused, issuer_of, read
from sentinel.vocabulary import Action, DecisionToken

_REDEEM = "SELECT sentinel_redeem(%s, %s, %s, %s, %s, %s, %s, %s)"
_REDEEMED = "redeemed"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Redemption:
    """A token that has just been spent. Connectors use `parameters`: those are what was hashed."""

    decision_id: UUID
    effect_digest: bytes | None
    parameters: BaseModel


def redeem(*, token: DecisionToken, action: Action, audience: str) -> Redemption:
    """Spend a token for exactly this action, in the same transaction as its effect.

    Raises:
        NotInTransaction: the caller has opened no transaction.
        TokenRefused: `reason` is one of altered, unknown_key, wrong_connector, other_parameters,
            unknown_decision, expired, revoked, spent.
    """
    require_transaction()
    try:
        return _redeem(token, action, audience)
    except TokenRefused as error:
        _logger.warning("token_refused decision=%s reason=%s", error.token_id, error.reason)
        raise


def _redeem(token: DecisionToken, action: Action, audience: str) -> Redemption:
    claims = read(token.compact, keys=_pinned_keys(current_entity()))
    token_id = str(claims.token_id)
    _require_ours(claims, audience)
    typed = _typed(claims, action)
    _require_same(claims, action, typed)
    effect_digest = _effect_digest(action.kind, typed)
    ((status,),) = run_one(
        _REDEEM,
        [
            claims.token_id,
            action.kind,
            audience,
            claims.params_hash,
            effect_digest,
            action.idempotency_key,
            _scopes(claims),
            claims.epoch,
        ],
    )
    if status != _REDEEMED:
        raise TokenRefused(token_id, status)
    return Redemption(claims.token_id, effect_digest, typed.model)


def _require_ours(claims: Claims, audience: str) -> None:
    token_id = str(claims.token_id)
    if claims.issuer != issuer_of(current_entity()):
        raise TokenRefused(token_id, "altered")
    if not 0 < claims.expires_at - claims.issued_at <= TTL_SECONDS_MAX:
        raise TokenRefused(token_id, "expired")
    if claims.audience != audience:
        raise TokenRefused(token_id, "wrong_connector")


def _typed(claims: Claims, action: Action) -> TypedParameters:
    try:
        return typed_parameters(action_kind(action.kind), action)
    except (UnknownAction, ParametersRefused) as error:
        raise TokenRefused(str(claims.token_id), "other_parameters") from error


def _require_same(claims: Claims, action: Action, typed: TypedParameters) -> None:
    is_same = (
        claims.action_kind == action.kind
        and claims.resource == action.resource
        and claims.case_id == action.case_id
        and hmac.compare_digest(claims.params_hash, typed.hash_with(claims.salt))
    )
    if not is_same:
        raise TokenRefused(str(claims.token_id), "other_parameters")


def _effect_digest(kind: str, typed: TypedParameters) -> bytes | None:
    digest_of = action_kind(kind).effect_digest
    return digest_of(typed.model) if digest_of else None


def _scopes(claims: Claims) -> list[str]:
    actors = [f"actor:{actor}" for actor in claims.actors]
    return ["all", f"action:{claims.action_kind}", f"kid:{claims.kid}", *actors]


def _pinned_keys(entity: str) -> dict[str, bytes]:
    return _keys(str(settings.KEYS_DIR), entity)


@lru_cache(maxsize=16)
def _keys(folder: str, entity: str) -> dict[str, bytes]:
    return public_keys(folder=Path(folder), entity=entity, purpose=Purpose.TOKEN)
