"""The only path from a wish to an effect, and the only caller of the systems of record.

Fast path: the effect is a row in our own database. One transaction holds the decision, then
redemption, effect and outcome together, then the flow's step. A refused effect undoes only what
the gateway began, so that the decision and its outcome stay on record.

Slow path: another system keeps the effect. The decision commits before its token leaves Sentinel,
the intent commits with the redemption, the call is made in no transaction of ours, and what came
of it commits after. A process may end between any two of these; whoever goes on asks first.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID, uuid5

from django.db import transaction

import grand_central.public
import sentinel.public
from orchestration.durable.faults import crash_point
from sentinel.vocabulary import (
    Action,
    Decision,
    DecisionToken,
    Fact,
    Money,
    Outcome,
    OutcomeKind,
    Principal,
    Provenance,
    Source,
    Verdict,
)

PostingItem = grand_central.public.PostingItem
CoreRefused = grand_central.public.CoreRefused
MANDATE_NAMESPACE = UUID("3b1e6b0a-6f0e-4d57-9f0c-2f6f1d7c9a11")

MANDATE_PURPOSES = {
    "seed": "migration",
    "import": "migration",
    "journeys": "servicing",
    "screening": "compliance",
    "notifications": "notification",
    "compensations": "servicing",
}


class MandateRefused(PermissionError):
    """Sentinel does not permit what a system mandate asked for; nothing has happened."""

    code = "mandate_refused"
    is_retryable = False

    def __init__(self, mandate: str, kind: str, reasons: tuple[str, ...]) -> None:
        super().__init__(mandate, kind, reasons)
        self.mandate, self.kind, self.reasons = mandate, kind, reasons


class ChangeRefused(RuntimeError):
    """A change within this layer cannot be made as it was decided; nothing has changed."""

    is_retryable = False

    def __init__(self, code: str, words: str) -> None:
        super().__init__(code, words)
        self.code, self.words = code, words


class OwnExecutor(Protocol):
    """Redeems a token for an effect in this layer, makes it, and records the outcome."""

    def __call__(self, *, action: Action, token: DecisionToken, at: datetime) -> Outcome:
        """Do it once; when this raises, neither is the token spent nor has anything changed."""


_OWN_EXECUTORS: dict[str, OwnExecutor] = {}


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of a proposed action; `balance` is what is left on the debtor's account.

    `items` holds one status for each item of a batch. Without an outcome nothing was tried: the
    decision says what is missing.
    """

    decision: Decision
    outcome: Outcome | None
    balance: Money | None = None
    items: tuple[str, ...] = ()


class EffectTaken(RuntimeError):
    """Another process has taken this effect meanwhile; nothing was spent here."""

    code = "effect_taken"
    is_retryable = True

    def __init__(self, token_id: str) -> None:
        super().__init__(token_id)
        self.token_id = token_id


def perform_action(  # noqa: PLR0913  (the door's own words, one for each)
    *,
    action: Action,
    principal: Principal,
    purpose: str,
    facts: Sequence[Fact],
    at: datetime,
    payload: object | None = None,
    seconds_left: float | None = None,
) -> Acted:
    """Ask Sentinel and, if it permits, do the action once, in the caller's transaction.

    Raises:
        grand_central.public.DeadlineExceeded: it was not done in the `seconds_left`.
        sentinel.public.IdempotencyConflict: the key was used for something else.
        grand_central.public.OutcomeUnknown: the other system did not answer.
    """
    decision = sentinel.public.decide(
        action=action, principal=principal, facts=facts, purpose=purpose, at=at
    )
    if decision.replayed is not None:
        return Acted(decision, decision.replayed)
    if decision.verdict is not Verdict.PERMIT:
        return Acted(decision, None)
    return _execute(action, decision, payload, at, seconds_left)


def perform_mandate(  # noqa: PLR0913  (the door's own words, one for each)
    *,
    mandate: str,
    kind: str,
    parameters: Mapping[str, object],
    resource: str,
    idempotency_key: str,
    at: datetime,
    sources: Mapping[str, Source] | None = None,
    payload: object | None = None,
) -> Outcome:
    """Do the bank's own work under a system mandate, once, and return what came of it.

    Raises:
        MandateRefused: Sentinel does not permit it.
        grand_central.public.CoreRefused: the system of record refused it; that is on record.
    """
    given = sources or {name: _stated(mandate) for name in parameters}
    action = Action(
        kind=kind,
        parameters=parameters,
        resource=resource,
        case_id=uuid5(MANDATE_NAMESPACE, f"{sentinel.public.current_entity()}|{mandate}"),
        idempotency_key=idempotency_key,
        sources=given,
    )
    outcome = _mandated(mandate, action, at, payload).outcome
    assert outcome is not None, "a mandate that is not refused has acted"
    return outcome


def post_items(
    *, mandate: str, batch_id: UUID, items: Sequence[PostingItem], at: datetime
) -> tuple[str, ...]:
    """Post many transfers of one currency under one decision; return what came of each, in order.

    Raises:
        MandateRefused: Sentinel does not permit it.
        grand_central.public.CoreRefused: the system of record refused all of it.
    """
    lines = tuple(item.line() for item in items)
    total = {"minor_units": sum(item.amount for item in items), "currency": items[0].currency}
    entity = sentinel.public.current_entity()
    parameters = {
        "batch_id": str(batch_id),
        "items_root": grand_central.public.items_root(lines=lines),
        "count": len(lines),
        "total": total,
    }
    action = Action(
        kind="ledger.post_batch",
        parameters=parameters,
        resource=f"bank:{entity}",
        case_id=uuid5(MANDATE_NAMESPACE, f"{entity}|{mandate}"),
        idempotency_key=f"batch:{batch_id}",
        sources=dict.fromkeys(parameters, _stated(mandate)),
    )
    return _mandated(mandate, action, at, lines).items


def _mandated(mandate: str, action: Action, at: datetime, payload: object | None) -> Acted:
    name = f"system:{mandate}"
    with transaction.atomic():
        acted = perform_action(
            action=action,
            principal=Principal(name, "system", name, sentinel.public.current_entity()),
            purpose=MANDATE_PURPOSES.get(mandate, "operations"),
            facts=(),
            at=at,
            payload=payload,
        )
    if acted.outcome is None:
        reasons = tuple(reason.policy_id for reason in acted.decision.reasons)
        raise MandateRefused(mandate, action.kind, reasons)
    if acted.outcome.kind is not OutcomeKind.DONE:
        raise grand_central.public.CoreRefused(acted.outcome.code, acted.outcome.words)
    return acted


def _stated(mandate: str) -> Source:
    return Source(Provenance.SYSTEM, f"mandate:{mandate}")


def carried_out_by(*, kinds: Iterable[str], executor: OwnExecutor) -> None:
    """Say who carries out actions whose effect is in this layer, behind a redemption of its own."""
    _OWN_EXECUTORS.update(dict.fromkeys(kinds, executor))


def _execute(
    action: Action,
    decision: Decision,
    payload: object | None,
    at: datetime,
    seconds_left: float | None,
) -> Acted:
    assert decision.token is not None
    if sentinel.public.is_own(kind=action.kind):
        return Acted(decision, sentinel.public.govern(action=action, token=decision.token))
    own = _OWN_EXECUTORS.get(action.kind)
    try:
        if own is not None:
            return Acted(decision, own(action=action, token=decision.token, at=at))
        receipt = grand_central.public.execute(
            action=action, token=decision.token, payload=payload, seconds_left=seconds_left
        )
    except (grand_central.public.CoreRefused, ChangeRefused) as refused:
        # What was begun is undone, so nothing moved; that it was tried stays on record.
        outcome = sentinel.public.record_outcome(
            decision_id=decision.id,
            kind=OutcomeKind.FAILED,
            code=refused.code,
            reference="",
            position="",
            words=refused.words,
        )
        return Acted(decision, outcome)
    assert receipt.outcome is not None, "the gateway records what it has done"
    return Acted(decision, receipt.outcome, receipt.balance, receipt.items)


def is_outside(kind: str) -> bool:
    """Tell whether an action takes the slow path: another system keeps its effect."""
    return grand_central.public.is_outside(kind=kind)


def begin_outside(
    *,
    action: Action,
    principal: Principal,
    purpose: str,
    facts: Sequence[Fact],
    at: datetime,
    keep_token: Callable[[Decision], bool],
) -> Acted:
    """Decide durably and, if permitted, spend the token and keep the intent, in two commits.

    `keep_token` notes in the second whose token it is; if it refuses, nothing is spent. A key that
    was spent before comes back with what is known of that call as its outcome.

    Raises:
        EffectTaken: `keep_token` refused.
        RuntimeError: the caller has opened a transaction.
        sentinel.public.IdempotencyConflict: the key was used for something else.
    """
    decision = sentinel.public.decide_durably(
        action=action, principal=principal, facts=facts, purpose=purpose, at=at
    )
    crash_point("effect_decided")
    if decision.replayed is None and decision.verdict is not Verdict.PERMIT:
        return Acted(decision, None)
    with transaction.atomic(durable=True):
        if decision.token is not None:
            grand_central.public.begin_outside(action=action, token=decision.token)
        if not keep_token(decision):
            raise EffectTaken(str(decision.id))
    crash_point("effect_begun")
    return Acted(decision, decision.replayed)


def carry_outside(
    *, action: Action, token_id: UUID, seconds_left: float | None = None
) -> grand_central.public.OutsideCall:
    """Take a begun call one step on: send it, or ask what became of it; return how it stands.

    It is sent only within the `seconds_left`; what became of it is asked however late it is.

    Raises:
        grand_central.public.ActionAltered: these are not the parameters that were permitted.
        RuntimeError: the caller has opened a transaction.
    """
    claim = grand_central.public.claim_outside(
        action=action, token_id=token_id, seconds_left=seconds_left
    )
    if claim is not None:
        crash_point("call_claimed")
        answer = grand_central.public.call_outside(
            claim=claim, action=action, seconds_left=seconds_left
        )
        crash_point("call_answered")
        grand_central.public.conclude_outside(claim=claim, answer=answer)
        crash_point("call_concluded")
    call = grand_central.public.outside_call(token_id=token_id)
    assert call is not None, "what was begun is kept"
    return call


def outside_lines(token_ids: Sequence[UUID]) -> tuple[grand_central.public.OutsideLine, ...]:
    """Return the journal of calls to systems outside, by their tokens."""
    return grand_central.public.outside_lines(token_ids=token_ids)


def outcomes_of_tokens(token_ids: Collection[UUID]) -> Mapping[UUID, Outcome]:
    """Return how tokens ended, those that did, as Sentinel has it on record."""
    return sentinel.public.outcomes_of(decision_ids=token_ids)


def outcome_of_token(token_id: UUID) -> Outcome | None:
    """Return how a token ended, as Sentinel has it on record."""
    return sentinel.public.outcome_of(decision_id=token_id)


# What steps may ask the systems of record, so that a rule sees them as they are now.


def check_payee(*, iban: str, name: str) -> grand_central.public.NameCheck:
    """Return whether the name is the one the account carries."""
    return grand_central.public.check_payee_name(iban=iban, name=name)


def screen_payee(*, name: str, country: str, at: datetime) -> grand_central.public.Screening:
    """Return whether the name stands on a loaded sanctions list."""
    return grand_central.public.screen(name=name, country=country, at=at)


def is_valid_iban(iban: str) -> bool:
    """Tell whether length and check digits of an account number are right."""
    return grand_central.public.validate_iban(iban=iban)


def account_behind(iban: str) -> grand_central.public.AccountAtBank | None:
    """Return the account of this bank with this number, or None if it is another bank's."""
    return grand_central.public.account_by_iban(iban=iban)


def is_number_of_this_bank(iban: str) -> bool:
    """Tell whether an account number carries this bank's code."""
    return grand_central.public.is_own_iban(iban=iban)


def available_now(account_id: UUID) -> Money | None:
    """Return what an account can spend now, or None if this bank has no such account."""
    balance = grand_central.public.balance_of(account_id=account_id)
    return balance.available if balance else None


def account_holds(account_id: UUID) -> tuple[UUID, ...]:
    """Return the decisions under which an account is blocked now; none is added before commit."""
    return grand_central.public.account_holds(account_id=account_id)


def booking_day() -> date | None:
    """Return the day the bank is booking on."""
    return grand_central.public.business_date()
