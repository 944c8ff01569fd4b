"""Tokens, executions and the core's own postings, compared both ways; differences are kept.

What was redeemed must end as the core states it, and what the core states must have been redeemed.
"Not found" says nothing while a call can still arrive: it counts as not done only after the
finality window of the system that was asked.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from grand_central.expected_origins import expected_origins
from grand_central.operations.catalogue import OPERATIONS
from grand_central.outside import stated_outside, unsettled_seconds
from sentinel.public import current_entity, legal_entities, open_tokens

# An effect here commits with its redemption; its outcome follows within one round of settling.
FINALITY_SECONDS = 120.0
WAITING_LIMIT = 10_000

_COUNTS = """
SELECT (SELECT count(*) FROM sentinel_redemption WHERE action_kind = ANY(%s)),
    (SELECT count(*) FROM gc_execution), (SELECT count(*) FROM ledger_transfer)
"""
_UNREDEEMED_POSTINGS = """
SELECT t.token, t.category_hint, d.kind, c.kind FROM ledger_transfer t
JOIN ledger_account d ON d.id = t.debit_account JOIN ledger_account c ON c.id = t.credit_account
WHERE NOT EXISTS (SELECT FROM sentinel_redemption r WHERE r.token = t.token)
ORDER BY t.token
"""
_UNREDEEMED_EXECUTIONS = """
SELECT e.token, e.action_kind FROM gc_execution e
LEFT JOIN sentinel_redemption r ON r.token = e.token
WHERE r.token IS NULL OR r.action_kind <> e.action_kind OR r.idempotency_key <> e.idempotency_key
"""
_NOT_STATED = """
SELECT DISTINCT t.token FROM ledger_transfer t
WHERE EXISTS (SELECT FROM sentinel_redemption r WHERE r.token = t.token)
AND NOT EXISTS (SELECT FROM gc_execution e WHERE e.token = t.token)
"""
_DONE_WITHOUT_EFFECT = """
SELECT o.decision_id, r.action_kind FROM sentinel_outcome o
JOIN sentinel_redemption r ON r.token = o.decision_id
WHERE o.kind = 'done' AND r.action_kind = ANY(%s)
AND NOT EXISTS (SELECT FROM gc_execution e WHERE e.token = o.decision_id)
"""
_EFFECT_DESPITE_FAILURE = """
SELECT o.decision_id, o.kind FROM sentinel_outcome o
JOIN gc_execution e ON e.token = o.decision_id
WHERE o.is_final AND o.kind <> 'done'
"""
_KEEP = """
INSERT INTO gc_difference AS d (kind, subject, words, found_by) VALUES (%s, %s, %s, %s)
ON CONFLICT (entity, kind, subject) DO UPDATE SET gone_at = NULL WHERE d.gone_at IS NOT NULL
"""
_GONE = """
UPDATE gc_difference SET gone_at = clock_timestamp()
WHERE gone_at IS NULL AND (kind, subject) NOT IN (
    SELECT * FROM unnest(%s::text[], %s::uuid[]))
"""
_RUN = """
INSERT INTO gc_reconciliation
    (id, asked_by, permits, executions, transfers, waiting, expected, differences, unanswered)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING compared_at
"""
_DIFFERENCES = "SELECT kind, subject, words, found_at, gone_at, case_id FROM gc_difference"
_RUNS = """
SELECT id, asked_by, compared_at, permits, executions, transfers, waiting, expected, differences,
    unanswered
FROM gc_reconciliation ORDER BY compared_at DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class StatementDifference:
    """An effect or a token without its partner; `subject` is the token's id."""

    kind: str
    subject: UUID
    words: str
    found_at: datetime
    gone_at: datetime | None
    case_id: UUID | None


@dataclass(frozen=True, slots=True)
class ReconciliationRun:
    """One comparison of everything: what was compared, and what has no partner.

    `waiting` permits may still end by themselves; `expected` counts postings of other origins,
    `unanswered` names the systems that gave no statement.
    """

    id: UUID
    asked_by: str
    compared_at: datetime
    permits: int
    executions: int
    transfers: int
    waiting: int
    expected: Mapping[str, int]
    differences: int
    unanswered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    kind: str
    subject: UUID
    words: str


def compare_statements(*, asked_by: str) -> ReconciliationRun:
    """Compare every token of this legal entity with what the cores state, and keep what differs.

    Raises:
        OriginsRefused: what other origins of postings there are is not declared soundly.
    """
    # What a system outside states is fetched first: none is called within a transaction.
    stated, unanswered = stated_outside()
    with transaction.atomic():
        # Two at once would each count the other's differences as gone.
        _rows("SELECT pg_advisory_xact_lock(hashtextextended(frontline_entity(), 11))", [])
        expected: Counter[str] = Counter()
        waiting, late = _unended()
        effects = {each.subject: each for each in _unredeemed(expected)}
        found = [*effects.values(), *_mismatched(), *late, *_unredeemed_outside(stated)]
        return _kept(asked_by, waiting, dict(expected), found, unanswered)


def statement_differences(*, is_open: bool = True, limit: int = 200) -> list[StatementDifference]:
    """Return what was found to have no partner, newest first: only what still has none, or all."""
    which = " WHERE gone_at IS NULL" if is_open else ""
    rows = _rows(f"{_DIFFERENCES}{which} ORDER BY found_at DESC, subject LIMIT %s", [limit])
    return [StatementDifference(*row) for row in rows]


def differences_without_case(*, limit: int = 200) -> list[StatementDifference]:
    """Return what has no partner and no case yet, oldest first."""
    condition = " WHERE gone_at IS NULL AND case_id IS NULL ORDER BY found_at, subject LIMIT %s"
    return [StatementDifference(*row) for row in _rows(_DIFFERENCES + condition, [limit])]


def give_case(*, difference: StatementDifference, case_id: UUID) -> None:
    """Say in which case a difference is looked into."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE gc_difference SET case_id = %s WHERE kind = %s AND subject = %s",
            [case_id, difference.kind, difference.subject],
        )


def reconciliations(*, limit: int = 30) -> list[ReconciliationRun]:
    """Return the latest comparisons of this legal entity, newest first."""
    return [_run(row) for row in _rows(_RUNS, [limit])]


def _unredeemed(expected: "Counter[str]") -> Iterator[_Found]:
    """Yield effects whose token nobody redeemed; count postings that are rightly not ours."""
    origins = expected_origins()
    explained = set[UUID]()
    for token, category, debit_kind, credit_kind in _rows(_UNREDEEMED_POSTINGS, []):
        origin = next((o for o in origins if o.explains(category, debit_kind, credit_kind)), None)
        if origin is not None:
            expected[origin.name] += 1
            explained.add(token)
            continue
        words = f"The core booked a posting between {debit_kind} and {credit_kind} accounts"
        yield _Found("effect_without_token", token, f"{words}, and no token was redeemed for it.")
    for token, kind in _rows(_UNREDEEMED_EXECUTIONS, []):
        if token not in explained:
            words = f"The core states {kind}, and no token was redeemed for exactly that."
            yield _Found("effect_without_token", token, words)


def _unredeemed_outside(stated: frozenset[UUID]) -> Iterator[_Found]:
    """Yield what a system outside did without a token; the first legal entity looks into it.

    A statement covers every legal entity and does not say for which of them something was done.
    """
    if current_entity() != min(each.entity for each in legal_entities()):
        return
    for (token,) in _rows("SELECT gc_redeemed_nowhere(%s) ORDER BY 1", [list(stated)]):
        words = "A system outside states that it was done, and no legal entity redeemed a token."
        yield _Found("effect_without_token", token, words)


def _mismatched() -> Iterator[_Found]:
    kinds = [entry.kind for entry in OPERATIONS]
    for (token,) in _rows(_NOT_STATED, []):
        words = "A token was redeemed and posted, and the core keeps no statement of it."
        yield _Found("effect_not_stated", token, words)
    for token, kind in _rows(_DONE_WITHOUT_EFFECT, [kinds]):
        words = f"{kind} is on record as done, and the core does not state it."
        yield _Found("done_without_effect", token, words)
    for token, kind in _rows(_EFFECT_DESPITE_FAILURE, []):
        words = f"The outcome on record is {kind}, and the core states that it was done."
        yield _Found("effect_despite_failure", token, words)


def _unended() -> tuple[int, list[_Found]]:
    """Return how many redeemed tokens may still end, and those for which it is too late."""
    oldest = {
        token.decision_id
        for token in open_tokens(older_than_seconds=0, limit=WAITING_LIMIT)
        if token.is_redeemed
    }
    late = list[_Found]()
    kinds = {"", *(entry.kind for entry in OPERATIONS)}
    for seconds in {FINALITY_SECONDS + unsettled_seconds(kind=kind) for kind in kinds}:
        for token in open_tokens(older_than_seconds=int(seconds), limit=WAITING_LIMIT):
            own = FINALITY_SECONDS + unsettled_seconds(kind=token.action_kind)
            if token.is_redeemed and own == seconds:
                words = f"A token for {token.action_kind} was redeemed; its end is not known."
                late.append(_Found("token_without_outcome", token.decision_id, words))
    return len(oldest) - len(late), late


def _kept(
    asked_by: str,
    waiting: int,
    expected: Mapping[str, int],
    found: list[_Found],
    unanswered: list[str],
) -> ReconciliationRun:
    run_id = uuid4()
    ((permits, executions, transfers),) = _rows(_COUNTS, [[entry.kind for entry in OPERATIONS]])
    counts = (permits, executions, transfers, waiting)
    told = json.dumps(dict(expected), sort_keys=True)
    ((compared_at,),) = _rows(_RUN, [run_id, asked_by, *counts, told, len(found), unanswered])
    with connection.cursor() as cursor:
        for each in found:
            cursor.execute(_KEEP, [each.kind, each.subject, each.words, run_id])
        # What a silent system stated before may still be so.
        if not unanswered:
            cursor.execute(_GONE, [[each.kind for each in found], [each.subject for each in found]])
    return ReconciliationRun(
        run_id, asked_by, compared_at, *counts, expected, len(found), tuple(unanswered)
    )


def _run(row: tuple[Any, ...]) -> ReconciliationRun:
    *counted, expected, differences, unanswered = row
    known: list[Any] = [*counted, json.loads(expected), differences, tuple(unanswered)]
    return ReconciliationRun(*known)


def _rows(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
