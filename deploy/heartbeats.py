"""What each loop of `manage.py tick` last said of itself."""

from dataclasses import dataclass

from django.db import connection

# A loop is late when it has said nothing for this many of its intervals, and never before this.
LATE_INTERVALS = 5
LATE_SECONDS_MIN = 30.0
# A loop that failed this often in a row is ill even though it beats.
FAILURES_MAX = 5


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The state of one loop; `seconds_ago` counts from its last beat by the database's clock."""

    loop: str
    seconds_ago: float
    interval_seconds: float
    failures_in_a_row: int

    @property
    def is_well(self) -> bool:
        """Return whether the loop beats in time and does not fail again and again."""
        patience = max(LATE_SECONDS_MIN, LATE_INTERVALS * self.interval_seconds)
        return self.seconds_ago <= patience and self.failures_in_a_row < FAILURES_MAX


def beat(*, loop: str, interval_seconds: float, error: str) -> None:
    """Record that the loop ran; `error` is empty when it succeeded, else the error's code."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO deploy_heartbeat AS was
                (loop, beat_at, succeeded_at, failures_in_a_row, last_error, interval_seconds)
            VALUES (%(loop)s, clock_timestamp(),
                    CASE WHEN %(error)s = '' THEN clock_timestamp() END,
                    CASE WHEN %(error)s = '' THEN 0 ELSE 1 END, %(error)s, %(interval)s)
            ON CONFLICT (loop) DO UPDATE SET
                beat_at = excluded.beat_at,
                succeeded_at = coalesce(excluded.succeeded_at, was.succeeded_at),
                failures_in_a_row = CASE WHEN excluded.last_error = '' THEN 0
                                         ELSE was.failures_in_a_row + 1 END,
                last_error = excluded.last_error,
                interval_seconds = excluded.interval_seconds
            """,
            {"loop": loop, "error": error, "interval": interval_seconds},
        )


def heartbeats() -> tuple[Heartbeat, ...]:
    """Return the state of every loop that ever ran, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT loop, extract(epoch FROM clock_timestamp() - beat_at), interval_seconds,"
            " failures_in_a_row FROM deploy_heartbeat ORDER BY loop"
        )
        return tuple(
            Heartbeat(loop, float(ago), interval, failures)
            for loop, ago, interval, failures in cursor.fetchall()
        )
