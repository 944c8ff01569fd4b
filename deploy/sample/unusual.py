"""Payments of the sample that stand out, so that the fraud desk has something to look at.

They are made as any customer makes them: ordered on the form, confirmed, with a code.
"""

from datetime import datetime, timedelta
from uuid import UUID

import interaction.public
import orchestration.public
import sentinel.public
from deploy.sample.batches import Say
from deploy.sample.story import MERIDIAN_NL, elsewhere_iban, sample_id
from sentinel.vocabulary import Principal

PAYEE_NAME = "Joost Visser"
PAYEE_IBAN = elsewhere_iban("unusual", PAYEE_NAME)
AMOUNTS = ("120.00", "140.00", "160.00")
# A code is good once, and another comes every half minute.
APART = timedelta(seconds=31)


def make_unusual_payments(*, customer_id: UUID, at: datetime, say: Say) -> None:
    """Let a customer pay somebody new three times within minutes; a second run pays nothing."""
    with sentinel.public.legal_entity(entity=MERIDIAN_NL.entity):
        principal = _principal(customer_id, at)
        if orchestration.public.payments(principal=principal, at=at):
            return
        for number, amount in enumerate(AMOUNTS):
            _pay(principal, amount, f"unusual-payment-{number}", at + APART * number)
    say(f"{MERIDIAN_NL.name}: a customer paid somebody new {len(AMOUNTS)} times")


def _principal(customer_id: UUID, at: datetime) -> Principal:
    return Principal(
        id=f"customer:{customer_id}",
        kind="customer",
        person_id=str(sample_id(MERIDIAN_NL.entity, "person", customer_id)),
        entity=MERIDIAN_NL.entity,
        roles=("customer",),
        authenticated_at=at,
        methods=("pwd",),
    )


def _pay(principal: Principal, amount: str, sent_id: str, at: datetime) -> None:
    held = interaction.public.holdings(principal=principal, at=at)
    typed = {
        "name": PAYEE_NAME,
        "iban": PAYEE_IBAN,
        "amount": amount,
        "execution_date": at.date().isoformat(),
        "remittance": "",
        "account": str(held.accounts[0].id),
        "payee": "new",
    }
    ordered = interaction.public.order_payment(
        principal=principal, typed=typed, sent_id=sent_id, at=at
    )
    assert ordered.reply is not None
    card_id = ordered.reply.card_ids[-1]
    interaction.public.answer_card(
        principal=principal, card_id=card_id, answer={"answer": "confirm"}, at=at
    )
    code = sentinel.public.authenticator_code(principal_id=principal.id, at=at)
    slips = interaction.public.payment_slips(principal=principal, card_id=card_id, at=at)
    for slip in (each for each in slips if each.kind == "step_up" and each.is_open):
        interaction.public.answer_card(
            principal=principal, card_id=slip.id, answer={"answer": "code", "code": code}, at=at
        )
