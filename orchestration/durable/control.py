"""What a person may do to a running instance: hold it, let it go on, end it, resolve a fault."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.db import connection, transaction

from orchestration import cases
from orchestration.core.events import Cancelled, IncidentResolved, Resolution
from orchestration.durable import doorbell, store
from orchestration.durable.definitions import flow_of
from orchestration.durable.engine import answer


class IncidentUnknown(LookupError):
    """No such incident is open."""

    code = "incident_unknown"
    is_retryable = False

    def __init__(self, incident_id: str) -> None:
        super().__init__(incident_id)
        self.incident_id = incident_id


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


def pause(*, instance_id: UUID, by: str, at: datetime) -> None:
    """Hold an instance: what comes in waits."""
    _hold(instance_id, by, at, is_paused=True)


def resume(*, instance_id: UUID, by: str, at: datetime) -> None:
    """Let a held instance go on with what has come in."""
    _hold(instance_id, by, at, is_paused=False)


def _hold(instance_id: UUID, by: str, at: datetime, *, is_paused: bool) -> None:
    with transaction.atomic():
        row = store.lock_instance(instance_id, is_waiting=True)
        if row is None:
            raise store.InstanceUnknown(str(instance_id))
        store.set_paused(instance_id, is_paused=is_paused)
        words = "The case was put on hold." if is_paused else "The case goes on."
        note = cases.Note(at, by, "hold" if is_paused else "resumed", words, "")
        cases.add_note(row.case_id, note)
        if not is_paused:
            doorbell.ring(instance_id)


def cancel(*, instance_id: UUID, by: str, reason: str, at: datetime) -> None:
    """End an instance now; an effect that has happened stays."""
    row = store.read_instance(instance_id)
    with transaction.atomic():
        note = cases.Note(at, by, "cancelled", f"Ended by a person: {reason}", "")
        cases.add_note(row.case_id, note)
        answer(
            instance_id=instance_id,
            message_id=uuid5(instance_id, "cancelled"),
            event=Cancelled(reason, cancelled_by=by),
            at=at,
        )


def retry(*, incident_id: UUID, by: str, at: datetime) -> None:
    """Do the step of an incident again.

    Raises:
        IncidentUnknown: the incident is not there, or was resolved before.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE orch_incident SET resolved_at = %s, resolved_by = %s"
                " WHERE id = %s AND resolved_at IS NULL RETURNING instance_id, token",
                [at, by, incident_id],
            )
            row = cursor.fetchone()
        if row is None:
            raise IncidentUnknown(str(incident_id))
        answer(
            instance_id=row[0],
            message_id=uuid5(incident_id, "resolved"),
            event=IncidentResolved(row[1], Resolution.RETRY, resolved_by=by),
            at=at,
        )
