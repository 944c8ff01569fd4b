"""Carrying out what a step asks for: calls, work for people, clocks, messages, the end."""

import json
from collections import deque
from datetime import datetime

from django.db import connection

from orchestration import cases, feed
from orchestration.core import commands as ask
from orchestration.core.events import (
    ChildCompleted,
    ChildFailed,
    EscalationRaised,
    Event,
    FailureKind,
    TaskFailed,
)
from orchestration.core.history import Entry as HistoryEntry
from orchestration.core.history import NodeEntered
from orchestration.core.timing import next_due
from orchestration.dialogue import cards
from orchestration.durable import (
    calls,
    children,
    endings,
    incidents,
    messages,
    offers,
    overtaken,
    statements,
    store,
)
from orchestration.durable.run import Run
from orchestration.journeys import CardContent, FlowContent
from orchestration.plain import plain_mapping
from orchestration.wording import found
from orchestration.worklist import assigning, clocks, persons, rows
from orchestration.worklist.calendars import CalendarRefused
from orchestration.worklist.forms import filled_in

CUSTOMER = "customer"
_NO_FORM = {"type": "object", "properties": {}}


def carry_out(run: Run, command: ask.Command) -> None:
    """Do what one command says, in the transaction of the step."""
    match command:
        case ask.CallService():
            _call(run, command)
        case ask.CreateHumanTask():
            run.has_left_traces = True
            _human_task(run, command)
        case ask.CancelService() | ask.CancelHumanTask():
            _call_off(run, command.token)
        case ask.ArmTimer() | ask.CancelTimer():
            # Timers stand in the state; when the next one is due is written with it.
            return
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
            incidents.raise_incident(run, command)
        case ask.OfferActivities():
            offers.offer(run, command)
        case ask.WithdrawActivities():
            _call_off(run, command.token)
        case ask.Complete():
            _complete(run, command)
        case ask.SendMessage() | ask.BroadcastSignal() | ask.RaiseEscalation():
            _send(run, command)


def _call(run: Run, command: ask.CallService) -> None:
    if run.is_stepwise and not calls.goes_apart(run, run.state, command):
        run.asked.append(command)
    else:
        calls.make_call(run, command)


def _call_off(run: Run, token: str) -> None:
    """Nobody need answer the work of a token any more."""
    run.asked = deque(each for each in run.asked if each.token != token)
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


def has_words(content: FlowContent, entries: tuple[HistoryEntry, ...]) -> bool:
    """Tell whether anything of what happened is said, noted or shown to anybody."""
    about = (content.says, content.notes, content.states, content.cards)
    if not any(about):
        return False
    entered = [each.node for each in entries if isinstance(each, NodeEntered)]
    return any(node in each for node in entered for each in about)


def _told_card(run: Run, entry: NodeEntered, content: CardContent) -> None:
    """Show a card that needs no answer, such as a receipt."""
    if run.row.conversation_id is None:
        return
    values = run.values
    run.show(
        cards.NewCard(
            id=run.new_id("card", entry.node, entry.visit),
            conversation_id=run.row.conversation_id,
            principal_id=run.customer_principal,
            turn=run.listener.turn if run.listener else 0,
            kind=content.kind,
            details={name: found(values, path) for name, path in content.details.items()},
            at=run.at,
            state="done",
            case_id=run.row.case_id,
        )
    )


def _human_task(run: Run, command: ask.CreateHumanTask) -> None:
    run.need_case()
    if CUSTOMER in command.roles:
        _customer_card(run, command)
        return
    key = command.form or command.node
    warn_at, due_at = _deadlines(run, command)
    inputs = plain_mapping(command.inputs)
    assigning.open_task(
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
            form=filled_in(run.flow.forms.get(key, _NO_FORM), inputs),
            inputs=inputs,
            roles=command.roles,
            excluded=persons.with_persons(command.exclude, run.principal),
            warn_at=warn_at,
            due_at=due_at,
            at=run.at,
            skills=command.skills,
            priority=command.priority,
        )
    )
    cases.set_state(run.row.case_id, "open", run.at)


def _deadlines(run: Run, command: ask.CreateHumanTask) -> tuple[datetime | None, datetime]:
    """Return the instants of a task's clocks: as drawn, otherwise as usual for work.

    One that is no time is said in the case, not lost.
    """
    usual = clocks.allowed(command.roles, run.at, clocks.WORK)
    try:
        warn_at, due_at = clocks.deadlines(command.roles, run.at, command.warn, command.due)
    except CalendarRefused as refused:
        words = f"This work has the usual deadline: {refused.words}."
        run.note("deadline", words, reference=command.node)
        return usual
    if due_at is not None:
        return warn_at, due_at
    if warn_at is not None:
        return warn_at, max(warn_at, usual[1])
    return usual


def _customer_card(run: Run, command: ask.CreateHumanTask) -> None:
    """A task of the customer is a card in their conversation, made from its inputs."""
    if run.row.conversation_id is None:
        words = "There is no conversation in which the customer could be asked."
        failed = TaskFailed(command.token, FailureKind.TECHNICAL, "customer_unreachable", words)
        run.queue.append(failed)
        return
    due_at = next_due(run.at, command.due) if command.due else None
    run.show(
        cards.NewCard(
            id=run.new_id("card", command.node, command.visit),
            conversation_id=run.row.conversation_id,
            principal_id=run.customer_principal,
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


def _subscription(
    run: Run, command: ask.SubscribeMessage | ask.SubscribeSignal | ask.Unsubscribe
) -> None:
    run.has_left_traces = True
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
    match command:
        case ask.RaiseEscalation():
            _escalate_outward(run, command)
        case ask.SendMessage():
            messages.send(_on_the_bus(run, command, "message", command.correlation))
        case ask.BroadcastSignal():
            messages.broadcast(_on_the_bus(run, command, "signal", None))


def _on_the_bus(
    run: Run, command: ask.SendMessage | ask.BroadcastSignal, kind: str, key: str | None
) -> messages.Message:
    return messages.Message(
        id=run.new_id(kind, command.node, command.visit),
        name=command.name,
        correlation=key,
        payload=command.payload,
        at=run.at,
        principal=run.principal,
        customer_id=run.row.customer_id,
    )


def _escalate_outward(run: Run, command: ask.RaiseEscalation) -> None:
    """Tell the caller of an escalation nobody here took; without a caller, the open tasks."""
    if run.row.parent_id is None:
        escalate(run, command.code)
        return
    event = EscalationRaised(run.row.parent_token or "", command.code, command.payload)
    message_id = run.new_id("escalated", command.node, command.visit)
    store.deliver(instance_id=run.row.parent_id, message_id=message_id, event=event, at=run.at)
    run.rung[run.row.parent_id] = None


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


def _complete(run: Run, command: ask.Complete) -> None:
    run.asked.clear()
    if run.has_left_traces or run.row.rev:
        _clear_away(run)
    if run.row.parent_id is not None:
        _answer_parent(run, command)
    elif run.has_own_case and command.outcome is ask.OutcomeKind.ERROR:
        endings.leave_to_person(run, command)
    elif run.has_own_case:
        cases.set_state(run.row.case_id, "closed", run.at)
    payload = {"outcome": command.outcome.value, "case_id": str(run.row.case_id)}
    feed.publish(
        event_type="instance.ended",
        subject=f"instance:{run.row.id}",
        payload=json.loads(json.dumps(payload)),
        at=run.at,
    )


def _clear_away(run: Run) -> None:
    """Nobody need answer an instance any more that is over."""
    if not run.has_left_traces and (run.is_bare or not store.with_traces([run.row.id])):
        return
    calls.close_calls(run.row.id, None)
    if rows.cancel_tasks(run.row.id, None, run.at):
        overtaken.by_the_end(run.row.id, run.at)
    _close_cards(run, None, "expired")
    incidents.close_all(run)
    statements.count("DELETE FROM orch_subscription WHERE instance_id = %s", [run.row.id])


def _answer_parent(run: Run, command: ask.Complete) -> None:
    assert run.row.parent_id is not None
    token = run.row.parent_token or ""
    event: Event = (
        ChildCompleted(token, command.variables, can_be_undone=bool(run.state.scopes[0].undo))
        if command.outcome is ask.OutcomeKind.COMPLETED
        else ChildFailed(token, command.code or command.outcome.value, command.variables)
    )
    # What has ended can still be undone, and then ends once more.
    message_id = run.new_id("ended", command.outcome.value)
    store.deliver(instance_id=run.row.parent_id, message_id=message_id, event=event, at=run.at)
    run.rung[run.row.parent_id] = None


def _close_cards(run: Run, token: str | None, state: str) -> None:
    if cards.close_cards(run.row.id, token, state):
        run.cards_changed()
