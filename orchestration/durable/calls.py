"""Service calls: done within the step's own commit, tried again later, or parked with a person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, transaction

from orchestration import steps
from orchestration.core.commands import CallKind, CallService
from orchestration.core.deadlines import DEADLINE_EXCEEDED
from orchestration.core.events import FailureKind, TaskCompleted, TaskFailed
from orchestration.core.state import InstanceState, Wait
from orchestration.core.timing import next_due
from orchestration.durable import apart, parking, statements
from orchestration.durable.apart import StepBroke
from orchestration.durable.faults import crash_point
from orchestration.durable.large_values import require_carriable
from orchestration.durable.run import Run
from orchestration.durable.texts import from_text, to_text
from orchestration.effects import rows
from orchestration.plain import feel_mapping, plain_mapping
from orchestration.step_results import (
    Answered,
    NotDone,
    Outside,
    Parked,
    Refused,
    StepContext,
    StepResult,
)

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
# What is looked up or judged may be made beside other work; what acts is done in its own order.
_APART_KINDS = frozenset({CallKind.READ, CallKind.MODEL})
# What other tokens may be at while a call takes its time; the rest waits for this very call.
_UNDER_WAY = frozenset({Wait.SERVICE, Wait.HUMAN, Wait.CHILD, Wait.EVENT})


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call not done with; `attempt` is the one to be made next, or that was made apart.

    `answer` is what came of that, None when nothing was made apart.
    """

    command: CallService
    attempt: int
    state: str
    reference: UUID | None
    answer: str | None = None


def make_call(run: Run, command: CallService, kept: OpenCall | None = None) -> None:
    """Do a call now; its answer becomes the run's next event, or it is kept for later.

    After its deadline it is not made: only what was answered elsewhere is taken in. One that can be
    made beside those of other branches is left to whoever claims it after this commit.
    """
    if kept is not None and kept.answer is not None:
        run.has_parted = True
        absorb(run, command, kept, apart.result_of(kept.answer))
        return
    if is_late(command, run.at) and not _is_answered(run, command):
        _end_late(run, command, kept)
        return
    if goes_apart(run, run.state, command):
        _keep(run, command, kept.attempt if kept else 1, state="apart")
        run.has_parted = True
        run.apart += 1
        return
    crash_point("before_call")
    result = _attempt(run, command)
    crash_point("after_effect")
    absorb(run, command, kept, result)


def goes_apart(run: Run, state: InstanceState, command: CallService) -> bool:
    """Tell whether a call is made beside the instance, which has more under way than this."""
    return (
        run.may_part
        and command.kind in _APART_KINDS
        and any(each.id != command.token and each.wait in _UNDER_WAY for each in state.tokens)
        and _takes_its_time(run, command)
    )


def _takes_its_time(run: Run, command: CallService) -> bool:
    # A step of an earlier version may have another name by now.
    node = run.flow.definition.process.nodes.get(command.node)
    if node is not None and node.work.apart is not None:
        return node.work.apart == "true"
    return steps.takes_its_time(command.kind, command.name)


def is_late(command: CallService, at: datetime) -> bool:
    """Tell whether the deadline of a call has passed."""
    return command.deadline is not None and at >= command.deadline


def _is_answered(run: Run, command: CallService) -> bool:
    return rows.has_answer(rows.Place(run.row.id, command.node, command.visit))


def _end_late(run: Run, command: CallService, kept: OpenCall | None) -> None:
    _close(run, kept)
    words = "It was not done by its deadline."
    late = TaskFailed(command.token, FailureKind.DEADLINE, DEADLINE_EXCEEDED, words)
    run.queue.append(late)


def absorb(
    run: Run, command: CallService, kept: OpenCall | None, result: StepResult | StepBroke
) -> None:
    """Turn what came of a call into the run's next event, or keep the call for later."""
    attempt = kept.attempt if kept else 1
    match result:
        case Answered(output):
            _close(run, kept)
            run.queue.append(TaskCompleted(command.token, feel_mapping(output)))
        case Refused(code, words) if run.context(command.node, command.visit).is_compensation:
            # What cannot be undone is no business outcome: a person has to see to it.
            _close(run, kept)
            technical = FailureKind.TECHNICAL
            run.queue.append(TaskFailed(command.token, technical, f"not_undone_{code}", words))
        case Refused(code, words, output):
            _close(run, kept)
            business = FailureKind.BUSINESS
            run.queue.append(TaskFailed(command.token, business, code, words, feel_mapping(output)))
        case Parked():
            # Waiting for a person uses up no attempt.
            _keep(run, command, attempt, state=result.waits_for, reference=result.reference)
            parking.park(run, command, result)
        case Outside():
            # What another system does is begun after this commit; its answer makes the call due.
            _keep(run, command, attempt, state="outside")
        case NotDone(code):
            is_late = code.endswith(DEADLINE_EXCEEDED)
            _broke(run, command, kept, StepBroke(code, is_final=False, is_late=is_late))
        case StepBroke():
            _broke(run, command, kept, result)


def _attempt(run: Run, command: CallService) -> StepResult | StepBroke:
    try:
        if steps.is_pure(command.kind, command.name):
            return called(run, command)
        with transaction.atomic():
            return called(run, command)
    except STEP_FAULTS as error:
        return broken(error)


def called(run: Run, command: CallService) -> StepResult:
    """Do what a call names, in the caller's transaction, if any.

    Raises:
        ValueTooLarge: no instance may carry what it found.
    """
    return called_in(run.context(command.node, command.visit), command)


def called_in(context: StepContext, command: CallService) -> StepResult:
    """Do what a call names, where its step stands.

    Raises:
        ValueTooLarge: no instance may carry what it found.
    """
    result = steps.call(
        kind=command.kind,
        name=command.name,
        context=replace(context, give_up_at=command.deadline),
        inputs=plain_mapping(command.inputs),
    )
    if isinstance(result, Answered | Refused):
        require_carriable(result.output)
    return result


def broken(error: BaseException) -> StepBroke:
    """Return what a step's error says to those who decide whether to try again."""
    code = getattr(error, "code", "")
    words = f"{type(error).__name__}: {code}"[:_WORDS_MAX]
    is_final = getattr(error, "is_retryable", True) is False
    return StepBroke(words, is_final, is_late=code == DEADLINE_EXCEEDED)


def _broke(run: Run, command: CallService, kept: OpenCall | None, broke: StepBroke) -> None:
    attempt = kept.attempt if kept else 1
    if broke.is_late:
        _end_late(run, command, kept)
        return
    if broke.is_final or attempt >= command.retry.attempts:
        _close(run, kept)
        run.queue.append(
            TaskFailed(command.token, FailureKind.TECHNICAL, "step_failed", broke.error)
        )
        return
    wait = _delay(run, command, attempt)
    if is_late(command, run.at + wait):
        _end_late(run, command, kept)
        return
    _keep(run, command, attempt + 1, state="due", delay=wait, error=broke.error)


def _delay(run: Run, command: CallService, attempt: int) -> timedelta:
    """Return the wait before the next attempt: doubled each time up to a limit, and spread.

    The spread comes from the instance's id, so that a replay and a second worker say the same.
    """
    retry = command.retry
    base = _seconds(run, retry.backoff, 1.0)
    limit = min(_seconds(run, retry.limit, BACKOFF_SECONDS_MAX), BACKOFF_SECONDS_MAX)
    share = run.new_id("spread", command.node, command.visit, attempt).int % 1_001 / 1_000
    doubled = min(base * 2.0 ** min(attempt - 1, 40), limit)
    return timedelta(seconds=doubled * (1 + share * retry.jitter / 100))


def _seconds(run: Run, duration: str, otherwise: float) -> float:
    due = next_due(run.at, duration)
    return (due - run.at).total_seconds() if due else otherwise


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
    run.has_left_traces = True
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orch_call (instance_id, node, visit, command, token, attempt, state,
                                   due_at, reference, last_error)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (instance_id, node, visit) DO UPDATE
               SET command = excluded.command, attempt = excluded.attempt,
                   state = excluded.state, due_at = excluded.due_at,
                   reference = excluded.reference, last_error = excluded.last_error,
                   lease_until = NULL, takes = 0, answer = NULL
            """,
            [
                run.row.id,
                command.node,
                command.visit,
                to_text(command),
                command.token,
                attempt,
                state,
                run.at + delay,
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
    statements.count(
        "UPDATE orch_call SET state = 'closed', answer = NULL WHERE instance_id = %(id)s"
        " AND state <> 'closed' AND (%(token)s::text IS NULL OR token = %(token)s)",
        {"id": instance_id, "token": token},
    )


def due_calls(instance_ids: Sequence[UUID], at: datetime) -> dict[UUID, list[OpenCall]]:
    """Return the calls of instances whose time has come."""
    rows = statements.run(
        "SELECT instance_id, command, attempt, state, reference, answer FROM orch_call"
        " WHERE instance_id = ANY(%s) AND state = 'due' AND due_at <= %s ORDER BY due_at",
        [list(instance_ids), at],
    )
    found: dict[UUID, list[OpenCall]] = {}
    for instance_id, text, *rest in rows:
        found.setdefault(instance_id, []).append(OpenCall(from_text(text, CallService), *rest))
    return found


def open_tokens(instance_ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    """Return the tokens of instances whose call is kept."""
    rows = statements.run(
        "SELECT instance_id, token FROM orch_call"
        " WHERE instance_id = ANY(%s) AND state <> 'closed'",
        [list(instance_ids)],
    )
    found: dict[UUID, set[str]] = {}
    for instance_id, token in rows:
        found.setdefault(instance_id, set()).add(token)
    return found


def keep_for_later(run: Run, command: CallService) -> None:
    """Keep a call that was asked for and not begun, due at once."""
    _keep(run, command, 1, state="due")


def wake_parked(instance_id: UUID, reference: UUID) -> bool:
    """Make a parked call due, because the person it waited for has answered.

    It is due since ever: that is how a claim knows calls that nobody made ready.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_call SET state = 'due', due_at = 'epoch'"
            " WHERE instance_id = %s AND reference = %s AND state IN ('approval', 'step_up')",
            [instance_id, reference],
        )
        return bool(cursor.rowcount > 0)


def is_waiting_outside(instance_id: UUID, node: str, visit: int) -> bool:
    """Tell whether a visit of a node still waits for what a system outside does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM orch_call WHERE instance_id = %s AND node = %s AND visit = %s"
            " AND state = 'outside'",
            [instance_id, node, visit],
        )
        return cursor.fetchone() is not None


def give_up_at(instance_id: UUID, node: str, visit: int) -> datetime | None:
    """Return the deadline of a visit that asked a system outside, also when nobody waits now."""
    kept = statements.run(
        "SELECT command FROM orch_call WHERE instance_id = %s AND node = %s AND visit = %s",
        [instance_id, node, visit],
    )
    return from_text(kept[0][0], CallService).deadline if kept else None


def wake_outside(instance_id: UUID, node: str, visit: int) -> None:
    """Make a call due, as a parked one, because the system outside it waited for has answered."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_call SET state = 'due', due_at = 'epoch'"
            " WHERE instance_id = %s AND node = %s AND visit = %s AND state = 'outside'",
            [instance_id, node, visit],
        )


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
