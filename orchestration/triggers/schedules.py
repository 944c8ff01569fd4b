"""Schedules: what is due begins once for each of its times, however many processes look."""

from datetime import datetime, timedelta

from django.db import transaction

from orchestration.durable.doorbell import database_time
from orchestration.triggers import rows
from orchestration.triggers.calendar import Schedule, schedule_of
from orchestration.triggers.receiving import DeliveryRefused, Trigger, begin_for, triggers_in_force

# What is looked at so late was missed.
ON_TIME = timedelta(seconds=60)
_TIMES_MAX = 10_000


def run_schedules_once(*, at: datetime | None = None) -> int:
    """Begin what is due in this legal entity; return how many flows began."""
    moment = at or database_time()
    return sum(_run(trigger, moment) for trigger in triggers_in_force("schedule"))


def _run(trigger: Trigger, at: datetime) -> bool:
    schedule = schedule_of(trigger.content.every, trigger.content.zone)
    with transaction.atomic():
        control = rows.control_of(trigger.name, is_locked=True)
        if control is None:
            return False
        following = schedule.after(at)
        if control.due_at is None or control.due_at > at:
            # A clock that ran ahead, or a schedule that changed, may have left a later time.
            if following != control.due_at:
                rows.set_due(trigger.name, following)
            return False
        last = _last_due(schedule, control.due_at, at)
        rows.set_due(trigger.name, following)
        return _begin(trigger, last, at)


def _last_due(schedule: Schedule, first: datetime, at: datetime) -> datetime:
    """Return the newest of the times that have passed; those before it are not made up for."""
    last = first
    for _ in range(_TIMES_MAX):
        following = schedule.after(last)
        if following is None or following > at:
            break
        last = following
    return last


def _begin(trigger: Trigger, due_at: datetime, at: datetime) -> bool:
    event_id = due_at.isoformat()
    try:
        if trigger.content.missed == "skip" and at - due_at > ON_TIME:
            raise DeliveryRefused(trigger.name, "missed")
        with transaction.atomic():
            return begin_for(trigger, event_id, {"due_at": event_id}, at).is_new
    except DeliveryRefused as refused:
        rows.keep_refusal(trigger.name, event_id, refused.reason)
        return False
