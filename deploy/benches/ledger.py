"""Batches of 100 transfers beside a bare set-based batch, and one hot account beside many."""

import json
import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from uuid import UUID, uuid4

import psycopg
from django.conf import settings
from django.db import connections

import grand_central.public
import sentinel.public
from deploy.benches import bank, clients
from deploy.benches.authorize import pay
from deploy.benches.catalogue import Effort
from deploy.benches.report import Goal, Report
from deploy.settings.database import conninfo

BATCH_SIZE = 100
ACCOUNTS = 400
WRITERS = 16
GOALS = {"batch100_over_bare": Goal(0.50), "hot16_over_uniform16": Goal(0.60)}

_BARE_TABLES = """
    CREATE TABLE IF NOT EXISTS bench_account (
        id uuid PRIMARY KEY, debits bigint NOT NULL DEFAULT 0, credits bigint NOT NULL DEFAULT 0
    ) WITH (fillfactor = 50);
    CREATE TABLE IF NOT EXISTS bench_transfer (
        id uuid PRIMARY KEY, debit uuid NOT NULL, credit uuid NOT NULL, amount bigint NOT NULL
    );
"""
_BARE_BATCH = """
    WITH item AS (
        SELECT * FROM json_to_recordset(%s::json)
            AS x(id uuid, debit uuid, credit uuid, amount bigint)
    ), kept AS (
        INSERT INTO bench_transfer SELECT * FROM item RETURNING debit, credit, amount
    ), moved AS (
        SELECT id, sum(debit)::bigint AS debit, sum(credit)::bigint AS credit FROM (
            SELECT debit AS id, amount AS debit, 0 AS credit FROM kept
            UNION ALL SELECT credit, 0, amount FROM kept) AS side GROUP BY id
    )
    UPDATE bench_account a SET debits = a.debits + m.debit, credits = a.credits + m.credit
    FROM moved m WHERE a.id = m.id
"""


def measure(effort: Effort) -> Report:
    """Measure batches and single transfers through the product beside what PostgreSQL can do."""
    began = time.perf_counter()
    customers = bank.open_bank(customers=ACCOUNTS)
    accounts = [customer.account_id for customer in customers]
    _make_bare(accounts)
    connections.close_all()
    batches = clients.interleaved(
        {"batch": (_batches(accounts), 1), "bare": (_bare(accounts), 1)},
        rounds=effort.rounds,
        seconds=effort.seconds,
    )
    writers = clients.interleaved(
        {
            "uniform": (_payments(customers, is_hot=False), WRITERS),
            "hot": (_payments(customers, is_hot=True), WRITERS),
        },
        rounds=effort.rounds,
        seconds=effort.seconds,
    )
    return Report(
        bench="ledger",
        ratios={
            "batch100_over_bare": clients.median_ratio(batches["batch"], batches["bare"]),
            "hot16_over_uniform16": clients.median_ratio(writers["hot"], writers["uniform"]),
        },
        figures={
            "batched_transfers_per_s": clients.median_rate(batches["batch"]),
            "batch_p50_ms": clients.percentile_ms(batches["batch"], 0.50),
            "uniform16_per_s": clients.median_rate(writers["uniform"]),
            "hot16_per_s": clients.median_rate(writers["hot"]),
        },
        limits={"bare_transfers_per_s": clients.median_rate(batches["bare"])},
        seconds=time.perf_counter() - began,
        goals=GOALS,
    )


def _make_bare(accounts: list[UUID]) -> None:
    with psycopg.connect(conninfo(settings.DATABASES["owner"]), autocommit=True) as owner:
        owner.execute(_BARE_TABLES)
        with owner.cursor().copy("COPY bench_account (id) FROM STDIN") as copy:
            for account in accounts:
                copy.write_row([account])


def _batches(accounts: list[UUID]) -> clients.Prepare:
    """Return the product's batch: decided, redeemed, posted item by item status, recorded."""

    def prepare(index: int) -> Callable[[], int]:
        chance = random.Random(index)  # noqa: S311 - which accounts, not a secret
        scope = ExitStack()
        scope.enter_context(sentinel.public.legal_entity(entity=bank.ENTITY))

        def post(_held: ExitStack = scope) -> int:
            items = [
                grand_central.public.PostingItem(uuid4(), debit, credit, 1, "EUR")
                for debit, credit in _pairs(chance, accounts)
            ]
            receipt = bank.post_batch(items, total=BATCH_SIZE)
            return sum(status == "posted" for status in receipt.items)

        return post

    return prepare


def _bare(accounts: list[UUID]) -> clients.Prepare:
    """Return PostgreSQL's own batch of the same size: one insert and one update, no questions."""

    def prepare(index: int) -> Callable[[], int]:
        chance = random.Random(index)  # noqa: S311 - which accounts, not a secret
        connection = psycopg.connect(conninfo(settings.DATABASES["owner"]), autocommit=True)

        def post() -> int:
            items = [
                {"id": str(uuid4()), "debit": str(debit), "credit": str(credit), "amount": 1}
                for debit, credit in _pairs(chance, accounts)
            ]
            connection.execute(_BARE_BATCH, [json.dumps(items)])
            return BATCH_SIZE

        return post

    return prepare


def _pairs(chance: random.Random, accounts: list[UUID]) -> list[tuple[UUID, UUID]]:
    pairs = (chance.sample(accounts, 2) for _ in range(BATCH_SIZE))
    return [(debit, credit) for debit, credit in pairs]


def _payments(customers: tuple[bank.Customer, ...], *, is_hot: bool) -> clients.Prepare:
    """Return writers that pay each other, or all pay one account that everybody pays."""

    def prepare(index: int) -> Callable[[], int]:
        chance = random.Random(index)  # noqa: S311 - which accounts, not a secret
        share = customers[1 + index :: WRITERS]
        scope = ExitStack()
        scope.enter_context(sentinel.public.legal_entity(entity=bank.ENTITY))

        def write(_held: ExitStack = scope) -> int:
            payer, other = chance.sample(share, 2)
            pay(payer, customers[0] if is_hot else other)
            return 1

        return write

    return prepare
