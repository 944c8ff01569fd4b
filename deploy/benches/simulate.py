"""A change of the rules tried on history, beside Cedar asked the same requests and nothing else.

`simulate_over_engine` holds decisions put again per second (read, unsealed, judged, counted) beside
bare questions to Cedar per second: the requests of the same decisions, each parsed already.
`untouched_over_engine` holds the same for a change of an area that decided none of them. All of it
is this process's own processor time: others may be at work here, and what the database takes stands
in the figures as time on the clock.
"""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.db import connections, transaction

import sentinel.public
from deploy.benches import bank
from deploy.benches.authorize import parameters_of
from deploy.benches.catalogue import Effort
from deploy.benches.report import Goal, Report
from deploy.rulebook import shipped_bundles
from sentinel.vocabulary import Action, Fact, Provenance

CUSTOMERS = 100
DECISIONS, DECISIONS_SMOKE = 4_000, 60
GOALS = {
    "simulate_over_engine": Goal(0.8),
    "untouched_over_engine": Goal(5.0),
}
_STRICTER = """
@id("bench-no-large")
@customer("Not so much at once.")
@staff("Nobody pays more than 9,000.00 at once.")
forbid (principal, action == Action::"payments.transfer", resource)
when { context.amount_minor > 900000 };
"""
_ELSEWHERE = """
@id("bench-no-message")
@customer("No message goes out today.")
@staff("Nobody sends a message of what only people may do.")
forbid (principal, action == Action::"messages.send", resource)
when { context.purpose == "payments" && context.human_only };
"""


def measure(effort: Effort) -> Report:
    """Measure decisions put again per second of processor time, and bare questions to Cedar."""
    customers = bank.open_bank(customers=CUSTOMERS)
    report = measure_on(customers, effort)
    connections.close_all()
    return report


def measure_on(customers: tuple[bank.Customer, ...], effort: Effort) -> Report:
    """Measure on a bank that is open already."""
    began = time.perf_counter()
    since = bank.now()
    count = DECISIONS_SMOKE if effort.is_smoke else DECISIONS
    with sentinel.public.legal_entity(entity=bank.ENTITY):
        _decide(customers, count)
        until = bank.now()
        asked = sentinel.public.bare_questions(since=since, until=until)
        touching = _trying("payments", _STRICTER, since, until)
        elsewhere = _trying("servicing", _ELSEWHERE, since, until)
        rounds = [_round(touching, elsewhere, asked) for _ in range(effort.rounds)]
    cpu, clock, untouched, bare = (statistics.median(each) for each in zip(*rounds, strict=True))
    return Report(
        bench="simulate",
        ratios={
            "simulate_over_engine": bare / cpu,
            "untouched_over_engine": bare / untouched,
        },
        figures={
            "decisions": count,
            "simulate_per_s_core": count / cpu,
            "decisions_per_clock_s": count / clock,
            "cpu_us_a_decision": cpu / count * 1_000_000,
            "untouched_per_cpu_s": count / untouched,
        },
        limits={"engine_per_cpu_s": count / bare, "engine_us": bare / count * 1_000_000},
        seconds=time.perf_counter() - began,
        goals=GOALS,
    )


def _round(
    touching: Callable[[], None], elsewhere: Callable[[], None], asked: list[Callable[[], object]]
) -> tuple[float, float, float, float]:
    """Return the processor's seconds of each, and the clock's of the first."""
    began, clock = time.process_time(), time.perf_counter()
    touching()
    cpu, clock = time.process_time() - began, time.perf_counter() - clock
    began = time.process_time()
    elsewhere()
    untouched = time.process_time() - began
    began = time.process_time()
    for ask in asked:
        ask()
    return cpu, clock, untouched, time.process_time() - began


def _trying(area: str, added: str, since: datetime, until: datetime) -> Callable[[], None]:
    """Return the simulation of an area's shipped rules with one more, as it is run for real."""
    content = next(each.content for each in shipped_bundles() if each.content.area == area)
    changed = content.model_copy(update={"cedar": content.cedar + added})
    candidate = sentinel.public.Candidate(f"bench {area}", sentinel.public.Bundle(changed))

    def once() -> None:
        sentinel.public.simulate(candidate=candidate, since=since, until=until)

    once()
    return once


def _decide(customers: tuple[bank.Customer, ...], count: int) -> None:
    """Take decisions on payments, small and large, to own and other accounts, well known or not."""
    chance = random.Random(1)  # noqa: S311 - which payment, not a secret
    for _ in range(count):
        payer, payee = chance.sample(customers, 2)
        with transaction.atomic():
            sentinel.public.decide(
                action=_payment(payer, payee, chance),
                principal=payer.principal,
                facts=_facts(chance),
                purpose="payments",
                at=bank.now(),
            )
    bank.sequence_log()


def _payment(payer: bank.Customer, payee: bank.Customer, chance: random.Random) -> Action:
    amount = {"minor_units": chance.randrange(1_00, 10_000_00), "currency": "EUR"}
    return bank.action(
        "payments.transfer",
        {**parameters_of(payer, payee), "amount": amount},
        resource=f"account:{payer.account_id}",
        provenance=Provenance.CUSTOMER_TYPED,
    )


def _facts(chance: random.Random) -> tuple[Fact, ...]:
    drawn = {
        "creditor_own_account": chance.random() < 0.5,
        "own_account": chance.random() < 0.9,
        "payee_known": chance.random() < 0.7,
        "fraud_score_permille": chance.randrange(0, 900),
        "screening_age_seconds": chance.randrange(0, 3_600),
    }
    return tuple(
        replace(fact, value=drawn.get(fact.name, fact.value)) for fact in bank.payment_facts()
    )
