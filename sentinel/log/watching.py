"""The lag of the evidence log, measured all the time, and an alarm when it stops high risks."""

import logging

from opentelemetry import metrics

from sentinel.entities import current_entity
from sentinel.log.reading import LogHealth, log_health
from sentinel.tolerances import tolerances

_logger = logging.getLogger(__name__)
_meter = metrics.get_meter("frontline.evidence_log")
_lag = _meter.create_gauge(
    "frontline.evidence_log.lag", unit="s", description="Age of the oldest record not yet numbered"
)
_pending = _meter.create_gauge(
    "frontline.evidence_log.pending", unit="{record}", description="Records not yet numbered"
)


def watch_log_once() -> bool:
    """Measure how far this legal entity's log is behind; return whether that stops high risks.

    While it does, each look says so as an error in the process's own log.
    """
    entity, health = current_entity(), log_health()
    told = {"frontline.entity": entity}
    _lag.set(health.lag_seconds, told)
    _pending.set(health.pending, told)
    if not is_behind(health):
        return False
    _logger.error(
        "log_behind entity=%s pending=%d lag_seconds=%.0f",
        entity,
        health.pending,
        health.lag_seconds,
    )
    return True


def is_behind(health: LogHealth) -> bool:
    """Return whether so old a record waits that actions of high risk are refused."""
    return bool(health.pending and health.lag_seconds > tolerances().log_lag)
