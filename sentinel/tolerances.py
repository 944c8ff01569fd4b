"""How late the evidence log and how wrong a clock may be before permits are refused."""

from dataclasses import dataclass

from django.conf import settings

LOG_LAG_SECONDS_MAX = 60
CLOCK_SECONDS_MAX = 300


@dataclass(frozen=True, slots=True)
class Tolerances:
    """In seconds: for the oldest record without a number, and between a process and the database.

    What is old, used up or run out is judged by the moment a process names, so that it can be
    judged again; a clock that was set back would make stale facts fresh and limits new.
    """

    log_lag: float
    clock: float


def tolerances() -> Tolerances:
    """Return what is tolerated here, by the settings SENTINEL_LOG_LAG_... and SENTINEL_CLOCK_..."""
    return Tolerances(
        log_lag=getattr(settings, "SENTINEL_LOG_LAG_SECONDS_MAX", LOG_LAG_SECONDS_MAX),
        clock=getattr(settings, "SENTINEL_CLOCK_SECONDS_MAX", CLOCK_SECONDS_MAX),
    )
