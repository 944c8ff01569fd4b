"""A whole payment of the customer's journey beside bare commits: form, card, confirmation, receipt.

Each runs the published flow from its start to its end: preview, screening, fraud score, the card,
the decision, the token, the posting and the receipt. Two commits it must make: one before the card
is shown, and one in which the effect stands.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle
from uuid import UUID, uuid4

from celery import current_app
from django.db import connections

import orchestration.public
import sentinel.public
from deploy.benches import bank, clients, commits
from deploy.benches.catalogue import Effort
from deploy.benches.report import Goal, Report
from sentinel.vocabulary import Provenance, Source

CLIENTS = 8
COMMITS_EACH = 2
GOALS = {"send_money_over_commit": Goal(0.40)}


def measure(effort: Effort) -> Report:
    """Measure payments between a customer's own accounts, and bare commits, in turn."""
    began = time.perf_counter()
    commits.make_table()
    # The clients look for themselves, so that the doorbell need ring nobody.
    current_app.conf.update(broker_url="memory://localhost")
    customers = bank.open_bank(customers=CLIENTS * (2 if effort.is_smoke else 10))
    savings = bank.open_savings(customers)
    with sentinel.public.legal_entity(entity=bank.ENTITY):
        orchestration.public.publish_journeys()
    bank.make_known()
    connections.close_all()
    measured = clients.interleaved(
        {
            "flow": (_payers(customers, savings), CLIENTS),
            "commit": (commits.bare_commit, CLIENTS),
            "flow_c1": (_payers(customers, savings), 1),
        },
        rounds=effort.rounds,
        seconds=effort.seconds,
    )
    paid, bare = measured["flow"], measured["commit"]
    return Report(
        bench="flow",
        ratios={"send_money_over_commit": COMMITS_EACH * clients.median_ratio(paid, bare)},
        figures={
            "send_money_per_s_c8": clients.median_rate(paid),
            "send_money_per_s_c1": clients.median_rate(measured["flow_c1"]),
            "p50_ms_c1": clients.percentile_ms(measured["flow_c1"], 0.50),
            "p99_ms_c1": clients.percentile_ms(measured["flow_c1"], 0.99),
        },
        limits={"commit_per_s_c8": clients.median_rate(bare)},
        seconds=time.perf_counter() - began,
        goals=GOALS,
    )


def _payers(customers: tuple[bank.Customer, ...], savings: dict[UUID, str]) -> clients.Prepare:
    """Return clients that each pay for their own share of the customers, one after the other."""

    def prepare(index: int) -> Callable[[], int]:
        share = cycle(customers[index::CLIENTS])
        scope = ExitStack()
        scope.enter_context(sentinel.public.legal_entity(entity=bank.ENTITY))

        def pay_once(_held: ExitStack = scope) -> int:
            customer = next(share)
            _pay(customer, savings[customer.party_id])
            return 1

        return pay_once

    return prepare


def _pay(customer: bank.Customer, iban: str) -> None:
    """Pay one euro to the customer's own second account, to the receipt."""
    conversation, principal = uuid4(), customer.principal
    form = {
        "creditor_name": "Bench Customer",
        "creditor_iban": iban,
        "amount": {"minor_units": 100, "currency": "EUR"},
    }
    orchestration.public.start_payment(
        principal=principal,
        conversation_id=conversation,
        parameters=form,
        sources=dict.fromkeys(form, Source(Provenance.CUSTOMER_SELECTED, "form:payment")),
        at=bank.now(),
    )
    (card,) = _open_cards(customer, conversation)
    orchestration.public.answer_card(
        conversation_id=conversation,
        principal=principal,
        card_id=card.id,
        answer={"answer": "confirm"},
        at=bank.now(),
    )
    if _open_cards(customer, conversation):
        raise bank.BenchDenied("the payment did not end")


def _open_cards(
    customer: bank.Customer, conversation: UUID
) -> tuple[orchestration.public.Card, ...]:
    found = orchestration.public.cards(
        conversation_id=conversation, principal=customer.principal, at=bank.now()
    )
    return tuple(card for card in found if card.state == "open")
