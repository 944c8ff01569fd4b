"""The full path of a payment in our own database, beside bare one-row commits.

The key `authorize_over_commit_c8` holds: decide, issue, redeem, post and record, in one
transaction, from facts in hand. Gathering the facts (what Nexus, the name check and the screening
list say of this payment) comes before it in a flow; it is printed beside the key, as `facts_*`.
"""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from uuid import uuid4

from django.db import connections

import orchestration.public
import sentinel.public
from deploy.benches import bank, clients, commits
from deploy.benches.catalogue import Effort
from deploy.benches.report import Goal, Report
from sentinel.vocabulary import Provenance

CLIENTS = 8
ACCOUNTS_PER_CLIENT = 25
GOALS = {"authorize_over_commit_c8": Goal(0.25)}


def measure(effort: Effort) -> Report:
    """Measure payments authorised and posted per second, and commits per second, in turn."""
    began = time.perf_counter()
    commits.make_table()
    customers = bank.open_bank(customers=CLIENTS * ACCOUNTS_PER_CLIENT)
    bank.make_known()
    connections.close_all()
    measured = clients.interleaved(
        {
            "authorize": (_payments_of(customers), CLIENTS),
            "commit": (commits.bare_commit, CLIENTS),
            "authorize_c1": (_payments_of(customers), 1),
            "facts": (_payments_of(customers, work=gather_facts), CLIENTS),
        },
        rounds=effort.rounds,
        seconds=effort.seconds,
        after_round=lambda _seconds: bank.sequence_log(),
    )
    paths, bare = measured["authorize"], measured["commit"]
    return Report(
        bench="authorize",
        ratios={"authorize_over_commit_c8": clients.median_ratio(paths, bare)},
        figures={
            "authorize_per_s_c8": clients.median_rate(paths),
            "authorize_per_s_c1": clients.median_rate(measured["authorize_c1"]),
            "p50_ms": clients.percentile_ms(paths, 0.50),
            "p99_ms": clients.percentile_ms(paths, 0.99),
            "p50_ms_c1": clients.percentile_ms(measured["authorize_c1"], 0.50),
            "facts_per_s_c8": clients.median_rate(measured["facts"]),
            "facts_p50_ms": clients.percentile_ms(measured["facts"], 0.50),
        },
        limits={"commit_per_s_c8": clients.median_rate(bare)},
        seconds=time.perf_counter() - began,
        goals=GOALS,
    )


def pay(payer: bank.Customer, payee: bank.Customer) -> None:
    """Authorise and post one payment between two accounts."""
    bank.act(
        action=bank.action(
            "payments.transfer",
            parameters_of(payer, payee),
            resource=f"account:{payer.account_id}",
            provenance=Provenance.CUSTOMER_TYPED,
        ),
        principal=payer.principal,
        facts=bank.payment_facts(),
        purpose="payments",
    )


def gather_facts(payer: bank.Customer, payee: bank.Customer) -> None:
    """Gather the facts of one payment as a flow does before it asks for the decision."""
    orchestration.public.payment_facts(
        parameters=parameters_of(payer, payee),
        customer_id=payer.party_id,
        given={},
        at=bank.now(),
    )


def _payments_of(
    customers: tuple[bank.Customer, ...],
    work: Callable[[bank.Customer, bank.Customer], None] = pay,
) -> clients.Prepare:
    """Return clients that each work on accounts of their own share of the customers."""

    def prepare(index: int) -> Callable[[], int]:
        chance = random.Random(index)  # noqa: S311 - which account pays, not a secret
        share = customers[index * ACCOUNTS_PER_CLIENT : (index + 1) * ACCOUNTS_PER_CLIENT]
        scope = ExitStack()
        scope.enter_context(sentinel.public.legal_entity(entity=bank.ENTITY))

        def once(_held: ExitStack = scope) -> int:
            payer, payee = chance.sample(share, 2)
            work(payer, payee)
            return 1

        return once

    return prepare


def parameters_of(payer: bank.Customer, payee: bank.Customer) -> dict[str, object]:
    """Return the parameters of a payment of one euro, new in every respect."""
    return {
        "debtor_account_id": str(payer.account_id),
        "creditor_iban": payee.iban,
        "creditor_name": "Bench Customer",
        "amount": {"minor_units": 1_00, "currency": "EUR"},
        "fee": {"minor_units": 0, "currency": "EUR"},
        "remittance": "Bench",
        "execution_date": bank.now().date().isoformat(),
        "end_to_end_id": uuid4().hex,
    }
