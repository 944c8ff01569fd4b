"""Service calls: done within the step's own commit, tried again later, or parked with a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, transaction

from orchestration import steps
from orchestration.core.commands import CallService
from orchestration.core.events import FailureKind, TaskCompleted, TaskFailed
from orchestration.core.timing import next_due
from orchestration.durable import parking
from orchestration.durable.faults import crash_point
from orchestration.durable.run import Run
from orchestration.durable.texts import from_text, to_text
from orchestration.plain import feel_mapping, plain_mapping
from orchestration.step_results import Answered, Parked, Refused, StepResult

BACKOFF_SECONDS_MAX = 3600.0
# Whatever a step raises is a fault of that step: it is tried again, then a person looks at it. An
# instance must never be lost because a step has a bug.
STEP_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    DatabaseError,
    InterfaceError,
)
_WORDS_MAX = 300


@dataclass(frozen=True, slots=True)
class StepBroke:
    """The step raised; `is_final` when trying again cannot help."""

    error: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call without an answer yet; `attempt` is the one to be made next."""

    command: CallService
    attempt: int
    state: str
    reference: UUID | None


def make_call(run: Run, command: CallService, kept: OpenCall | None = None) -> None:
    """Do a call now; its answer becomes the run's next event, or it is kept for later."""
    attempt = kept.attempt if kept else 1
    crash_point("before_call")
    result = _attempt(run, command)
    crash_point("after_effect")
    match result:
        case Answered(output):
            _close(run, kept)
            run.queue.append(TaskCompleted(command.token, feel_mapping(output)))
        case Refused(code, words, output):
            _close(run, kept)
            business = FailureKind.BUSINESS
            run.queue.append(TaskFailed(command.token, business, code, words, feel_mapping(output)))
        case Parked():
            # Waiting for a person uses up no attempt.
            _keep(run, command, attempt, state=result.waits_for, reference=result.reference)
            parking.park(run, command, result)
        case StepBroke():
            _broke(run, command, kept, result)


def _attempt(run: Run, command: CallService) -> StepResult | StepBroke:
    context = run.context(command.node, command.visit)
    try:
        with transaction.atomic():
            return steps.call(
                kind=command.kind,
                name=command.name,
                context=context,
                inputs=plain_mapping(command.inputs),
            )
    except STEP_FAULTS as error:
        words = f"{type(error).__name__}: {getattr(error, 'code', '')}"[:_WORDS_MAX]
        return StepBroke(words, is_final=getattr(error, "is_retryable", True) is False)


def _broke(run: Run, command: CallService, kept: OpenCall | None, broke: StepBroke) -> None:
    attempt = kept.attempt if kept else 1
    if broke.is_final or attempt >= command.retry.attempts:
        _close(run, kept)
        run.queue.append(
            TaskFailed(command.token, FailureKind.TECHNICAL, "step_failed", broke.error)
        )
        return
    wait = _delay(run, command, attempt)
    _keep(run, command, attempt + 1, state="due", delay=wait, error=broke.error)


def _delay(run: Run, command: CallService, attempt: int) -> timedelta:
    """Return the wait before the next attempt: doubled each time, spread by a tenth."""
    due = next_due(run.at, command.retry.backoff)
    base = (due - run.at).total_seconds() if due else 1.0
    spread = 1 + (run.row.id.int + attempt) % 11 / 100
    return timedelta(seconds=min(base * 2.0 ** (attempt - 1) * spread, BACKOFF_SECONDS_MAX))


def _keep(  # noqa: PLR0913  (a row of the table)
    run: Run,
    command: CallService,
    attempt: int,
    *,
    state: str,
    reference: UUID | None = None,
    delay: timedelta = timedelta(0),
    error: str = "",
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orch_call (instance_id, node, visit, command, token, attempt, state,
                                   due_at, reference, last_error)
            VALUES (%s, %s, %s, %s, %s, %s, %s,
                    clock_timestamp() + make_interval(secs => %s), %s, %s)
            ON CONFLICT (instance_id, node, visit) DO UPDATE
               SET attempt = excluded.attempt, state = excluded.state, due_at = excluded.due_at,
                   reference = excluded.reference, last_error = excluded.last_error
            """,
            [
                run.row.id,
                command.node,
                command.visit,
                to_text(command),
                command.token,
                attempt,
                state,
                delay.total_seconds(),
                reference,
                error,
            ],
        )


def _close(run: Run, kept: OpenCall | None) -> None:
    # A call answered at once was never kept, so there is no row to close.
    if kept is not None:
        close_calls(run.row.id, kept.command.token)


def close_calls(instance_id: UUID, token: str | None) -> None:
    """Note that calls of an instance, or of one of its tokens, need no answer any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_call SET state = 'closed' WHERE instance_id = %(id)s"
            " AND state <> 'closed' AND (%(token)s::text IS NULL OR token = %(token)s)",
            {"id": instance_id, "token": token},
        )


def due_calls(instance_id: UUID) -> tuple[OpenCall, ...]:
    """Return the calls of an instance whose time has come."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT command, attempt, state, reference FROM orch_call"
            " WHERE instance_id = %s AND state = 'due' AND due_at <= clock_timestamp()"
            " ORDER BY due_at",
            [instance_id],
        )
        rows = cursor.fetchall()
    return tuple(OpenCall(from_text(row[0], CallService), *row[1:]) for row in rows)


def wake_parked(instance_id: UUID, reference: UUID) -> bool:
    """Make a parked call due, because the person it waited for has answered."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_call SET state = 'due', due_at = clock_timestamp()"
            " WHERE instance_id = %s AND reference = %s AND state IN ('approval', 'step_up')",
            [instance_id, reference],
        )
        return bool(cursor.rowcount > 0)


def parked_calls(*, older_than: timedelta, limit: int) -> tuple[tuple[UUID, str, UUID], ...]:
    """Return instance, state and reference of calls that have waited for a person for a while."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT instance_id, state, reference FROM orch_call"
            " WHERE state IN ('approval', 'step_up')"
            " AND due_at < clock_timestamp() - make_interval(secs => %s)"
            " ORDER BY due_at LIMIT %s",
            [older_than.total_seconds(), limit],
        )
        return tuple(cursor.fetchall())


def put_off(instance_id: UUID, reference: UUID, at: datetime) -> None:
    """Look at a parked call again later."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_call SET due_at = greatest(due_at, %s) WHERE instance_id = %s"
            " AND reference = %s AND state IN ('approval', 'step_up')",
            [at, instance_id, reference],
        )
