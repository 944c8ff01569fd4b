"""How much of a queue may be in hand at once: changed by two people of operations, and kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field

import sentinel.public
from orchestration.act import ChangeRefused
from orchestration.durable import claims
from orchestration.journeys import QUEUE_NAME
from orchestration.operating.role import require_operations
from orchestration.versions.asked import AskedChange, asked_by_flow
from orchestration.versions.asking import ChangeNotProposed, ask
from sentinel.vocabulary import Action, DecisionToken, Outcome, OutcomeKind, Principal

AUDIENCE = "urn:orchestration:queues"
CHANGE_QUEUE = "change_queue"
CAP_MAX, SHARE_MAX = 10_000, 100
WHY_LENGTH_MIN, WHY_LENGTH_MAX = 10, 500
_Cap = Annotated[int, Field(ge=1, le=CAP_MAX)] | None
_Share = Annotated[int, Field(ge=1, le=SHARE_MAX)]


class QueueChangeRefused(ValueError):
    """The change cannot be asked for; nothing was asked of anybody. `words` say why."""

    code = "queue_change_refused"
    is_retryable = False

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(reason, words)
        self.reason, self.words = reason, words


class SetQueue(BaseModel):
    """Let a queue have as much in hand at once, and this share when all are busy, from now on.

    Who agrees, agrees to what it replaces as well.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    queue: Annotated[str, Field(pattern=QUEUE_NAME)]
    cap: _Cap
    share: _Share
    old_cap: _Cap
    old_share: _Share
    reason: Annotated[str, Field(min_length=WHY_LENGTH_MIN, max_length=WHY_LENGTH_MAX)]


ACTIONS = (
    sentinel.public.ActionKind(
        kind="queues.set",
        parameters=SetQueue,
        risk="medium",
        audience=AUDIENCE,
        wording="change how much of the queue {queue} may be in hand at once",
        human_only=True,
    ),
)


@dataclass(frozen=True, slots=True)
class QueueSetting:
    """How much of a queue may be in hand at once, and its share when all are busy."""

    cap: int | None
    share: int

    @property
    def words(self) -> str:
        """Return it as people say it."""
        cap = "no limit" if self.cap is None else f"at most {self.cap} at once"
        return f"{cap}, share {self.share}"


@dataclass(frozen=True, slots=True)
class QueueChange:
    """A change of a queue that was asked for, and what became of it."""

    queue: str
    before: QueueSetting
    after: QueueSetting
    why: str
    asked: AskedChange


def queue_setting(*, queue: str, principal: Principal) -> QueueSetting:
    """Return what is in force for a queue.

    Raises:
        OperationsOnly: the principal is not of operations.
        QueueChangeRefused: there is no such queue.
    """
    require_operations(principal)
    return _setting(queue)


def check_queue_change(
    *, queue: str, wanted: QueueSetting, why: str, principal: Principal
) -> QueueSetting:
    """Return what a change would replace, if it can be asked for.

    Raises:
        OperationsOnly: the principal is not of operations.
        QueueChangeRefused: there is no such queue, it is so already, no queue can be so, or no
            reason is given.
    """
    before = queue_setting(queue=queue, principal=principal)
    if wanted.cap is not None and not 1 <= wanted.cap <= CAP_MAX:
        # None at all would stop this very change, too, and whatever lets the queue go on.
        words = f"Give a number from 1 to {CAP_MAX:,}, or leave it empty for no limit."
        raise QueueChangeRefused("cap", words)
    if not 1 <= wanted.share <= SHARE_MAX:
        raise QueueChangeRefused("share", f"Give a number from 1 to {SHARE_MAX}.")
    if not WHY_LENGTH_MIN <= len(why.strip()) <= WHY_LENGTH_MAX:
        words = f"Say why, in {WHY_LENGTH_MIN} to {WHY_LENGTH_MAX} characters."
        raise QueueChangeRefused("why", f"{words} The second person reads it.")
    if wanted == before:
        raise QueueChangeRefused("nothing_changed", "This is what is in force already.")
    return before


def ask_queue_change(
    *,
    change_id: UUID,
    queue: str,
    wanted: QueueSetting,
    why: str,
    principal: Principal,
    at: datetime,
) -> UUID:
    """Ask a second person of operations to agree to a change; return the case that decides.

    Asking again with the same id returns the same case.

    Raises:
        OperationsOnly: the principal is not of operations.
        QueueChangeRefused: `check_queue_change` refuses it, or something else was asked for under
            this id.
    """
    before = check_queue_change(queue=queue, wanted=wanted, why=why, principal=principal)
    said = why.strip()
    try:
        return ask(
            change_id=change_id,
            flow=CHANGE_QUEUE,
            about={"queue": queue},
            parameters={
                "queue": queue,
                "cap": wanted.cap,
                "share": wanted.share,
                "old_cap": before.cap,
                "old_share": before.share,
                "reason": said,
            },
            words=f"{queue}: {wanted.words}, instead of {before.words}. Reason given: {said}",
            principal=principal,
            at=at,
        )
    except ChangeNotProposed as refused:
        raise QueueChangeRefused(refused.reason, refused.words) from refused


def queue_changes(*, principal: Principal, limit: int = 20) -> tuple[QueueChange, ...]:
    """Return the latest changes that were asked for, newest first.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    require_operations(principal)
    asked = asked_by_flow(CHANGE_QUEUE, principal=principal, limit=limit)
    return tuple(_change(each) for each in asked)


def carry_out(*, action: Action, token: DecisionToken, at: datetime) -> Outcome:
    """Change a queue as a token permits, once, and record the outcome.

    Raises:
        sentinel.public.TokenRefused: the token does not permit this action.
        ChangeRefused: the queue is not as it was when the change was agreed to.
    """
    del at
    with transaction.atomic():
        redemption = sentinel.public.redeem(token=token, action=action, audience=AUDIENCE)
        wanted = redemption.parameters
        assert isinstance(wanted, SetQueue)
        after = QueueSetting(wanted.cap, wanted.share)
        claims.know_queue(wanted.queue)
        claims.lock_queues([wanted.queue])
        if _setting(wanted.queue) != QueueSetting(wanted.old_cap, wanted.old_share):
            words = "The queue was changed by others since this was asked for."
            raise ChangeRefused("queue_has_changed", words)
        claims.set_queue(name=wanted.queue, cap=after.cap, share=after.share)
        return sentinel.public.record_outcome(
            decision_id=redemption.decision_id,
            kind=OutcomeKind.DONE,
            code="queue_set",
            reference=f"queue:{wanted.queue}",
            words=f"The queue {wanted.queue} has {after.words} from now on.",
        )


def _setting(queue: str) -> QueueSetting:
    found = claims.setting_of(queue)
    if found is None:
        raise QueueChangeRefused("queue_unknown", "There is no such queue.")
    return QueueSetting(*found)


def _change(asked: AskedChange) -> QueueChange:
    said = asked.parameters
    return QueueChange(
        queue=said["queue"],
        before=QueueSetting(said["old_cap"], said["old_share"]),
        after=QueueSetting(said["cap"], said["share"]),
        why=said["reason"],
        asked=asked,
    )
