"""What a customer says to the use of their own data, carried out on the one path to effects."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from orchestration import act
from sentinel.vocabulary import Action, OutcomeKind, Principal, Provenance, Source

PURPOSE = "servicing"


class ConsentRefused(ValueError):
    """It could not be said so; nothing has changed. `words` say why."""

    code = "consent_refused"
    is_retryable = False

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(reason, words)
        self.reason, self.words = reason, words


def say_consent(
    *, change_id: UUID, said: Mapping[str, object], principal: Principal, at: datetime
) -> None:
    """Give or withdraw consent as a customer; saying the same again under an id changes nothing.

    Raises:
        ConsentRefused: Sentinel does not permit it, or this does not rest on the customer's word.
        sentinel.public.IdempotencyConflict: something else was said under this id.
    """
    chosen = Source(Provenance.CUSTOMER_SELECTED, f"orch_change:{change_id}")
    action = Action(
        kind="consent.set",
        parameters=said,
        resource=f"consent:{change_id}",
        case_id=change_id,
        idempotency_key=f"consent:{change_id}",
        sources=dict.fromkeys(said, chosen),
    )
    with transaction.atomic():
        acted = act.perform_action(
            action=action, principal=principal, purpose=PURPOSE, facts=(), at=at
        )
    if acted.outcome is None:
        first = acted.decision.reasons[0]
        raise ConsentRefused(first.policy_id, first.customer)
    if acted.outcome.kind is not OutcomeKind.DONE:
        raise ConsentRefused(acted.outcome.code, acted.outcome.words)
