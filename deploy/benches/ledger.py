"""Batches of 100 transfers beside a bare set-based batch, and one hot account beside many.

`batch100_over_bare` holds the posting of a permitted batch: its items written out as lines, the
token checked and redeemed, the lines hashed and compared with what was permitted, every item posted
or told apart from a replay with a status of its own, the outcome put on record, the commit. The
decision was taken before, in a transaction of its own. `batch100_decided_over_bare` holds all of it
in one transaction: also the root over the lines, the decision and its record.
"""

import json
import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from uuid import UUID, uuid4

import psycopg
from django.conf import settings
from django.db import connections

import sentinel.public
from deploy.benches import bank, clients
from deploy.benches.authorize import pay
from deploy.benches.catalogue import Effort
from deploy.benches.report import Goal, Report
from deploy.settings.database import conninfo
from grand_central.public import PostingItem, Receipt

BATCH_SIZE = 100
ACCOUNTS = 400
WRITERS = 16
GOALS = {"batch100_over_bare": Goal(0.70), "hot16_over_uniform16": Goal(0.60)}

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
        {
            "posted": (_batches(accounts, _post_permitted), 1),
            "bare": (_bare(accounts), 1),
            "decided": (_batches(accounts, _decide_and_post), 1),
        },
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
            "batch100_over_bare": clients.median_busy_ratio(batches["posted"], batches["bare"]),
            "batch100_decided_over_bare": clients.median_busy_ratio(
                batches["decided"], batches["bare"]
            ),
            "hot16_over_uniform16": clients.median_ratio(writers["hot"], writers["uniform"]),
        },
        figures={
            "posted_transfers_per_s": clients.median_busy_rate(batches["posted"]),
            "posted_batch_p50_ms": clients.percentile_ms(batches["posted"], 0.50),
            "decided_transfers_per_s": clients.median_busy_rate(batches["decided"]),
            "decided_batch_p50_ms": clients.percentile_ms(batches["decided"], 0.50),
            "uniform16_per_s": clients.median_rate(writers["uniform"]),
            "hot16_per_s": clients.median_rate(writers["hot"]),
        },
        limits={"bare_transfers_per_s": clients.median_busy_rate(batches["bare"])},
        seconds=time.perf_counter() - began,
        goals=GOALS,
    )


def _make_bare(accounts: list[UUID]) -> None:
    with psycopg.connect(conninfo(settings.DATABASES["owner"]), autocommit=True) as owner:
        owner.execute(_BARE_TABLES)
        with owner.cursor().copy("COPY bench_account (id) FROM STDIN") as copy:
            for account in accounts:
                copy.write_row([account])


def _batches(
    accounts: list[UUID], work: Callable[[Sequence[PostingItem]], clients.Timed]
) -> clients.Prepare:
    """Return one client that puts batches through the product, in one of two ways."""

    def prepare(index: int) -> clients.Work:
        chance = random.Random(index)  # noqa: S311 - which accounts, not a secret
        scope = ExitStack()
        scope.enter_context(sentinel.public.legal_entity(entity=bank.ENTITY))

        def once(_held: ExitStack = scope) -> clients.Timed:
            pairs = _pairs(chance, accounts)
            began = time.perf_counter()
            items = [PostingItem(uuid4(), debit, credit, 1, "EUR") for debit, credit in pairs]
            made = time.perf_counter() - began
            done = work(items)
            return clients.Timed(done.units, done.seconds + made)

        return once

    return prepare


def _decide_and_post(items: Sequence[PostingItem]) -> clients.Timed:
    began = time.perf_counter()
    receipt = bank.post_batch(items, total=BATCH_SIZE)
    return clients.Timed(_posted(receipt), time.perf_counter() - began)


def _post_permitted(items: Sequence[PostingItem]) -> clients.Timed:
    began = time.perf_counter()
    lines = tuple(item.line() for item in items)
    written = time.perf_counter() - began
    permitted = bank.permit_batch(lines, total=BATCH_SIZE)
    began = time.perf_counter()
    receipt = permitted.post()
    return clients.Timed(_posted(receipt), written + time.perf_counter() - began)


def _posted(receipt: Receipt) -> int:
    return sum(status == "posted" for status in receipt.items)


def _bare(accounts: list[UUID]) -> clients.Prepare:
    """Return PostgreSQL's own batch of the same size: one insert and one update, no questions."""

    def prepare(index: int) -> clients.Work:
        chance = random.Random(index)  # noqa: S311 - which accounts, not a secret
        connection = psycopg.connect(conninfo(settings.DATABASES["owner"]), autocommit=True)

        def post() -> clients.Timed:
            pairs = _pairs(chance, accounts)
            began = time.perf_counter()
            items = [
                {"id": str(uuid4()), "debit": str(debit), "credit": str(credit), "amount": 1}
                for debit, credit in pairs
            ]
            connection.execute(_BARE_BATCH, [json.dumps(items)])
            return clients.Timed(BATCH_SIZE, time.perf_counter() - began)

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
