"""Looks through all permits for one that was used twice, or ended without having been spent.

The indexes that forbid it are not asked: a restored or repaired database may hold what they would
have refused.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from sentinel.entities import current_entity

RESTORED = "restored"
FAULTS_MAX = 50
_CHECKS = (
    (
        "the permit {} was spent more than once",
        "SELECT token FROM sentinel_redemption GROUP BY token HAVING count(*) > 1",
    ),
    (
        "the key {} was spent by more than one permit",
        "SELECT idempotency_key FROM sentinel_redemption"
        " GROUP BY idempotency_key HAVING count(*) > 1",
    ),
    (
        "the permit {} was carried out more than once",
        "SELECT decision_id FROM sentinel_record WHERE kind = 'executed'"
        " GROUP BY decision_id HAVING count(*) > 1",
    ),
    (
        "the permit {} was carried out and never spent",
        "SELECT o.decision_id FROM sentinel_outcome o WHERE o.kind = 'done' AND NOT EXISTS"
        " (SELECT FROM sentinel_redemption r WHERE r.token = o.decision_id)",
    ),
    (
        "the permit {} is said to be carried out, and the log has no record of it",
        "SELECT o.decision_id FROM sentinel_outcome o WHERE o.kind = 'done' AND NOT EXISTS"
        " (SELECT FROM sentinel_record r WHERE r.id = o.record_id AND r.kind = 'executed')",
    ),
    (
        "the permit {} was given before the restore and spent after it",
        "SELECT r.token FROM sentinel_redemption r JOIN sentinel_decision d ON d.id = r.token,"
        " (SELECT max(recorded_at) AS at FROM sentinel_record WHERE kind = 'restored') s"
        " WHERE d.decided_at < s.at AND r.redeemed_at >= s.at",
    ),
)


@dataclass(frozen=True, slots=True)
class PermitsProof:
    """What was found among the permits of a legal entity; `restored_at` is its last restore."""

    entity: str
    spent: int
    unspent: int
    restored_at: datetime | None
    faults: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether no permit was used twice."""
        return not self.faults


def prove_permits() -> PermitsProof:
    """Look through every permit of this legal entity and name those that were used wrongly."""
    with connection.cursor() as cursor:
        faults = []
        for words, question in _CHECKS:
            cursor.execute(f"{question} LIMIT {FAULTS_MAX}")
            faults += [words.format(found) for (found,) in cursor.fetchall()]
        cursor.execute(
            "SELECT (SELECT count(*) FROM sentinel_redemption),"
            " (SELECT count(*) FROM sentinel_decision d WHERE d.verdict = 'permit' AND NOT EXISTS"
            "   (SELECT FROM sentinel_redemption r WHERE r.token = d.id)),"
            " (SELECT max(recorded_at) FROM sentinel_record WHERE kind = %s)",
            [RESTORED],
        )
        spent, unspent, restored_at = cursor.fetchone()
    return PermitsProof(current_entity(), spent, unspent, restored_at, tuple(faults))
