"""The drill for a key that may have been stolen: another signs at once, this one counts no more.

What it signed since the suspected time is named, for people to look at. The database's owner
revokes: the application cannot, and cannot take it back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import connection

from sentinel.compromise.revoked import revoked_kids
from sentinel.entities import current_entity
from sentinel.key_rotation import rotate_key
from sentinel.key_views import public_keys
from sentinel.log.sequencer import run_sequencer_once
from sentinel.signing.keys import KeyRefused, Purpose

_REVOKE = "SELECT sentinel_revoke_key(%s, %s, %s, %s)"
_SIGNED = {
    Purpose.TOKEN: """
        SELECT d.id::text, d.action_kind || CASE WHEN r.token IS NULL THEN ', never spent'
            ELSE ', spent' END, d.decided_at
        FROM sentinel_decision d LEFT JOIN sentinel_redemption r ON r.token = d.id
        WHERE d.verdict = 'permit' AND d.decided_at >= %s ORDER BY d.decided_at""",
    Purpose.LOG: """
        SELECT 'checkpoint ' || c.size, CASE WHEN EXISTS (SELECT FROM sentinel_cosignature w
            WHERE w.size = c.size) THEN 'cosigned' ELSE 'not cosigned' END, c.signed_at
        FROM sentinel_checkpoint c WHERE c.signed_at >= %s ORDER BY c.size""",
    Purpose.POLICY: """
        SELECT p.area || '@' || left(p.digest, 16), 'published by ' || p.checker, p.published_at
        FROM sentinel_publication p WHERE p.published_at >= %s ORDER BY p.position""",
    Purpose.WITNESS: """
        SELECT 'checkpoint ' || w.size, w.witness, w.cosigned_at
        FROM sentinel_cosignature w WHERE w.cosigned_at >= %s ORDER BY w.size""",
}


class Session(Protocol):
    """A session as the owner of the tables, in one transaction."""

    def one(self, question: str, values: list[object]) -> object:
        """Return the one value that is asked for."""


@dataclass(frozen=True, slots=True)
class Signed:
    """One thing signed since the suspected time, for somebody to look at."""

    what: str
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Drilled:
    """What a drill did: the key that counts no more, the one that signs now, what to look at."""

    entity: str
    purpose: str
    revoked: str
    signs_now: str
    mark: int
    signed: tuple[Signed, ...]


def signed_since(*, purpose: Purpose, since: datetime) -> tuple[Signed, ...]:
    """Return what was signed for a purpose since a moment, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_SIGNED[purpose], [since])
        return tuple(Signed(*row) for row in cursor.fetchall())


def drill(*, purpose: Purpose, since: datetime, owner: Session) -> Drilled:
    """Make another key sign at once and revoke the one that signed until now.

    Raises:
        KeyRefused: no key of this purpose signs yet, or the one that does was revoked already.
        SignerUnavailable: whoever keeps the keys of decision tokens does not answer.
    """
    stolen = next(
        (each for each in public_keys() if each.purpose == purpose and each.state == "signs"), None
    )
    if stolen is None or stolen.kid in revoked_kids(purpose=purpose):
        raise KeyRefused("no key signs that could be revoked")
    signed = signed_since(purpose=purpose, since=since)
    made = rotate_key(purpose=purpose, is_at_once=True)
    mark = owner.one(_REVOKE, [purpose.value, stolen.kid, stolen.public_bytes, since])
    while run_sequencer_once():
        # What the new key signs, and that the old one is revoked, stands in the log from now on.
        continue
    assert isinstance(mark, int)
    return Drilled(current_entity(), purpose.value, stolen.kid, made.kid, mark, signed)
