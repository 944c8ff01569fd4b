"""`model:<capability>` steps: what Intelligence thinks of it, with reasons and a record."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

import intelligence.public
import nexus.public
from orchestration import evidence
from orchestration.reads import money_of
from orchestration.step_results import Answered, StepContext
from sentinel.vocabulary import Provenance


def fraud_of_payment(context: StepContext, inputs: Mapping[str, object]) -> Answered:
    """Score the risk of fraud of a payment from the customer's habits.

    Inputs `payment` and `sources`; `as_of`, a moment in ISO 8601, scores one that was made as it
    looked just before.
    """
    assert context.customer_id is not None
    payment = inputs["payment"]
    assert isinstance(payment, Mapping)
    given = {**payment, "sources": inputs.get("sources")}
    as_of = inputs.get("as_of")
    seen_at = datetime.fromisoformat(str(as_of)) if as_of else context.at
    features = _features(context.customer_id, given, seen_at)
    score = intelligence.public.score_payment(
        features=features, at=context.at, case_id=context.case_id
    )
    return Answered(
        {
            "score_permille": round(score.value * 1000),
            "band": score.band,
            "reasons": [{"staff": each.staff, "customer": each.customer} for each in score.reasons],
            "model": f"{score.model} {score.version}",
            "reference": str(score.call_id or context.instance_id),
            "scored_at": context.at.isoformat(),
        }
    )


def _features(
    customer_id: UUID, inputs: Mapping[str, object], at: datetime
) -> intelligence.public.PaymentFeatures:
    iban, name = str(inputs["creditor_iban"]), str(inputs["creditor_name"])
    amount = money_of(inputs["amount"])
    history = nexus.public.payment_history(
        customer_id=customer_id,
        account_id=UUID(str(inputs["debtor_account_id"])),
        iban=iban,
        at=at,
    )
    known = evidence.payee_knowledge(customer_id=customer_id, name=name, iban=iban)
    sources = inputs.get("sources")
    source = sources.get("creditor_iban") if isinstance(sources, Mapping) else None
    given = str(source.get("provenance")) if isinstance(source, Mapping) else "unknown"
    return intelligence.public.PaymentFeatures(
        amount_minor_units=amount.minor_units,
        median_amount_minor_units=history.median_minor_units or None,
        p95_amount_minor_units=history.p95_minor_units or None,
        is_new_payee=not known.is_known and history.payments_to_iban == 0,
        payee_age_days=history.days_since_first_payment_to_iban,
        is_payee_iban_changed=known.is_known and not known.does_iban_match,
        is_new_country=_is_new_country(customer_id, iban),
        iban_source=Provenance(given),
        hour=at.astimezone(ZoneInfo(settings.DISPLAY_TIME_ZONE)).hour,
        payments_last_day=history.count_last_day,
        sum_last_day_minor_units=history.sum_last_day_minor_units,
        account_age_days=history.days_since_account_opened,
    )


def _is_new_country(customer_id: UUID, iban: str) -> bool:
    """Tell whether none of the customer's payees or accounts is in the country of the number."""
    state = nexus.public.customer_state(customer_id=customer_id)
    own = {each.iban[:2] for each in state.accounts}
    return iban[:2] not in own | {each.iban[:2] for each in state.payees}
