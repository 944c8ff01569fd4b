"""A local time zone in which it is noon now: at night an ordinary payment is a doubtful one."""

from datetime import UTC, datetime

NOON = 12


def zone_at_noon(now: datetime | None = None) -> str:
    """Return the name of a zone on the same day as UTC in which it is past noon."""
    ahead = NOON - (now or datetime.now(UTC)).astimezone(UTC).hour
    # POSIX counts what lies west as positive.
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
