"""What an instance waits for, in words: a person, the core, a time, a message, a colleague."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from orchestration.core.state import InstanceState, Subscription, Timer, Token, Wait
from orchestration.durable.definitions import PublishedFlow
from orchestration.operating.running import step_name


@dataclass(frozen=True, slots=True)
class WaitView:
    """One place where an instance stands; `until` is when something is due there."""

    node: str
    step: str
    words: str
    until: datetime | None
    is_stopped: bool


_CALLS = {
    "due": "The step is tried again",
    "apart": "The step is under way",
    "approval": "Somebody else must approve",
    "step_up": "The customer must confirm with a second factor",
    "outside": "Another system has it and will answer",
}
_PLAIN = {
    Wait.SERVICE: "The step is under way",
    Wait.CHILD: "Another flow runs for it",
    Wait.SCOPE: "Its inner steps run",
    Wait.JOIN: "The other branches must arrive first",
    Wait.INCIDENT: "It stopped; a person must decide",
    Wait.LEAVING: "It is about to go on",
    Wait.HUMAN: "The customer must answer",
}


def waits_of(
    instance_id: UUID, state: InstanceState, flow: PublishedFlow, values: dict[str, object]
) -> tuple[WaitView, ...]:
    """Return what each token of an instance waits for."""
    calls = _by_token(
        "SELECT token, state, due_at FROM orch_call WHERE instance_id = %s AND state <> 'closed'",
        instance_id,
    )
    tasks = _by_token(
        "SELECT token, roles, due_at FROM orch_task WHERE instance_id = %s AND state = 'open'",
        instance_id,
    )
    views: list[WaitView] = []
    for token in state.tokens:
        words, until = _said(token, state, calls, tasks)
        name = step_name(flow, token.node, values)
        views.append(WaitView(token.node, name, words, until, token.wait is Wait.INCIDENT))
    return tuple(views)


def _said(
    token: Token,
    state: InstanceState,
    calls: Mapping[str, tuple[Any, ...]],
    tasks: Mapping[str, tuple[Any, ...]],
) -> tuple[str, datetime | None]:
    if token.wait is Wait.SERVICE and token.id in calls:
        kind, due_at = calls[token.id]
        return _CALLS[kind], due_at if kind == "due" else None
    if token.wait is Wait.HUMAN and token.id in tasks:
        roles, due_at = tasks[token.id]
        who = " or ".join(role.replace("_", " ") for role in roles)
        return f"Work for {who}", due_at
    if token.wait is Wait.EVENT:
        return _heard(token, state.timers, state.subscriptions)
    return _PLAIN.get(token.wait, "It waits"), None


def _heard(
    token: Token, timers: tuple[Timer, ...], ears: tuple[Subscription, ...]
) -> tuple[str, datetime | None]:
    names = [ear.name for ear in ears if ear.owner == token.id]
    due = [timer.due_at for timer in timers if timer.owner == token.id]
    words = f"It waits to hear of {' or '.join(names)}" if names else "It waits until its time"
    return words, min(due, default=None)


def _by_token(statement: str, instance_id: UUID) -> dict[str, tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [instance_id])
        return {row[0]: row[1:] for row in cursor.fetchall()}
