"""Spending a token: everything is checked again, and the database lets it happen once."""

import hmac
import logging
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from sentinel.catalogue import (
    ParametersRefused,
    TypedParameters,
    UnknownAction,
    action_kind,
    typed_parameters,
)
from sentinel.entities import current_entity
from sentinel.obligations import HANDLED_BY_ALL
from sentinel.principals import kill_switch_scopes, rule_scopes
from sentinel.signing.custody import SignerUnavailable
from sentinel.signing.token_keys import pinned_keys
from sentinel.store import require_transaction, run_one
from sentinel.tokens import (
    TTL_SECONDS_MAX,
    UNKNOWN_KEY,
    Claims,
    TokenRefused,
    issuer_of,
    read,
)
from sentinel.vocabulary import Action, DecisionToken

# One text costs the driver less than an array, and no scope holds a space.
_REDEEM = "SELECT sentinel_redeem(%s, %s, %s, %s, %s, %s, string_to_array(%s, ' '), %s)"
_REDEEMED = "redeemed"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Redemption:
    """A token that has just been spent. Connectors use `parameters`: those are what was hashed."""

    decision_id: UUID
    effect_digest: bytes | None
    parameters: BaseModel


@dataclass(frozen=True, slots=True)
class Presented:
    """A token that was found sound and fits its action; only the database can spend it.

    Its fields are what `sentinel_redeem` compares; `scopes` are separated by spaces.
    """

    decision_id: UUID
    action_kind: str
    audience: str
    params_hash: bytes
    effect_digest: bytes | None
    idempotency_key: str
    scopes: str
    epoch: int
    parameters: BaseModel

    def spent(self, status: str) -> Redemption:
        """Return the redemption, from what `sentinel_redeem` answered.

        Raises:
            TokenRefused: the database refused it.
        """
        if status == _REDEEMED:
            return Redemption(self.decision_id, self.effect_digest, self.parameters)
        raise _noted(TokenRefused(str(self.decision_id), status))


def redeem(
    *,
    token: DecisionToken,
    action: Action,
    audience: str,
    handled: frozenset[str] = HANDLED_BY_ALL,
) -> Redemption:
    """Spend a token for exactly this action, in the same transaction as its effect.

    `handled` names the obligations whoever acts knows and will keep; a token that carries another
    is refused.

    Raises:
        NotInTransaction: the caller has opened no transaction.
        TokenRefused: `reason` is one of altered, unknown_key, wrong_connector, other_parameters,
            unknown_obligation, unknown_decision, expired, revoked, spent.
    """
    presented = present(token=token, action=action, audience=audience, handled=handled)
    ((status,),) = run_one(
        _REDEEM,
        [
            presented.decision_id,
            presented.action_kind,
            presented.audience,
            presented.params_hash,
            presented.effect_digest,
            presented.idempotency_key,
            presented.scopes,
            presented.epoch,
        ],
    )
    return presented.spent(status)


def present(
    *,
    token: DecisionToken,
    action: Action,
    audience: str,
    handled: frozenset[str] = HANDLED_BY_ALL,
) -> Presented:
    """Check all of a token that needs no database, for a statement that spends it with its effect.

    Raises:
        NotInTransaction: the caller has opened no transaction.
        TokenRefused: `reason` is one of altered, unknown_key, wrong_connector, other_parameters,
            unknown_obligation, expired.
    """
    require_transaction()
    try:
        return _present(token, action, audience, handled)
    except TokenRefused as error:
        raise _noted(error) from error.__cause__


def _present(
    token: DecisionToken, action: Action, audience: str, handled: frozenset[str]
) -> Presented:
    claims = _claims(token.compact, current_entity())
    _require_ours(claims, audience)
    typed = _typed(claims, action)
    _require_same(claims, action, typed)
    if not handled.issuperset(claims.obligations):
        raise TokenRefused(str(claims.token_id), "unknown_obligation")
    return Presented(
        decision_id=claims.token_id,
        action_kind=action.kind,
        audience=audience,
        params_hash=claims.params_hash,
        effect_digest=_effect_digest(action.kind, typed),
        idempotency_key=action.idempotency_key,
        scopes=_scopes(claims),
        epoch=claims.epoch,
        parameters=typed.model,
    )


def _claims(compact: str, entity: str) -> Claims:
    try:
        try:
            return read(compact, keys=pinned_keys(entity))
        except TokenRefused as error:
            if error.reason != UNKNOWN_KEY:
                raise
        # Another process may have made the key a moment ago.
        return read(compact, keys=pinned_keys(entity, is_asked_again=True))
    except SignerUnavailable as error:
        raise TokenRefused("?", UNKNOWN_KEY) from error


def _noted(error: TokenRefused) -> TokenRefused:
    _logger.warning("token_refused decision=%s reason=%s", error.token_id, error.reason)
    return error


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
        and claims.linked_hash in {b"", typed.linked_hash(claims.salt)}
    )
    if not is_same:
        raise TokenRefused(str(claims.token_id), "other_parameters")


def _effect_digest(kind: str, typed: TypedParameters) -> bytes | None:
    digest_of = action_kind(kind).effect_digest
    return digest_of(typed.model) if digest_of else None


def _scopes(claims: Claims) -> str:
    kind = claims.action_kind
    scopes = kill_switch_scopes(claims.actors, kind, claims.kid)
    return " ".join([*scopes, *rule_scopes(kind, claims.policies, claims.bundle)])
