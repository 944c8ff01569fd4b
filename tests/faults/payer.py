"""A customer's client: it looks at the cards that are there, and answers what is open."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import connection

import orchestration.public
import sentinel.public
from sentinel.vocabulary import Principal, Provenance, Source

ENTITY = "meridian-nl"
ROUNDS_MAX = 6


class Payer:
    """Anna, with her authenticator."""

    def __init__(self, principal_id: str) -> None:
        self.principal = Principal(
            id=principal_id,
            kind="customer",
            person_id=principal_id,
            entity=ENTITY,
            roles=("customer",),
            methods=("pwd",),
        )

    def bring_to_its_end(self, conversation: UUID, kind: str, now: Callable[[], datetime]) -> None:
        """Ask for a payment unless it was asked for, and answer its cards until it is over."""
        with sentinel.public.legal_entity(entity=ENTITY):
            for _ in range(ROUNDS_MAX):
                at = now()
                cards = orchestration.public.cards(
                    conversation_id=conversation, principal=self.principal, at=at
                )
                waiting = [card for card in cards if card.state == "open"]
                if not cards:
                    self._ask(conversation, kind, at)
                elif waiting:
                    self._answer(conversation, waiting[-1], at)
                else:
                    orchestration.public.run_due_once()
                    return

    def _ask(self, conversation: UUID, kind: str, at: datetime) -> None:
        if kind == "code":
            orchestration.public.handle_message(
                conversation_id=conversation,
                principal=self.principal,
                text="pay Hendriks Vastgoed 250 euro for the rent",
                at=at,
            )
            return
        form = {
            "creditor_name": "Anna de Vries",
            "creditor_iban": self._savings(),
            "amount": {"minor_units": 100, "currency": "EUR"},
        }
        source = Source(Provenance.CUSTOMER_SELECTED, "form:payment")
        orchestration.public.start_payment(
            principal=self.principal,
            conversation_id=conversation,
            parameters=form,
            sources=dict.fromkeys(form, source),
            at=at,
        )

    def _answer(self, conversation: UUID, card: orchestration.public.Card, at: datetime) -> None:
        answer: dict[str, object] = {"answer": "confirm"}
        if card.kind == "step_up":
            code = sentinel.public.authenticator_code(principal_id=self.principal.id, at=at)
            answer = {"answer": "code", "code": code}
        orchestration.public.answer_card(
            conversation_id=conversation,
            principal=self.principal,
            card_id=card.id,
            answer=answer,
            at=at,
        )

    def _savings(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT iban FROM ledger_account WHERE party_id = %s AND kind = 'customer_savings'",
                [self.principal.id.removeprefix("customer:")],
            )
            return cursor.fetchone()[0]
