"""What a person may do to a running instance: hold it, let it go on, end it, resolve a fault."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

from orchestration import cases
from orchestration.core.events import Cancelled, CancelledAndUndone, IncidentResolved, Resolution
from orchestration.durable import claims, doorbell, incidents, store
from orchestration.durable.definitions import flow_of
from orchestration.durable.engine import answer, driving, interrupt


class IncidentUnknown(LookupError):
    """No such incident is open."""

    code = "incident_unknown"
    is_retryable = False

    def __init__(self, incident_id: str) -> None:
        super().__init__(incident_id)
        self.incident_id = incident_id


class InstanceEnded(RuntimeError):
    """The instance is over: it can be neither held, let go on nor ended any more."""

    code = "instance_ended"
    is_retryable = False

    def __init__(self, instance_id: str) -> None:
        super().__init__(instance_id)
        self.instance_id = instance_id


@dataclass(frozen=True, slots=True)
class InstanceView:
    """Where an instance stands, for those who run the bank."""

    id: UUID
    process: str
    version: int
    status: str
    is_paused: bool
    case_id: UUID
    active_nodes: tuple[str, ...]
    rev: int
    started_at: datetime


def instance(*, instance_id: UUID) -> InstanceView:
    """Return where an instance stands.

    Raises:
        InstanceUnknown: there is none with this id.
    """
    row = store.read_instance(instance_id)
    return InstanceView(
        id=row.id,
        process=row.process,
        version=flow_of(row.definition).version,
        status=row.status,
        is_paused=row.is_paused,
        case_id=row.case_id,
        active_nodes=tuple(sorted({token.node for token in row.state.tokens})),
        rev=row.rev,
        started_at=row.started_at,
    )


def pause(*, instance_id: UUID, by: str, at: datetime, reason: str = "") -> None:
    """Hold an instance: what comes in waits.

    Raises:
        InstanceUnknown: there is none with this id.
        InstanceEnded: it is over; nothing is written.
    """
    _hold(instance_id, by, at, reason, is_paused=True)


def resume(*, instance_id: UUID, by: str, at: datetime, reason: str = "") -> None:
    """Let a held instance go on with what has come in.

    Raises:
        InstanceUnknown: there is none with this id.
        InstanceEnded: it is over; nothing is written.
    """
    _hold(instance_id, by, at, reason, is_paused=False)


def _locked_running(instance_id: UUID) -> store.InstanceRow:
    row = store.lock_instance(instance_id, is_waiting=True)
    if row is None:
        raise store.InstanceUnknown(str(instance_id))
    if row.state.is_ended:
        raise InstanceEnded(str(instance_id))
    return row


def _hold(instance_id: UUID, by: str, at: datetime, reason: str, *, is_paused: bool) -> None:
    with transaction.atomic():
        row = _locked_running(instance_id)
        store.set_paused(instance_id, is_paused=is_paused)
        said = "The case was put on hold." if is_paused else "The case goes on."
        words = f"{said} Reason given: {reason}" if reason else said
        note = cases.Note(at, by, "hold" if is_paused else "resumed", words, "")
        cases.add_note(row.case_id, note)
        if not is_paused:
            claims.make_ready(instance_id, at)
            doorbell.ring(instance_id)


def cancel(*, instance_id: UUID, by: str, reason: str, at: datetime) -> None:
    """End an instance now, held or not, before anything that waits; what has happened stays.

    Raises:
        InstanceUnknown: there is none with this id.
        InstanceEnded: it is over; nothing is written.
    """
    with transaction.atomic():
        row = _locked_running(instance_id)
        note = cases.Note(at, by, "cancelled", f"Ended by a person: {reason}", "")
        cases.add_note(row.case_id, note)
        interrupt(
            instance_id=instance_id,
            message_id=uuid5(instance_id, "cancelled"),
            event=Cancelled(reason, cancelled_by=by),
            at=at,
        )


def cancel_and_undo(*, instance_id: UUID, by: str, reason: str, at: datetime) -> None:
    """Stop an instance now, undo what it has done, the last first, and end it after that.

    What cannot be undone is an incident, and the instance ends once that is resolved.

    Raises:
        InstanceUnknown: there is none with this id.
        InstanceEnded: it is over; nothing is written.
    """
    with transaction.atomic():
        row = _locked_running(instance_id)
        words = f"Ended by a person, and what it did is undone: {reason}"
        cases.add_note(row.case_id, cases.Note(at, by, "cancelled", words, ""))
        interrupt(
            instance_id=instance_id,
            message_id=uuid5(instance_id, "cancelled_and_undone"),
            event=CancelledAndUndone(reason, cancelled_by=by),
            at=at,
        )


def retry(*, incident_id: UUID, by: str, at: datetime) -> None:
    """Do the step of an incident again.

    Raises:
        IncidentUnknown: the incident is not there, or was resolved before.
    """
    _settle(incident_id, Resolution.RETRY, by, at)


def done_by_hand(*, incident_id: UUID, by: str, at: datetime) -> None:
    """Go on as if the step of an incident had been done, because a person did it.

    Raises:
        IncidentUnknown: the incident is not there, or was resolved before.
    """
    _settle(incident_id, Resolution.COMPLETE, by, at)


def undo_instead(*, incident_id: UUID, by: str, at: datetime) -> None:
    """Settle an incident by stopping its instance, undoing what it has done, and ending it.

    Raises:
        IncidentUnknown: the incident is not there, or was resolved before.
    """
    with transaction.atomic():
        settled = incidents.settle(incident_id, by=by, resolution="undone", at=at)
        if settled is None:
            raise IncidentUnknown(str(incident_id))
        reason = "ended_after_incident"
        cancel_and_undo(instance_id=settled[0], by=by, reason=reason, at=at)


def _settle(incident_id: UUID, resolution: Resolution, by: str, at: datetime) -> None:
    with driving(at), transaction.atomic():
        settled = incidents.settle(incident_id, by=by, resolution=resolution.value, at=at)
        if settled is None:
            raise IncidentUnknown(str(incident_id))
        instance_id, token = settled
        if not token:
            # It could not be moved at all: it is simply due again.
            store.lock_instance(instance_id, is_waiting=True)
            claims.make_ready(instance_id, at)
            doorbell.ring(instance_id)
            return
        answer(
            instance_id=instance_id,
            message_id=uuid5(incident_id, "resolved"),
            event=IncidentResolved(token, resolution, resolved_by=by),
            at=at,
        )
