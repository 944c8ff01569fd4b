"""From a customer's message to the first word of the reply, beside intent and slots alone.

Both sides are the product's own: the reference is the same call of the intent model that the
conversation makes, with its record kept, since no call is ever made without one.
"""

import statistics
import time
from itertools import cycle, islice
from uuid import UUID, uuid4

import intelligence.public
import nexus.public
import orchestration.public
import sentinel.public
from deploy.benches import bank
from deploy.benches.catalogue import Effort
from deploy.benches.report import Goal, Report

MESSAGES = (
    "what is my balance?",
    "how much did I spend on groceries in October",
    "where is my payment",
    "pay Bench Customer 25 euro for dinner",
    "can I get a mortgage on the moon",
)
TURNS_PER_ROUND = 40
GOALS = {"first_token_over_intent": Goal(3.0, is_ceiling=True)}


def measure(effort: Effort) -> Report:
    """Measure whole turns and bare understanding in turn, message by message."""
    began = time.perf_counter()
    (customer, *_) = bank.open_bank(customers=5)
    turns = len(MESSAGES) if effort.is_smoke else TURNS_PER_ROUND
    ratios: list[float] = []
    firsts: list[float] = []
    alone: list[float] = []
    wholes: list[float] = []
    with sentinel.public.legal_entity(entity=bank.ENTITY):
        orchestration.public.publish_journeys()
        while nexus.public.ingest_once().ingested:
            pass
        _turn(customer, uuid4(), MESSAGES[0])
        for _ in range(effort.rounds):
            rounds = [_pair(customer, text) for text in islice(cycle(MESSAGES), turns)]
            ratios.append(_median(rounds, 0) / _median(rounds, 2))
            firsts += [each[0] for each in rounds]
            wholes += [each[1] for each in rounds]
            alone += [each[2] for each in rounds]
    return Report(
        bench="chat",
        ratios={"first_token_over_intent": statistics.median(ratios)},
        figures={
            "first_token_p50_ms": statistics.median(firsts),
            "whole_reply_p50_ms": statistics.median(wholes),
        },
        limits={"intent_p50_ms": statistics.median(alone)},
        seconds=time.perf_counter() - began,
        goals=GOALS,
    )


def _pair(customer: bank.Customer, text: str) -> tuple[float, float, float]:
    """Return milliseconds to the first word, to the whole reply, and of understanding alone."""
    first, whole = _turn(customer, uuid4(), text)
    began = time.perf_counter()
    intelligence.public.understand(text=text, at=bank.now())
    return first, whole, (time.perf_counter() - began) * 1_000


def _turn(customer: bank.Customer, conversation_id: UUID, text: str) -> tuple[float, float]:
    heard: list[float] = []
    began = time.perf_counter()
    orchestration.public.handle_message(
        conversation_id=conversation_id,
        principal=customer.principal,
        text=text,
        at=bank.now(),
        on_token=lambda _words: heard.append(time.perf_counter()),
    )
    ended = time.perf_counter()
    return (heard[0] - began) * 1_000, (ended - began) * 1_000


def _median(rounds: list[tuple[float, float, float]], place: int) -> float:
    return statistics.median(each[place] for each in rounds)
