"""One dead service outside leaves everything else at its usual pace, and is caught up with.

A whole bank, and the card processor in a process of its own: it hangs (it takes connections and
never answers), or is killed. Payments go through the embedded core meanwhile, as they do before.
"""

import json
import shutil
import signal
import statistics
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field

import pytest

from tests.banks import Bank, wait_until
from tests.databases import fresh_home
from tests.faults.test_bank_killed import (
    OPEN_ENDS,
    OUTCOME_SECONDS_MAX,
    SAVED,
    customers,
    one,
    superuser,
)
from tests.processor import Processor

ROUNDS, PAYMENTS_A_PHASE, CARDS_WHILE_DEAD = 3, 2, 2
SMALLEST_CENTS = 101
# How long one exchange with the processor may take: whoever waits behind one waits as much longer.
DEADLINE_SECONDS = 5
PAYMENT_SECONDS_MAX, CATCH_UP_SECONDS_MAX = 120, 300
CARDS = "SELECT id::text FROM core_card WHERE entity = 'meridian-nl' AND status = 'active'"
OPEN_CALLS = "SELECT count(*) FROM gc_outside WHERE ended_at IS NULL AND state <> 'begun'"
ENDED_CALLS = "SELECT count(*) FROM gc_outside WHERE ended_at IS NOT NULL"
RUNS = "SELECT count(*) FROM orch_instance WHERE process = 'block_card' AND status = %s"
IS_BLOCKED = "SELECT status = 'blocked' FROM core_card WHERE id = %s"
# Every pause between two tries of the same kind at one call, in order; what was asked about was not
# simply sent again.
PAUSES = """
SELECT token, array_agg(pause ORDER BY position) FROM (
    SELECT token, position, extract(epoch FROM at - lag(at)
        OVER (PARTITION BY token, what ORDER BY position))::float AS pause
    FROM gc_outside_line l WHERE what = 'ask' OR what = 'send' AND NOT EXISTS
        (SELECT FROM gc_outside_line a WHERE a.token = l.token AND a.what = 'ask')) AS tries
WHERE pause IS NOT NULL GROUP BY token
"""


class BankBeside(Bank):
    """A bank whose card processor is a program of ours."""

    processor: Processor

    def environment(self):
        return {
            **super().environment(),
            **self.processor.environment,
            "CARD_PROCESSOR_DEADLINE_SECONDS": str(DEADLINE_SECONDS),
        }


@dataclass
class Story:
    """What goes on: cards reported at the bank's interface, payments, and how long each took."""

    bank: Bank
    processor: Processor
    key: str
    payer: object
    cards: list[str]
    reported: list[str] = field(default_factory=list)
    paid: list[int] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"alive": [], "dead": []})

    def report(self):
        """Have a card stopped: in the bank's core, then at the processor."""
        card = self.cards.pop()
        asked = urllib.request.Request(
            f"{self.bank.url()}/api/v1/meridian-nl/flows/block_card/report",
            data=json.dumps({"card_id": card, "reason": "stolen"}).encode(),
            headers={
                "Authorization": f"Bearer {self.key}",
                "Idempotency-Key": f"card-{card}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert answer.status in {200, 201, 202}
        self.reported.append(card)
        return card

    def pay(self, phase):
        """Pay, one after the other, and keep how long each took from the first page on."""
        for _ in range(PAYMENTS_A_PHASE):
            cents = SMALLEST_CENTS + len(self.paid)
            begin = time.monotonic()
            self.payer.pay_all([cents], begin + PAYMENT_SECONDS_MAX)
            assert cents in self.payer.paid, f"{cents} cents were not paid:\n{self.bank.words()}"
            self.seconds[phase].append(time.monotonic() - begin)
            self.paid.append(cents)

    def go_on_beside_the_dead(self):
        """Pay while a call hangs or fails; nothing of it may have ended before the payments did."""
        before = one(self.bank, OPEN_CALLS)
        cards = [self.report() for _ in range(CARDS_WHILE_DEAD)]
        assert wait_until(lambda: one(self.bank, OPEN_CALLS) > before, 60), self.bank.words()
        ended = one(self.bank, ENDED_CALLS)
        self.pay("dead")
        assert one(self.bank, ENDED_CALLS) == ended
        assert one(self.bank, OPEN_CALLS) > before
        assert all(one(self.bank, IS_BLOCKED, card) for card in cards)

    def runs(self, status):
        return one(self.bank, RUNS, status)


@pytest.fixture
def story():
    folder = fresh_home()
    (folder / "processor").mkdir()
    processor = Processor(folder / "processor").start()
    running = BankBeside(folder / "var", arguments=("--customers", "14"))
    BankBeside.processor = processor
    try:
        running.start()
        made = running.command("callers", "meridian-nl", "add", "desk", "block_card/report")
        assert made.returncode == 0, made.stderr
        payer = customers(running, threading.Event())[0]
        with superuser(running) as session:
            cards = [card for (card,) in session.execute(CARDS).fetchall()]
        yield Story(running, processor, made.stdout.split()[-1], payer, cards)
    finally:
        running.stop()
        processor.kill()
        shutil.rmtree(folder, ignore_errors=True)


def pauses_of(bank):
    """Return the pauses between the tries of each call that was tried three times or more."""
    with superuser(bank) as session:
        return [found for _, found in session.execute(PAUSES).fetchall() if len(found) > 1]


def hang(processor):
    """Leave it with its door open: connections are taken, and nobody answers."""
    processor.process.send_signal(signal.SIGSTOP)


def wake(processor):
    processor.process.send_signal(signal.SIGCONT)


@pytest.mark.slow
def test_one_dead_service_leaves_unrelated_flows_at_their_pace(story):
    begin = one(story.bank, "SELECT clock_timestamp()")
    assert len(story.cards) >= ROUNDS * (1 + CARDS_WHILE_DEAD) + CARDS_WHILE_DEAD
    story.pay("alive")
    story.seconds["alive"].clear()

    for _ in range(ROUNDS):
        story.report()
        story.pay("alive")
        hang(story.processor)
        story.go_on_beside_the_dead()
        wake(story.processor)
    story.processor.kill()
    story.go_on_beside_the_dead()
    assert wait_until(lambda: bool(pauses_of(story.bank)), CATCH_UP_SECONDS_MAX), story.bank.words()
    pauses = pauses_of(story.bank)
    story.processor.start()

    count = len(story.reported)
    caught_up = wait_until(lambda: story.runs("completed") == count, CATCH_UP_SECONDS_MAX)
    alive, dead = (statistics.median(story.seconds[phase]) for phase in ("alive", "dead"))
    sys.stdout.write(f"{alive=:.2f} {dead=:.2f} {story.seconds}\n")
    assert caught_up, story.bank.words()
    assert wait_until(lambda: one(story.bank, OPEN_ENDS) == 0, OUTCOME_SECONDS_MAX)
    assert [story.processor.acts(card) for card in story.reported] == [["stop"]] * count
    with superuser(story.bank) as session:
        paid = session.execute(SAVED, [begin]).fetchall()
    assert paid == [(cents, 1) for cents in story.paid]
    # What was tried again waited longer each time, and so left the dead service alone.
    assert all(found[1] > found[0] for found in pauses), pauses
