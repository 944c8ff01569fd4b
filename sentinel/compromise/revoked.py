"""Which keys were revoked, and how far what they signed before still counts."""

from collections.abc import Iterable

from django.db import connection

from sentinel.log.note import VerificationKey


def revoked_kids(*, purpose: str) -> dict[str, int]:
    """Return the revoked keys of this legal entity and purpose, each with its mark.

    The mark is the last thing it signed that counts: a publication, a size of the log, an epoch.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT kid, mark FROM sentinel_revoked_key WHERE purpose = %s", [purpose])
        return dict(cursor.fetchall())


def trusted_at(*, size: int, keys: Iterable[VerificationKey]) -> tuple[VerificationKey, ...]:
    """Return the keys of a log under which a checkpoint of so many records counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT public_bytes FROM sentinel_revoked_key WHERE purpose = 'log' AND mark < %s",
            [size],
        )
        refused = {bytes(public) for (public,) in cursor.fetchall()}
    return tuple(key for key in keys if key.public_bytes not in refused)
