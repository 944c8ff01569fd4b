"""Carrying out what a step asks for: calls, work for people, clocks, messages, the end."""

import json
from datetime import datetime
from uuid import UUID

from django.db import connection

from orchestration import cases, feed
from orchestration.core import commands as ask
from orchestration.core.events import (
    ChildCompleted,
    ChildFailed,
    Event,
    MessageReceived,
    SignalReceived,
)
from orchestration.core.history import Entry as HistoryEntry
from orchestration.core.history import NodeEntered
from orchestration.core.timing import next_due
from orchestration.dialogue import cards
from orchestration.durable import calls, children, store
from orchestration.durable.run import Run
from orchestration.journeys import CardContent
from orchestration.plain import plain_mapping
from orchestration.wording import found
from orchestration.worklist import rows

INCIDENT_ROLE = "operations"
CUSTOMER = "customer"


def carry_out(run: Run, command: ask.Command) -> None:
    """Do what one command says, in the transaction of the step."""
    match command:
        case ask.CallService():
            calls.make_call(run, command)
        case ask.CreateHumanTask():
            _human_task(run, command)
        case ask.CancelService() | ask.CancelHumanTask():
            _call_off(run, command.token)
        case ask.ArmTimer() | ask.CancelTimer():
            _clock(run, command)
        case ask.SubscribeMessage() | ask.SubscribeSignal() | ask.Unsubscribe():
            _subscription(run, command)
        case _:
            _carry_out_rarely(run, command)


def _carry_out_rarely(run: Run, command: ask.Command) -> None:
    match command:
        case ask.StartChild():
            children.start_child(run, command)
        case ask.CancelChild():
            children.cancel_child(run, command)
        case ask.RaiseIncident():
            _incident(run, command)
        case ask.Complete():
            _complete(run, command)
        case ask.SendMessage() | ask.BroadcastSignal() | ask.RaiseEscalation():
            _send(run, command)


def _call_off(run: Run, token: str) -> None:
    """Nobody need answer the work of a token any more."""
    calls.close_calls(run.row.id, token)
    rows.cancel_tasks(run.row.id, token, run.at)
    _close_cards(run, token, "expired")


def tell(run: Run, entries: tuple[HistoryEntry, ...]) -> None:
    """Say and note what the journey has words for, as its nodes are entered."""
    content = run.flow.content
    for entry in entries:
        if not isinstance(entry, NodeEntered):
            continue
        if entry.node in content.says:
            run.say(content.says[entry.node])
        if entry.node in content.notes:
            run.note("step", run.filled(content.notes[entry.node]), reference=entry.node)
        if entry.node in content.states:
            run.end_node = entry.node
        if entry.node in content.cards:
            _told_card(run, entry, content.cards[entry.node])


def _told_card(run: Run, entry: NodeEntered, content: CardContent) -> None:
    """Show a card that needs no answer, such as a receipt."""
    if run.row.conversation_id is None:
        return
    values = run.values
    run.show(
        cards.NewCard(
            id=run.new_id("card", entry.node, entry.visit),
            conversation_id=run.row.conversation_id,
            principal_id=run.principal.id,
            turn=run.listener.turn if run.listener else 0,
            kind=content.kind,
            details={name: found(values, path) for name, path in content.details.items()},
            at=run.at,
            state="done",
            case_id=run.row.case_id,
        )
    )


def _human_task(run: Run, command: ask.CreateHumanTask) -> None:
    if CUSTOMER in command.roles:
        _customer_card(run, command)
        return
    key = command.form or command.node
    warn_at = next_due(run.at, command.warn) if command.warn else None
    due_at = next_due(run.at, command.due) if command.due else None
    rows.open_task(
        rows.NewTask(
            id=run.new_id("task", command.node, command.visit),
            case_id=run.row.case_id,
            instance_id=run.row.id,
            token=command.token,
            node=command.node,
            visit=command.visit,
            kind="work",
            form_key=key,
            title=run.filled(command.title) or command.node,
            form=run.flow.forms.get(key, {"type": "object", "properties": {}}),
            inputs=plain_mapping(command.inputs),
            roles=command.roles,
            excluded=command.exclude,
            warn_at=warn_at,
            due_at=due_at,
            at=run.at,
        )
    )
    cases.set_state(run.row.case_id, "open", run.at)


def _customer_card(run: Run, command: ask.CreateHumanTask) -> None:
    """A task of the customer is a card in their conversation, made from its inputs."""
    if run.row.conversation_id is None:
        return
    due_at = next_due(run.at, command.due) if command.due else None
    run.show(
        cards.NewCard(
            id=run.new_id("card", command.node, command.visit),
            conversation_id=run.row.conversation_id,
            principal_id=run.principal.id,
            turn=run.listener.turn if run.listener else 0,
            kind=command.form or command.node,
            details=plain_mapping(command.inputs),
            at=run.at,
            expires_at=due_at,
            case_id=run.row.case_id,
            instance_id=run.row.id,
            token=command.token,
            node=command.node,
        )
    )
    cases.set_state(run.row.case_id, "waiting", run.at)


def _clock(run: Run, command: ask.ArmTimer | ask.CancelTimer) -> None:
    with connection.cursor() as cursor:
        if isinstance(command, ask.CancelTimer):
            cursor.execute(
                "DELETE FROM orch_timer WHERE instance_id = %s AND timer = %s",
                [run.row.id, command.timer],
            )
            return
        cursor.execute(
            "INSERT INTO orch_timer (instance_id, timer, node, due_at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (instance_id, timer) DO UPDATE SET due_at = excluded.due_at",
            [run.row.id, command.timer, command.node, command.due_at],
        )


def _subscription(
    run: Run, command: ask.SubscribeMessage | ask.SubscribeSignal | ask.Unsubscribe
) -> None:
    with connection.cursor() as cursor:
        if isinstance(command, ask.Unsubscribe):
            cursor.execute(
                "DELETE FROM orch_subscription WHERE instance_id = %s AND subscription = %s",
                [run.row.id, command.subscription],
            )
            return
        is_message = isinstance(command, ask.SubscribeMessage)
        cursor.execute(
            "INSERT INTO orch_subscription (instance_id, subscription, trigger, name, correlation)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                run.row.id,
                command.subscription,
                "message" if is_message else "signal",
                command.name,
                command.correlation if isinstance(command, ask.SubscribeMessage) else None,
            ],
        )


def _send(run: Run, command: ask.SendMessage | ask.BroadcastSignal | ask.RaiseEscalation) -> None:
    if isinstance(command, ask.RaiseEscalation):
        escalate(run, command.code)
        return
    correlation = command.correlation if isinstance(command, ask.SendMessage) else None
    trigger = "message" if isinstance(command, ask.SendMessage) else "signal"
    for receiver in _listeners(trigger, command.name, correlation):
        event: Event = (
            MessageReceived(command.name, correlation, command.payload)
            if trigger == "message"
            else SignalReceived(command.name, command.payload)
        )
        message_id = run.new_id(trigger, command.node, command.visit, receiver)
        store.deliver(instance_id=receiver, message_id=message_id, event=event, at=run.at)


def _listeners(trigger: str, name: str, correlation: str | None) -> tuple[UUID, ...]:
    """Return the instances that wait for a message or a signal."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT instance_id FROM orch_subscription"
            " WHERE trigger = %s AND name = %s AND (correlation IS NULL OR correlation = %s)",
            [trigger, name, correlation],
        )
        return tuple(row[0] for row in cursor.fetchall())


def escalate(run: Run, code: str) -> None:
    """Bring the open tasks of an instance to the front and tell their queues."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_task SET priority = greatest(priority, 1), warned_at = %s"
            " WHERE instance_id = %s AND state = 'open' RETURNING id, case_id, roles",
            [run.at, run.row.id],
        )
        raised = cursor.fetchall()
    for task_id, case_id, roles in raised:
        rows.tell("task.escalated", task_id, case_id, roles, run.at)
    run.note("escalated", f"Brought forward before the deadline ({code}).", reference=code)


def _incident(run: Run, command: ask.RaiseIncident) -> None:
    incident_id = run.new_id("incident", command.node, command.visit, len(run.lines), run.row.rev)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_incident (id, instance_id, token, node, visit, code, words,"
            " owner_role, raised_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                incident_id,
                run.row.id,
                command.token,
                command.node,
                command.visit,
                command.code,
                command.words,
                INCIDENT_ROLE,
                run.at,
            ],
        )
    _incident_task(run, command, incident_id, run.at)
    run.note("incident", f"A step did not work: {command.code}.", reference=command.node)


def _incident_task(run: Run, command: ask.RaiseIncident, incident_id: UUID, at: datetime) -> None:
    rows.open_task(
        rows.NewTask(
            id=incident_id,
            case_id=run.row.case_id,
            instance_id=run.row.id,
            token=command.token,
            node=command.node,
            visit=command.visit,
            kind="incident",
            form_key="incident",
            title=f"Resolve: {command.code.replace('_', ' ')}",
            form=INCIDENT_FORM,
            inputs={"code": command.code, "words": command.words, "node": command.node},
            roles=(INCIDENT_ROLE,),
            excluded=(),
            warn_at=None,
            due_at=None,
            at=at,
            reference=incident_id,
        )
    )
    cases.set_state(run.row.case_id, "open", at)
    run.say(run.flow.content.says.get("incident", ""))


INCIDENT_FORM = {
    "type": "object",
    "title": "Incident",
    "properties": {
        "resolution": {
            "type": "string",
            "title": "What to do",
            "enum": ["retry", "cancel"],
            "x-labels": {"retry": "Try the step again", "cancel": "End the case"},
        }
    },
    "required": ["resolution"],
}


def _complete(run: Run, command: ask.Complete) -> None:
    calls.close_calls(run.row.id, None)
    rows.cancel_tasks(run.row.id, None, run.at)
    _close_cards(run, None, "expired")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM orch_timer WHERE instance_id = %s", [run.row.id])
        cursor.execute("DELETE FROM orch_subscription WHERE instance_id = %s", [run.row.id])
    if run.row.parent_id is None:
        cases.set_state(run.row.case_id, "closed", run.at)
    else:
        _answer_parent(run, command)
    payload = {"outcome": command.outcome.value, "case_id": str(run.row.case_id)}
    feed.publish(
        event_type="instance.ended",
        subject=f"instance:{run.row.id}",
        payload=json.loads(json.dumps(payload)),
        at=run.at,
    )


def _answer_parent(run: Run, command: ask.Complete) -> None:
    assert run.row.parent_id is not None
    token = run.row.parent_token or ""
    event: Event = (
        ChildCompleted(token, command.variables)
        if command.outcome is ask.OutcomeKind.COMPLETED
        else ChildFailed(token, command.code or command.outcome.value, command.variables)
    )
    message_id = run.new_id("ended")
    store.deliver(instance_id=run.row.parent_id, message_id=message_id, event=event, at=run.at)


def _close_cards(run: Run, token: str | None, state: str) -> None:
    if cards.close_cards(run.row.id, token, state):
        run.cards_changed()
