"""A customer's payments as they stand, made from the flows themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from orchestration.core.state import InstanceState
from orchestration.durable import statements
from orchestration.durable.definitions import flow_of
from orchestration.durable.texts import from_text
from orchestration.plain import plain, plain_mapping
from orchestration.reads import money_of
from orchestration.wording import filled, found
from sentinel.vocabulary import Money

PROCESS = "send_money"
# The values of the flow that a payment shows.
_SHOWN = (
    "creditor_name",
    "creditor_iban",
    "amount",
    "execution_date",
    "remittance",
    "purpose",
    "receipt",
)
_PAYMENTS = """
SELECT i.id, i.definition, i.status, i.state, i.end_node, i.started_at, i.ended_at, i.case_id,
       (SELECT c.id FROM orch_card c
         WHERE c.instance_id = i.id AND c.state = 'open'
           AND (c.expires_at IS NULL OR c.expires_at > %s)
         ORDER BY c.position DESC LIMIT 1)
  FROM orch_instance i
 WHERE i.customer_id = %s AND i.process = %s
   AND i.id IS DISTINCT FROM %s
"""
_WORDS = {
    "waiting_for_you": "waiting for you",
    "in_review": "being looked at by a colleague",
    "done": "paid",
    "refused": "refused",
    "cancelled": "cancelled",
    "expired": "expired",
    "failed": "not possible",
}


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment a customer asked for; `words` say where it is."""

    id: UUID
    creditor_name: str
    creditor_iban: str
    amount: Money
    state: str
    words: str
    started_at: datetime
    finished_at: datetime | None
    execution_date: date | None
    case_id: UUID | None
    card_id: UUID | None
    reference: str | None
    remittance: str
    purpose: str
    decision_id: str | None


def payments_of(
    *, customer_id: UUID, limit: int, at: datetime, but: UUID | None = None
) -> tuple[PaymentView, ...]:
    """Return the payments a customer asked for but one, newest first."""
    return tuple(each_payment_of(customer_id=customer_id, limit=limit, at=at, but=but))


def each_payment_of(
    *, customer_id: UUID, limit: int, at: datetime, but: UUID | None = None
) -> Iterator[PaymentView]:
    """Yield the payments a customer asked for but one, newest first, read as they are asked for."""
    rows = statements.run(
        f"{_PAYMENTS} ORDER BY i.started_at DESC, i.id LIMIT %s",
        [at, customer_id, PROCESS, but, limit],
    )
    return map(_payment, rows)


def each_payment_since(
    *, customer_id: UUID, since: datetime, at: datetime, but: UUID
) -> Iterator[PaymentView]:
    """Yield every payment but one that is under way or ended after a moment."""
    rows = statements.run(
        f"{_PAYMENTS} AND (i.ended_at IS NULL OR i.ended_at >= %s)",
        [at, customer_id, PROCESS, but, since],
    )
    return map(_payment, rows)


def _payment(row: tuple[Any, ...]) -> PaymentView:
    instance_id, digest, status, state, end_node, started_at, ended_at, case_id, card_id = row
    variables = from_text(state, InstanceState).variables
    values = {name: plain(variables[name]) for name in _SHOWN if name in variables}
    content = flow_of(digest).content
    where = _state(content.states, status, end_node, card_id)
    says = content.says.get(end_node or "", "") if where in {"refused", "failed"} else ""
    reason = filled(says, plain_mapping(variables)) if says else ""
    day = values.get("execution_date")
    reference = found(values, "receipt.reference")
    decision_id = found(values, "receipt.decision_id")
    return PaymentView(
        id=instance_id,
        creditor_name=str(values.get("creditor_name", "")),
        creditor_iban=str(values.get("creditor_iban", "")),
        amount=money_of(values.get("amount")),
        state=where,
        words=reason or _WORDS[where],
        started_at=started_at,
        finished_at=ended_at,
        execution_date=date.fromisoformat(str(day)) if day else None,
        case_id=case_id,
        card_id=card_id,
        reference=str(reference) if reference else None,
        remittance=str(values.get("remittance") or ""),
        purpose=str(values.get("purpose") or ""),
        decision_id=str(decision_id) if decision_id else None,
    )


def _state(
    states: Mapping[str, str], status: str, end_node: str | None, card_id: UUID | None
) -> str:
    if end_node is not None and end_node in states:
        return states[end_node]
    if status == "cancelled":
        return "cancelled"
    if status not in {"created", "running"}:
        return "failed"
    return "waiting_for_you" if card_id else "in_review"
