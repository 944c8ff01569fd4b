"""The log: how fast it is sequenced, how soon a decision is sealed, how fast it is checked."""

import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connections

import sentinel.public
from deploy.benches import bank, clients
from deploy.benches.catalogue import Effort
from deploy.benches.sentinel_parts import Part, payment
from deploy.home import SOURCE
from deploy.settings.database import conninfo

INTERVAL_SECONDS = 1.0
DECIDERS = 8
BACKLOG = 20_000
VERIFIER = SOURCE / "sentinel" / "verify" / "frontline_verify.py"
# Without a checkpoint from outside the verifier answers 3: sound, but not anchored.
_SOUND = 3
_WAITS = """
SELECT extract(epoch FROM (
    SELECT min(c.signed_at) FROM sentinel_checkpoint c
    WHERE c.entity = l.entity AND c.size > l.idx) - r.recorded_at)
FROM sentinel_leaf l JOIN sentinel_record r ON r.id = l.record_id
WHERE r.kind = 'issued' AND r.recorded_at >= %s
"""


def measure(customers: tuple[bank.Customer, ...], effort: Effort) -> Part:
    """Measure the sequencer beside the decisions it has to keep up with, and the verifier."""
    rate, waits = _decide_while_sequencing(customers, effort)
    sequenced = _sequence_backlog(500 if effort.is_smoke else BACKLOG)
    leaves, verifying, hashing = _verify()
    p99 = waits[min(len(waits) - 1, int(0.99 * len(waits)))]
    return Part(
        ratios={
            "sequencer_over_peak": sequenced / rate,
            "sealed_p99_over_interval": p99 / INTERVAL_SECONDS,
            "verify_over_hash": verifying / hashing,
        },
        figures={
            "sequenced_per_s": sequenced,
            "sealed_p50_ms": waits[len(waits) // 2] * 1_000,
            "sealed_p99_ms": p99 * 1_000,
            "verified_leaves": leaves,
            "verifier_us_a_leaf": verifying / leaves * 1_000_000,
        },
        limits={
            "decisions_per_s_c8": rate,
            "hashes_us_a_leaf": hashing / leaves * 1_000_000,
        },
    )


def _decide_while_sequencing(
    customers: tuple[bank.Customer, ...], effort: Effort
) -> tuple[float, list[float]]:
    """Return decisions per second, and how long each waited for its checkpoint, in order."""
    _drain()
    done = threading.Event()
    with clients.Clients(_decisions_of(customers), DECIDERS) as deciders:
        deciders.work(min(0.5, effort.seconds))
        _drain()
        began = bank.now()
        sequencing = threading.Thread(target=_sequence_every_interval, args=(done,))
        sequencing.start()
        try:
            rate = deciders.work(effort.rounds * effort.seconds).per_second
        finally:
            done.set()
            sequencing.join()
    with psycopg.connect(conninfo(settings.DATABASES["owner"])) as owner:
        owner.execute("SELECT set_config('frontline.entity', %s, true)", [bank.ENTITY])
        return rate, sorted(float(wait) for (wait,) in owner.execute(_WAITS, [began]))


def _sequence_every_interval(done: threading.Event) -> None:
    """Sequence at every interval as the bank's tick does, and once more at the end."""
    while not done.wait(INTERVAL_SECONDS):
        _drain()
    _drain()
    connections.close_all()


def _drain() -> None:
    while sentinel.public.run_sequencer_once():
        pass


def _decisions_of(customers: tuple[bank.Customer, ...]) -> clients.Prepare:
    def prepare(index: int) -> Callable[[], int]:
        scope = ExitStack()
        scope.enter_context(sentinel.public.legal_entity(entity=bank.ENTITY))
        payer, payee = customers[index], customers[index + DECIDERS]

        def once(_held: ExitStack = scope) -> int:
            sentinel.public.decide_durably(
                action=payment(payer, payee),
                principal=payer.principal,
                facts=bank.payment_facts(),
                purpose="payments",
                at=bank.now(),
            )
            return 1

        return once

    return prepare


def _sequence_backlog(count: int) -> float:
    """Return leaves per second of a backlog that waits as a whole."""
    with sentinel.public.legal_entity(entity=bank.ENTITY):
        sentinel.public.append_plain(count=count)
    began = time.perf_counter()
    _drain()
    return count / (time.perf_counter() - began)


def _verify() -> tuple[int, float, float]:
    """Return the leaves of the log, the seconds its check took, and those of the bare hashes."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "evidence.zip"
        with sentinel.public.legal_entity(entity=bank.ENTITY), bundle.open("wb") as target:
            sentinel.public.write_evidence(target=target)
        began = time.perf_counter()
        found = subprocess.run(
            [sys.executable, VERIFIER, bundle], capture_output=True, text=True, check=False
        )
        verifying = time.perf_counter() - began
        if found.returncode != _SOUND:
            raise EvidenceUnsound(found.stdout + found.stderr)
        with zipfile.ZipFile(bundle) as archive:
            bodies = archive.read("entries.txt").splitlines()
    began = time.perf_counter()
    sentinel.public.hash_floor(bodies=bodies)
    return len(bodies), verifying, time.perf_counter() - began


class EvidenceUnsound(Exception):
    """The verifier did not find the bench's own log sound; the words are its own."""

    code = "evidence_unsound"
    is_retryable = False

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
