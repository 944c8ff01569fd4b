"""Whether each step of a plan would be permitted now, as far as that can be told beforehand.

Sentinel is asked, and decides nothing. What is not known yet is put in at its most harmless: the
customer's own account, the smallest amount, an active card. A step that would be refused even so
need not begin.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import nexus.public
import sentinel.public
from orchestration import act, evidence, journeys
from orchestration.actions import card_facts
from orchestration.dialogue.filling import default_account
from orchestration.planning.checking import Fault
from orchestration.planning.kinds import request_of
from orchestration.planning.rows import PlannedTask
from orchestration.wording import filled
from sentinel.vocabulary import Action, Fact, Principal, Provenance, Source, Verdict

_OWN = Source(Provenance.SYSTEM, "plan")
_REFERENCE = "foreseen"


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom a plan is looked at, and when."""

    principal: Principal
    customer_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class _Likely:
    """An action as it would be proposed, with the facts it would rest on."""

    parameters: Mapping[str, object]
    resource: str
    facts: Sequence[Fact]


def refusals(tasks: Sequence[PlannedTask], asker: Asker) -> Iterator[Fault]:
    """Yield every step that would be refused, with the words for the customer."""
    for index, planned in enumerate(tasks):
        request = request_of(planned.task.kind)
        foreseen = _LIKELY.get(request.action)
        if foreseen is None:
            # It ends in no action, or in one that is not foreseen: its own flow asks.
            continue
        likely = foreseen(planned, asker)
        words = (
            journeys.words("plan_no_card")
            if likely is None
            else _refusal(request.action, likely, asker)
        )
        if words:
            said = filled(
                journeys.words("plan_not_permitted"), {"label": planned.label, "reason": words}
            )
            yield Fault("not_permitted", f"tasks[{index}]", said)


def _refusal(kind: str, likely: _Likely, asker: Asker) -> str:
    foreseen = sentinel.public.foresee(
        action=Action(
            kind=kind,
            parameters=likely.parameters,
            resource=likely.resource,
            case_id=UUID(int=0),
            idempotency_key=_REFERENCE,
            sources=dict.fromkeys(likely.parameters, _OWN),
        ),
        principal=asker.principal,
        facts=likely.facts,
        purpose="payments" if kind.startswith("payments.") else "servicing",
        at=asker.at,
    )
    if foreseen.verdict is not Verdict.DENY:
        return ""
    return foreseen.reasons[0].customer if foreseen.reasons else ""


def _transfer(planned: PlannedTask, asker: Asker) -> _Likely | None:
    account = default_account(asker.customer_id)
    if account is None:
        return _Likely({}, f"party:{asker.customer_id}", ())
    day = act.booking_day() or asker.at.date()
    smallest = {"minor_units": 1, "currency": account.currency}
    parameters: dict[str, object] = {
        "debtor_account_id": str(account.account_id),
        "creditor_iban": account.iban,
        "creditor_name": "-",
        "amount": smallest,
        "remittance": "",
        "execution_date": day.isoformat(),
        "end_to_end_id": _REFERENCE.upper(),
        "fee": {"minor_units": 0, "currency": account.currency},
        **planned.values,
    }
    fraud = {
        "reference": _REFERENCE,
        "scored_at": asker.at.isoformat(),
        "score_permille": 0,
        "band": "low",
    }
    facts = evidence.payment_facts(
        parameters=parameters, customer_id=asker.customer_id, given={"fraud": fraud}, at=asker.at
    )
    return _Likely(parameters, f"account:{parameters['debtor_account_id']}", facts)


def _block(planned: PlannedTask, asker: Asker) -> _Likely | None:
    card_id = planned.values.get("card_id") or _active_card(asker.customer_id)
    if card_id is None:
        return None
    parameters = {"card_id": str(card_id), "reason": "customer_wish"}
    facts = card_facts(asker.customer_id, str(card_id), asker.at)
    return _Likely(parameters, f"card:{card_id}", facts)


def _active_card(customer_id: UUID) -> UUID | None:
    state = nexus.public.customer_state(customer_id=customer_id)
    return next((each.card_id for each in state.cards if each.status == "active"), None)


_LIKELY = {"payments.transfer": _transfer, "cards.block": _block}
