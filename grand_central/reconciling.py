"""Matches tokens with the core's own statement, both ways, and raises what has no partner."""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from grand_central.connectors.catalogue import CORE, ROUTES
from grand_central.connectors.embedded import BalanceProof
from sentinel.public import OpenToken, legal_entities, legal_entity, open_tokens, record_outcome
from sentinel.vocabulary import OutcomeKind

AGE_SECONDS_MIN = 60
_logger = logging.getLogger(__name__)

# Effects of the core whose token was never redeemed, or for which it keeps no statement.
_ORPHANS = """
    SELECT e.token, 'not_redeemed' FROM gc_execution e
    WHERE NOT EXISTS (SELECT FROM sentinel_redemption r WHERE r.token = e.token)
    UNION
    SELECT DISTINCT t.token, 'not_stated' FROM ledger_transfer t
    WHERE NOT EXISTS (SELECT FROM gc_execution e WHERE e.token = t.token)
"""


@dataclass(frozen=True, slots=True)
class Orphan:
    """An effect without a redeemed token, or without a statement of the core."""

    token: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How many tokens one round ended, by what the core stated."""

    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class BooksProof:
    """Whether the books of a legal entity balance, and the effects that have no token."""

    entity: str
    balances: BalanceProof
    orphans: tuple[Orphan, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is to be looked at."""
        return self.balances.is_balanced and not self.orphans


def reconcile_once() -> Reconciliation:
    """Give every redeemed token without an outcome the outcome the core states, in every entity."""
    done, failed = 0, 0
    for registered in legal_entities():
        with legal_entity(entity=registered.entity), transaction.atomic():
            for token in open_tokens(older_than_seconds=AGE_SECONDS_MIN):
                # What a system outside became of is asked of that system; see `outside`.
                if token.is_redeemed and token.action_kind in ROUTES:
                    is_done = _settle(token)
                    done, failed = done + is_done, failed + (not is_done)
    return Reconciliation(done, failed)


def prove_books_once() -> tuple[BooksProof, ...]:
    """Recompute the books of every legal entity from all transfers, and raise what is wrong.

    It reads every transfer: once a day is its place, every few minutes while they are few.
    """
    proofs = []
    for registered in legal_entities():
        with legal_entity(entity=registered.entity):
            proof = BooksProof(registered.entity, CORE.prove_balances(), _orphans())
        if not proof.is_sound:
            _logger.error(
                "books_not_sound entity=%s differences=%d orphans=%d",
                proof.entity,
                len(proof.balances.differences),
                len(proof.orphans),
            )
        proofs.append(proof)
    return tuple(proofs)


def _settle(token: OpenToken) -> bool:
    execution = ROUTES[token.action_kind].resolve(token.idempotency_key)
    if execution is None:
        # The effect commits with its redemption: no statement means that nothing was done.
        record_outcome(decision_id=token.decision_id, kind=OutcomeKind.FAILED, code="not_executed")
        return False
    record_outcome(
        decision_id=token.decision_id,
        kind=OutcomeKind.DONE,
        code=execution.status,
        reference=execution.reference,
        position=execution.position,
    )
    return True


def _orphans() -> tuple[Orphan, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_ORPHANS)
        return tuple(Orphan(token, reason) for token, reason in cursor.fetchall())
