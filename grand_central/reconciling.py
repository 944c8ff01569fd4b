"""Matches tokens with the core's own statement, both ways, and raises what has no partner."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from grand_central.connectors.catalogue import ROUTES
from sentinel.public import OpenToken, legal_entities, legal_entity, open_tokens, record_outcome
from sentinel.vocabulary import OutcomeKind

AGE_SECONDS_MIN = 60

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
    """What one round settled, and what a person must look at."""

    done: int
    failed: int
    orphans: tuple[Orphan, ...]


def reconcile_once() -> Reconciliation:
    """Give every redeemed token without an outcome the outcome the core states, in every entity."""
    done, failed, orphans = 0, 0, list[Orphan]()
    for registered in legal_entities():
        with legal_entity(entity=registered.entity), transaction.atomic():
            for token in open_tokens(older_than_seconds=AGE_SECONDS_MIN):
                if token.is_redeemed:
                    is_done = _settle(token)
                    done, failed = done + is_done, failed + (not is_done)
            orphans.extend(_orphans())
    return Reconciliation(done, failed, tuple(orphans))


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


def _orphans() -> list[Orphan]:
    with connection.cursor() as cursor:
        cursor.execute(_ORPHANS)
        return [Orphan(token, reason) for token, reason in cursor.fetchall()]
