"""Token, policy and row of a permit, each timed in turn with its floor."""

import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import psycopg
from django.conf import settings
from django.db import transaction

import sentinel.public
from deploy.benches import bank, clients, commits
from deploy.benches.authorize import parameters_of
from deploy.benches.catalogue import Effort
from deploy.settings.database import conninfo
from sentinel.vocabulary import Action, Provenance

ROW_CLIENTS = 8
WRITERS = 32
LATER_WORK_SECONDS = 0.003
CALLS = 50
_GRANT = "GRANT INSERT ON bench_row TO frontline_app"
_ROW = "INSERT INTO bench_row (id, body) VALUES (gen_random_uuid(), '{\"issued\": 1}')"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the report."""

    ratios: Mapping[str, float]
    figures: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)


def payment(payer: bank.Customer, payee: bank.Customer) -> Action:
    """Return a payment from one customer to another, new in every respect."""
    return bank.action(
        "payments.transfer",
        parameters_of(payer, payee),
        resource=f"account:{payer.account_id}",
        provenance=Provenance.CUSTOMER_TYPED,
    )


def measure(customers: tuple[bank.Customer, ...], effort: Effort) -> Part:
    """Measure minting, reading and asking the policies in this process, floors in between."""
    with sentinel.public.legal_entity(entity=bank.ENTITY):
        parts = _gauges(customers)
        found = {
            "mint_over_sign": _beside(parts.mint, effort),
            "verify_over_verify": _beside(parts.read, effort),
            "policy_over_cedar": _beside(parts.policy, effort),
        }
    return Part(
        ratios={name: timed.ratio for name, timed in found.items()},
        figures={
            "mint_us": found["mint_over_sign"].part_us,
            "read_us": found["verify_over_verify"].part_us,
            "policy_us": found["policy_over_cedar"].part_us,
        },
        limits={
            "sign_us": found["mint_over_sign"].floor_us,
            "verify_us": found["verify_over_verify"].floor_us,
            "engine_us": found["policy_over_cedar"].floor_us,
        },
    )


def measure_rows(customers: tuple[bank.Customer, ...], effort: Effort) -> Part:
    """Measure how much a permit's row costs beside a bare commit, and whether it holds up others.

    A record written inside the transaction must not make writers wait for each other: 32 of them
    have work left to do before they commit.
    """
    with psycopg.connect(conninfo(settings.DATABASES["owner"]), autocommit=True) as owner:
        owner.execute(_GRANT)
    writers = 4 if effort.is_smoke else WRITERS
    measured = clients.interleaved(
        {
            "row": (_rows_of(customers), ROW_CLIENTS),
            "plain": (_plain_rows(later_seconds=0.0), ROW_CLIENTS),
            "commit": (commits.bare_commit, ROW_CLIENTS),
        },
        rounds=effort.rounds,
        seconds=effort.seconds,
    )
    held = _one_after_the_other(
        {
            "recorded": _rows_of(customers, is_working_on=True),
            "unrecorded": _plain_rows(later_seconds=LATER_WORK_SECONDS),
        },
        writers,
        effort,
    )
    return Part(
        ratios={
            "issued_over_commit": clients.median_ratio(measured["plain"], measured["row"]),
            "late32_over_plain": clients.median_ratio(held["recorded"], held["unrecorded"]),
        },
        figures={
            "rows_per_s_c8": clients.median_rate(measured["row"]),
            "work32_per_s": clients.median_rate(held["recorded"]),
        },
        limits={
            "plain_row_per_s_c8": clients.median_rate(measured["plain"]),
            "commit_per_s_c8": clients.median_rate(measured["commit"]),
            "work32_unrecorded_per_s": clients.median_rate(held["unrecorded"]),
        },
    )


def _one_after_the_other(
    workloads: Mapping[str, clients.Prepare], count: int, effort: Effort
) -> dict[str, list[clients.Round]]:
    """Run each in turn with clients of its own: all of them at once need too many connections."""
    measured: dict[str, list[clients.Round]] = {name: [] for name in workloads}
    for _ in range(effort.rounds):
        for name, prepare in workloads.items():
            with clients.Clients(prepare, count) as running:
                running.work(min(0.5, effort.seconds))
                measured[name].append(running.work(effort.seconds))
    return measured


@dataclass(frozen=True, slots=True)
class _Timed:
    """Microseconds a call, medians over rounds that ran next to each other."""

    ratio: float
    part_us: float
    floor_us: float


def _gauges(customers: tuple[bank.Customer, ...]) -> sentinel.public.Gauges:
    payer, payee = customers[0], customers[1]
    return sentinel.public.gauges(
        action=payment(payer, payee),
        principal=payer.principal,
        facts=bank.payment_facts(),
        purpose="payments",
        at=bank.now(),
    )


def _beside(gauge: sentinel.public.Gauge, effort: Effort) -> _Timed:
    end = time.perf_counter() + effort.rounds * effort.seconds / 2
    parts: list[float] = []
    floors: list[float] = []
    while not parts or time.perf_counter() < end:
        parts.append(_microseconds(gauge.part))
        floors.append(_microseconds(gauge.floor))
    ratios = [part / floor for part, floor in zip(parts, floors, strict=True)]
    return _Timed(statistics.median(ratios), statistics.median(parts), statistics.median(floors))


def _microseconds(work: Callable[[], object]) -> float:
    # The processor's time: these parts wait for nobody, and others may be at work here.
    began = time.process_time()
    for _ in range(CALLS):
        work()
    return (time.process_time() - began) / CALLS * 1_000_000


def _rows_of(
    customers: tuple[bank.Customer, ...], *, is_working_on: bool = False
) -> clients.Prepare:
    """Return clients that write permits; with `is_working_on` they commit only 3 ms later."""

    def prepare(index: int) -> Callable[[], int]:
        scope = ExitStack()
        scope.enter_context(sentinel.public.legal_entity(entity=bank.ENTITY))
        write = _gauges(customers[index * 2 :]).write

        def once(_held: ExitStack = scope) -> int:
            with transaction.atomic():
                write()
                if is_working_on:
                    time.sleep(LATER_WORK_SECONDS)
            return 1

        return once

    return prepare


def _plain_rows(*, later_seconds: float) -> clients.Prepare:
    """Return writers of one plain row, in the same kind of transaction and as long in it."""

    def once() -> int:
        with transaction.atomic():
            sentinel.public.run_statement(sql=_ROW)
            if later_seconds:
                time.sleep(later_seconds)
        return 1

    return lambda _index: once
