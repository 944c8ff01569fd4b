"""Connectors outside the process: they spend a token before they act, and say how it ended.

A program is a connector if its key is bound to an audience; nothing but a token made out to that
audience, of a kind that is redeemed outside, is spent for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

import sentinel.public
from orchestration.triggers.keys import Caller, CallerRefused
from sentinel.public import redeem
from sentinel.vocabulary import (
    Action,
    Decision,
    DecisionToken,
    Outcome,
    OutcomeKind,
    Principal,
    Provenance,
    Source,
)


class PermitUnknown(LookupError):
    """No permit of this id is made out to this connector."""

    code = "permit_unknown"
    is_retryable = False

    def __init__(self, token_id: UUID) -> None:
        super().__init__(token_id)
        self.token_id = token_id


@dataclass(frozen=True, slots=True)
class Presented:
    """A token and the action its holder is about to carry out, to the letter."""

    token: str
    kind: str
    resource: str
    parameters: Mapping[str, object]
    case_id: UUID
    idempotency_key: str
    handled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a connector says that an action ended."""

    kind: OutcomeKind
    code: str
    reference: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a connector outside wants to do under a mandate of the bank.

    Its idempotency key is the program's own: in the decision it stands behind the program's id.
    """

    mandate: str
    kind: str
    resource: str
    parameters: Mapping[str, object]
    case_id: UUID
    idempotency_key: str
    purpose: str


def key_of(*, caller: Caller, wish: Wish) -> str:
    """Return the idempotency key a decision has, which the connector presents with the token."""
    return f"{caller.id}:{wish.idempotency_key}"


def permit_outside(*, caller: Caller, wish: Wish, at: datetime) -> Decision:
    """Decide, on record, whether a connector outside may do this; a permit carries a token for it.

    Its parameters count as read from a document: nobody of the bank has seen them.

    Raises:
        CallerRefused: it is not the connector for this kind, or may not act under this mandate.
        sentinel.public.IdempotencyConflict: the key was used for something else.
    """
    may_ask = caller.may_ask(kind=wish.kind, subject_type="system", subject_id=wish.mandate)
    if not may_ask or wish.kind not in _kinds_of(caller.audience):
        raise CallerRefused
    name = f"system:{wish.mandate}"
    source = Source(Provenance.DOCUMENT, f"program:{caller.id}")
    action = Action(
        kind=wish.kind,
        parameters=wish.parameters,
        resource=wish.resource,
        case_id=wish.case_id,
        idempotency_key=key_of(caller=caller, wish=wish),
        sources=dict.fromkeys(wish.parameters, source),
    )
    return sentinel.public.decide_durably(
        action=action,
        principal=Principal(name, "system", name, sentinel.public.current_entity()),
        facts=(),
        purpose=wish.purpose,
        at=at,
    )


def redeem_outside(*, caller: Caller, presented: Presented, at: datetime) -> UUID:
    """Spend a token for a program outside, once, and return the id of its decision.

    Whoever was told of it once may act; whoever loses the answer is refused the second time and
    must ask what became of it, as it may have acted.

    Raises:
        CallerRefused: the key is bound to no connector, or not to one for this kind.
        sentinel.public.TokenRefused: the token does not permit this action here and now.
    """
    if presented.kind not in _kinds_of(caller.audience):
        raise CallerRefused
    action = Action(
        kind=presented.kind,
        parameters=presented.parameters,
        resource=presented.resource,
        case_id=presented.case_id,
        idempotency_key=presented.idempotency_key,
    )
    token = DecisionToken(UUID(int=0), presented.token, caller.audience, at)
    with transaction.atomic():
        spent = redeem(
            token=token, action=action, audience=caller.audience, handled=presented.handled
        )
    return spent.decision_id


def record_outside(*, caller: Caller, token_id: UUID, said: Ended) -> Outcome:
    """Record how an action ended that a program outside carried out; the same twice is the first.

    Raises:
        PermitUnknown: no such permit is made out to this connector.
        sentinel.public.OutcomeRefused: it was never redeemed, or has ended otherwise.
    """
    _require_own(caller, token_id)
    with transaction.atomic():
        return sentinel.public.record_outcome(
            decision_id=token_id,
            kind=said.kind,
            code=said.code,
            reference=said.reference,
            words=said.words,
            is_redeemed_first=True,
        )


def outcome_outside(*, caller: Caller, token_id: UUID) -> Outcome | None:
    """Return how an action ended as it is on record, or None if that is not known yet.

    Raises:
        PermitUnknown: no such permit is made out to this connector.
    """
    _require_own(caller, token_id)
    return sentinel.public.outcome_of(decision_id=token_id)


def _require_own(caller: Caller, token_id: UUID) -> None:
    audience = sentinel.public.audience_of(decision_id=token_id)
    if not caller.audience or audience != caller.audience:
        raise PermitUnknown(token_id)


def _kinds_of(audience: str) -> frozenset[str]:
    return frozenset(
        each.kind
        for each in sentinel.public.action_kinds()
        if each.audience == audience and each.is_redeemed_outside
    )
