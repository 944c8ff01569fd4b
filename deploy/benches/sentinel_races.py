"""Many processes try to spend the same tokens at once: each token has exactly one winner."""

import logging
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from uuid import UUID

from django.db import transaction

import sentinel.public
from deploy.benches import bank, clients
from deploy.benches.catalogue import Effort
from deploy.benches.sentinel_parts import Part, payment
from sentinel.vocabulary import Action, DecisionToken

RACERS = 8
TRIES_EACH = 4
WAVE = 500
ATTEMPTS = 1_000_000
ATTEMPTS_SMOKE = 3_200


@dataclass(frozen=True, slots=True)
class _Spendable:
    action: Action
    token: DecisionToken


def measure(customers: tuple[bank.Customer, ...], effort: Effort) -> Part:
    """Race for tokens in waves, as they live for half a minute only, and count who won."""
    attempts = ATTEMPTS_SMOKE if effort.is_smoke else ATTEMPTS
    wave = 50 if effort.is_smoke else WAVE
    tokens = attempts // (RACERS * TRIES_EACH)
    won: Counter[UUID] = Counter()
    racing = 0.0
    with _Racers() as racers:
        for begin in range(0, tokens, wave):
            bank.sequence_log()
            spendable = _issue(customers, min(wave, tokens - begin))
            began = time.perf_counter()
            won.update(racers.race(spendable))
            racing += time.perf_counter() - began
    once = sum(1 for count in won.values() if count == 1)
    return Part(
        ratios={"redeemed_once": once / tokens},
        figures={
            "raced_redemptions": float(tokens * RACERS * TRIES_EACH),
            "raced_tokens": float(tokens),
            "spent_twice": float(sum(1 for count in won.values() if count > 1)),
            "spent_by_nobody": float(tokens - len(won)),
            "raced_per_s": tokens * RACERS * TRIES_EACH / racing,
        },
    )


def _issue(customers: tuple[bank.Customer, ...], count: int) -> list[_Spendable]:
    made = []
    with sentinel.public.legal_entity(entity=bank.ENTITY), transaction.atomic():
        for number in range(count):
            payer, payee = customers[number % 100], customers[100 + number % 100]
            action = payment(payer, payee)
            decision = sentinel.public.decide(
                action=action,
                principal=payer.principal,
                facts=bank.payment_facts(),
                purpose="payments",
                at=bank.now(),
            )
            if decision.token is None:
                raise bank.BenchDenied(f"{action.kind}: {decision.reasons}")
            made.append(_Spendable(action, decision.token))
    return made


class _Racers:
    """Processes that all try to spend whatever they are handed, each in an order of its own."""

    def __init__(self) -> None:
        clients.leave_no_connection()
        context = multiprocessing.get_context("fork")
        self._pipes: list[Connection] = []
        for index in range(RACERS):
            ours, theirs = context.Pipe()
            context.Process(target=_serve, args=(theirs, index), daemon=True).start()
            theirs.close()
            self._pipes.append(ours)

    def __enter__(self) -> "_Racers":
        return self

    def __exit__(self, *_error: object) -> None:
        for pipe in self._pipes:
            pipe.send(())
            pipe.close()

    def race(self, spendable: Sequence[_Spendable]) -> list[UUID]:
        """Return the id of every token once for each time that somebody could spend it."""
        for pipe in self._pipes:
            pipe.send(tuple(spendable))
        won: list[UUID] = []
        for pipe in self._pipes:
            answer = pipe.recv()
            if isinstance(answer, str):
                raise clients.ClientFailed(answer)
            won += answer
        return won


def _serve(pipe: Connection, index: int) -> None:
    # Nearly every try is refused, as it should be; a line for each would be the bench's main work.
    logging.getLogger("sentinel.redemption").setLevel(logging.ERROR)
    chance = random.Random(index)  # noqa: S311 - in which order to try, not a secret
    try:
        with sentinel.public.legal_entity(entity=bank.ENTITY):
            while spendable := pipe.recv():
                tries = [each for each in spendable for _ in range(TRIES_EACH)]
                chance.shuffle(tries)
                pipe.send([each.token.id for each in tries if _is_won(each)])
    except Exception as error:  # noqa: BLE001 - carried to the parent, which raises it
        pipe.send(f"{type(error).__name__}: {error}")


def _is_won(each: _Spendable) -> bool:
    return sentinel.public.is_spent_by_me(token=each.token, action=each.action)
