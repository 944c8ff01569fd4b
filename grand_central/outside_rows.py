"""Rows of calls to systems outside: claimed for a while, written by whoever holds the fence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import connection

OutsideState = Literal["begun", "sending", "not_sent", "unknown", "done", "refused", "not_done"]
Task = Literal["send", "ask"]


class IntentNotKept(RuntimeError):
    """The intent of a call can only be kept beside the redemption of its token."""

    code = "intent_not_kept"
    is_retryable = False

    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.token = token


@dataclass(frozen=True, slots=True)
class Claim:
    """A call taken for a while: what is to be done with it, and the fence to write with."""

    token: UUID
    action_kind: str
    task: Task
    fence: int
    sends: int
    asks: int
    valid_until: datetime
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class OutsideCall:
    """How a call to a system outside stands; `due_at` is when to look at it again."""

    token: UUID
    action_kind: str
    state: OutsideState
    code: str
    reference: str
    due_at: datetime

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ("done", "refused", "not_done")


@dataclass(frozen=True, slots=True)
class OutsideLine:
    """One line of the journal: what was tried with a token, when, and what came of it."""

    token: UUID
    what: str
    detail: str
    at: datetime


def keep_intent(token: UUID) -> None:
    """Keep the intent of a call in the transaction that redeemed its token.

    Raises:
        IntentNotKept: this transaction redeemed no such token.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT gc_outside_begin(%s)", [token])
        if cursor.fetchone() != (True,):
            raise IntentNotKept(str(token))


def claim(
    *,
    token: UUID,
    action_kind: str,
    effect_digest: bytes | None,
    lease_seconds: int,
    valid_seconds: int,
) -> Claim | None:
    """Take a call that is due and held by nobody; without its effect it is only asked about."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT task, fence, sends, asks, valid_until, begun_at"
            " FROM gc_outside_claim(%s, %s, %s, %s)",
            [token, effect_digest, lease_seconds, valid_seconds],
        )
        row = cursor.fetchone()
    return Claim(token, action_kind, *row) if row else None


def note(
    *,
    held: Claim,
    state: OutsideState,
    what: str,
    code: str,
    reference: str = "",
    due_seconds: float = 0.0,
) -> bool:
    """Write what came of a claimed call; False when somebody else has taken it meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT gc_outside_note(%s, %s, %s, %s, %s, %s, %s)",
            [held.token, held.fence, state, what, code, reference, due_seconds],
        )
        return bool(cursor.fetchone()[0])


def outside_call(*, token_id: UUID) -> OutsideCall | None:
    """Return how the call of a token stands, or None if it was never begun."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT token, action_kind, state, code, reference, greatest(due_at, lease_until)"
            " FROM gc_outside WHERE token = %s",
            [token_id],
        )
        row = cursor.fetchone()
    return OutsideCall(*row) if row else None


def outstanding_calls() -> tuple[OutsideCall, ...]:
    """Return the calls of this legal entity that have not ended yet, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT token, action_kind, state, code, reference, greatest(due_at, lease_until)"
            " FROM gc_outside WHERE ended_at IS NULL ORDER BY begun_at"
        )
        return tuple(OutsideCall(*row) for row in cursor.fetchall())


def was_ever_called() -> bool:
    """Tell whether this legal entity ever called a system outside."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM gc_outside)")
        return bool(cursor.fetchone()[0])


def outside_lines(*, token_ids: Sequence[UUID]) -> tuple[OutsideLine, ...]:
    """Return the journal of these tokens, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT token, what, detail, at FROM gc_outside_line WHERE token = ANY(%s)"
            " ORDER BY position",
            [list(token_ids)],
        )
        return tuple(OutsideLine(*row) for row in cursor.fetchall())


def to_be_asked(limit: int) -> tuple[tuple[UUID, str], ...]:
    """Return calls whose answer is missing and that nobody holds, longest waiting first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT token, action_kind FROM gc_outside"
            " WHERE entity = frontline_entity() AND ended_at IS NULL"
            " AND state IN ('sending', 'unknown') AND due_at <= clock_timestamp()"
            " AND coalesce(lease_until, '-infinity') < clock_timestamp()"
            " ORDER BY due_at LIMIT %s",
            [limit],
        )
        return tuple(cursor.fetchall())
