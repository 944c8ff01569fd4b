"""The only path from a wish to an effect, and the only caller of the systems of record.

Fast path: the effect is a row in our own database. One transaction holds the decision, then
redemption, effect and outcome together, then the flow's step. A refused effect undoes only what
the gateway began, so that the decision and its outcome stay on record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid5

from django.db import transaction

import grand_central.public
import sentinel.public
from sentinel.vocabulary import (
    Action,
    Decision,
    Fact,
    Money,
    Outcome,
    OutcomeKind,
    Principal,
    Provenance,
    Source,
    Verdict,
)

MANDATE_NAMESPACE = UUID("3b1e6b0a-6f0e-4d57-9f0c-2f6f1d7c9a11")

MANDATE_PURPOSES = {
    "seed": "migration",
    "import": "migration",
    "journeys": "servicing",
    "screening": "compliance",
    "notifications": "notification",
}


class MandateRefused(PermissionError):
    """Sentinel does not permit what a system mandate asked for; nothing has happened."""

    code = "mandate_refused"
    is_retryable = False

    def __init__(self, mandate: str, kind: str, reasons: tuple[str, ...]) -> None:
        super().__init__(mandate, kind, reasons)
        self.mandate, self.kind, self.reasons = mandate, kind, reasons


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of a proposed action; `balance` is what is left on the debtor's account.

    Without an outcome nothing was tried: the decision says what is missing.
    """

    decision: Decision
    outcome: Outcome | None
    balance: Money | None = None


def perform_action(
    *,
    action: Action,
    principal: Principal,
    purpose: str,
    facts: Sequence[Fact],
    at: datetime,
    payload: object | None = None,
) -> Acted:
    """Ask Sentinel and, if it permits, do the action once, in the caller's transaction.

    Raises:
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
    return _execute(action, decision, payload)


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
    principal = Principal(
        id=f"system:{mandate}",
        kind="system",
        person_id=f"system:{mandate}",
        entity=sentinel.public.current_entity(),
    )
    reference = f"mandate:{mandate}"
    given = sources or {name: Source(Provenance.SYSTEM, reference) for name in parameters}
    action = Action(
        kind=kind,
        parameters=parameters,
        resource=resource,
        case_id=uuid5(MANDATE_NAMESPACE, f"{principal.entity}|{mandate}"),
        idempotency_key=idempotency_key,
        sources=given,
    )
    with transaction.atomic():
        acted = perform_action(
            action=action,
            principal=principal,
            purpose=MANDATE_PURPOSES.get(mandate, "operations"),
            facts=(),
            at=at,
            payload=payload,
        )
    if acted.outcome is None:
        reasons = tuple(reason.policy_id for reason in acted.decision.reasons)
        raise MandateRefused(mandate, kind, reasons)
    if acted.outcome.kind is not OutcomeKind.DONE:
        raise grand_central.public.CoreRefused(acted.outcome.code, acted.outcome.words)
    return acted.outcome


def _execute(action: Action, decision: Decision, payload: object | None) -> Acted:
    assert decision.token is not None
    try:
        receipt = grand_central.public.execute(action=action, token=decision.token, payload=payload)
    except grand_central.public.CoreRefused as refused:
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
    return Acted(decision, receipt.outcome, receipt.balance)


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


def booking_day() -> date | None:
    """Return the day the bank is booking on."""
    return grand_central.public.business_date()
