"""Runs a confirmed plan, one step after another, each through its ordinary flow.

Everything here holds the conversation's lock and commits with the turn: a step begins its flow
under an id that follows from plan, step and count, so a killed process loses and repeats nothing.
A step that waits for the customer holds up the others; one that a colleague or another system works
on does not. What needs a step that was not done is left out; the rest goes on.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

import intelligence.public
from orchestration import feed, reads
from orchestration.dialogue import answers, cards, drafts
from orchestration.dialogue.drafts import NOTHING, Draft
from orchestration.dialogue.replies import Voice
from orchestration.dialogue.requests import NO_SLOTS, go_on
from orchestration.dialogue.turns import Turn
from orchestration.durable.calls import STEP_FAULTS
from orchestration.durable.definitions import flow_of
from orchestration.durable.doorbell import database_time
from orchestration.durable.starting import principal_from
from orchestration.planning import rows
from orchestration.planning.cards import details_of, words_of_limit
from orchestration.planning.finding import origin_of, outputs_of
from orchestration.planning.graph import Found, needed_by
from orchestration.planning.kinds import parameters_of, request_of
from orchestration.planning.rows import Plan, Step, StepState
from orchestration.spoken import keep_words
from orchestration.step_results import StepContext

logger = structlog.get_logger(__name__)

_DONE = "done"
# The database is busy or gone: nothing is wrong with the plan.
_MAY_PASS: Final = (OperationalError, InterfaceError)
ROUND_LIMIT = 50


def confirm(turn: Turn, plan_id: UUID) -> None:
    """Begin a plan that the customer has looked at."""
    plan = rows.read_plan(plan_id)
    assert plan is not None
    if rows.running_plan(turn.conversation_id) is not None:
        turn.say("plan_busy")
        return
    rows.set_plan_state(plan_id, "running", turn.at)
    follow(turn)


def call_off(turn: Turn, plan_id: UUID) -> None:
    """Begin nothing of a plan."""
    rows.set_plan_state(plan_id, "cancelled", turn.at)
    turn.say("plan_cancelled")


def stop(turn: Turn) -> bool:
    """Begin nothing more of the plan under way, and let go of what is asked; False without one."""
    plan = rows.running_plan(turn.conversation_id)
    if plan is None:
        return False
    for step in plan.steps:
        if step.state in {"waiting", "asking"}:
            rows.set_step(plan.id, step.id, "cancelled")
    turn.draft = NOTHING
    turn.say("plan_stopped")
    return True


def remove(turn: Turn, plan_id: UUID, step_id: str) -> bool:
    """Take a step out of a plan that was not begun, with whatever needs what it finds."""
    plan = rows.read_plan(plan_id)
    step = plan.step(step_id) if plan and plan.state == "proposed" else None
    if plan is None or step is None or step.state != "waiting":
        return False
    gone = {step_id}
    for each in plan.steps:
        # In the order in which they run, so what hangs on what was taken out comes later.
        if any(found.task in gone for found in _found(each)):
            gone.add(each.id)
    for each in plan.steps:
        if each.id in gone and each.state == "waiting":
            rows.set_step(plan_id, each.id, "removed")
            turn.say("plan_step_removed", {"label": each.planned.label})
    return True


def follow(turn: Turn) -> None:
    """Take the plan of this conversation as far as it goes now, and show how it stands."""
    plan = rows.running_plan(turn.conversation_id)
    if plan is None:
        return
    before = details_of(plan)
    plan = _noticed(turn, plan)
    while not _holds(turn, plan):
        step = _next(plan)
        if step is None:
            break
        _begin(turn, plan, step)
        plan = _noticed(turn, _again(plan))
    if all(step.is_over for step in plan.steps):
        rows.set_plan_state(plan.id, "done", turn.at)
        done = sum(step.state == _DONE for step in plan.steps)
        turn.say("plan_over", {"done": done, "count": len(plan.steps)})
        plan = _again(plan)
    if details_of(plan) != before:
        _show(turn, plan)


def _show(turn: Turn, plan: Plan) -> None:
    cards.settle_card(plan.id, state=_card_state(plan), details=details_of(plan))
    cards.tell_changed(turn.conversation_id, turn.customer_id, None, turn.at)


def _card_state(plan: Plan) -> str:
    return "done" if plan.state in {"done", "broken"} else "answered"


def follow_plans_once(*, limit: int = ROUND_LIMIT) -> int:
    """Go on with plans a step of which ended while nobody spoke; return how many were looked at.

    Each stands alone: one that cannot go on ends, and the others are followed all the same. What
    may pass, such as a lost database, is raised when all have been looked at.
    """
    found = rows.to_be_followed(limit)
    passing: Exception | None = None
    for plan_id in found:
        try:
            _follow_or_end(plan_id)
        except STEP_FAULTS as error:
            # Raised below, once the others have had their turn.
            passing = error
    if passing is not None:
        raise passing
    return len(found)


def _follow_or_end(plan_id: UUID) -> None:
    try:
        _alone(plan_id, follow)
    except STEP_FAULTS as error:
        if isinstance(error, _MAY_PASS) or getattr(error, "is_retryable", False):
            raise
        code = str(getattr(error, "code", type(error).__name__))
        logger.exception("plan_broken", plan=str(plan_id), code=code)
        _alone(plan_id, lambda turn: _end_broken(turn, code))


def _alone(plan_id: UUID, moves: Callable[[Turn], None]) -> None:
    """Make a turn that nobody asked for, in a transaction of its own."""
    plan = rows.read_plan(plan_id)
    assert plan is not None
    principal, at = principal_from(plan.principal), database_time()
    with transaction.atomic():
        draft, number = drafts.lock_draft(plan.conversation_id, principal.id)
        turn = Turn(plan.conversation_id, principal, plan.customer_id, number, at, Voice(), draft)
        moves(turn)
        drafts.keep_draft(plan.conversation_id, turn.draft)
        _say_unasked(turn)


def _end_broken(turn: Turn, code: str) -> None:
    """End a plan that cannot go on: nothing more begins, and what runs ends by itself."""
    plan = rows.running_plan(turn.conversation_id)
    if plan is None:
        return
    for step in plan.steps:
        if step.state == "running" and step.instance_id is not None:
            rows.set_step(plan.id, step.id, _end_of(step.instance_id) or "running")
        elif not step.is_over:
            rows.set_step(plan.id, step.id, "failed", {"code": code})
    still = {rows.key_of(plan.id, each.id) for each in _again(plan).steps if not each.is_over}
    if turn.draft.plan_step is not None and turn.draft.plan_step not in still:
        turn.draft = NOTHING
    rows.set_plan_state(plan.id, "broken", turn.at, broken_by=code)
    turn.say("plan_broken", {"code": code})
    _show(turn, _again(plan))


def _say_unasked(turn: Turn) -> None:
    """Say through the feed what nobody was there to hear."""
    customer = turn.customer_id
    spoken_id = keep_words(
        words=turn.voice.text, conversation_id=turn.conversation_id, customer_id=customer
    )
    if not turn.voice.text or spoken_id is None:
        return
    payload = {"spoken_id": str(spoken_id), "case_id": None, "customer_id": str(customer)}
    feed.publish(
        event_type="conversation.reply",
        subject=str(turn.conversation_id),
        payload=payload,
        at=turn.at,
    )


def _again(plan: Plan) -> Plan:
    found = rows.read_plan(plan.id)
    assert found is not None
    return found


def _noticed(turn: Turn, plan: Plan) -> Plan:
    """Take in what became of steps: flows that ended, questions that were let go."""
    for step in plan.steps:
        if step.state == "running" and step.instance_id is not None:
            ended = _end_of(step.instance_id)
            if ended is not None:
                outputs = outputs_of(step) if ended == _DONE else {}
                rows.set_step(plan.id, step.id, ended, outputs)
                if turn.draft.plan_step == rows.key_of(plan.id, step.id):
                    turn.draft = NOTHING
        elif step.state == "asking" and turn.draft.plan_step != rows.key_of(plan.id, step.id):
            rows.set_step(plan.id, step.id, "cancelled")
    return _again(plan)


def _end_of(instance_id: UUID) -> StepState | None:
    """Return how a flow ended, by what its journey calls that end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT definition, status, end_node, ended_at FROM orch_instance WHERE id = %s",
            [instance_id],
        )
        row = cursor.fetchone()
    if row is None or row[3] is None:
        return None
    definition, status, end_node, _ = row
    if status == "cancelled":
        return "cancelled"
    said = flow_of(definition).content.states.get(str(end_node), "")
    named: dict[str, StepState] = {"done": "done", "refused": "refused", "cancelled": "cancelled"}
    return named.get(said, "failed")


def _holds(turn: Turn, plan: Plan) -> bool:
    """Tell whether the customer is to answer something first."""
    if turn.draft.awaiting is not None:
        return True
    running = [each.instance_id for each in plan.steps if each.state == "running"]
    return any(
        card.card.state == "open"
        for instance_id in running
        if instance_id is not None
        for card in cards.open_cards_of_instance(instance_id, turn.at)
    )


def _next(plan: Plan) -> Step | None:
    """Return the first step that waits for nothing any more."""
    over = {step.id for step in plan.steps if step.is_over}
    return next(
        (
            step
            for step in plan.steps
            if step.state == "waiting" and over.issuperset(needed_by(step.planned.task))
        ),
        None,
    )


def _begin(turn: Turn, plan: Plan, step: Step) -> None:
    """Begin a step, or leave it out when what it needs is not there."""
    number = plan.steps.index(step) + 1
    named = {"number": number, "label": step.planned.label}
    if _lacks(plan, step):
        rows.set_step(plan.id, step.id, "stopped")
        turn.say("plan_step_stopped", named)
        return
    if any(_value(plan, found) is None for found in _found(step)):
        rows.set_step(plan.id, step.id, "stopped")
        turn.say("plan_step_finds_nothing", named)
        return
    when = step.planned.task.when
    if when is not None and not when.holds(_value(plan, when.found)["minor_units"]):
        rows.set_step(plan.id, step.id, "skipped")
        turn.say("plan_step_skipped", {**named, **words_of_limit(when)})
        return
    turn.say("plan_step_begins", named)
    if request_of(step.planned.task.kind).read is not None:
        _look(turn, plan, step)
    else:
        _start(turn, plan, step)


def _lacks(plan: Plan, step: Step) -> bool:
    """A step taken out is no longer waited for; one that was not done is missed."""
    states = {each.id: each.state for each in plan.steps}
    if any(states[found.task] != _DONE for found in _found(step)):
        return True
    return any(states[each] not in {_DONE, "removed"} for each in step.planned.task.after)


def _found(step: Step) -> list[Found]:
    task = step.planned.task
    inputs = [each for each in task.inputs.values() if isinstance(each, Found)]
    return [*inputs, task.when.found] if task.when else inputs


def _value(plan: Plan, found: Found) -> Any:  # noqa: ANN401 - a value of the type that was checked
    """Return what a step found, or None: it was done, and this did not come of it."""
    step = plan.step(found.task)
    assert step is not None
    return step.outputs.get(found.output)


def _look(turn: Turn, plan: Plan, step: Step) -> None:
    """Answer a question at once, and keep what it found."""
    request = request_of(step.planned.task.kind)
    assert request.read is not None
    words = step.planned.task.words
    named = (
        intelligence.public.understand(text=words, at=turn.at, record=False).slots
        if words
        else NO_SLOTS
    )
    answers.answer_read(turn, request.read, named)
    outputs = {"balance": _balance(turn)} if "balance" in request.outputs else {}
    rows.set_step(plan.id, step.id, "done", outputs)


def _balance(turn: Turn) -> Mapping[str, object]:
    """Return what the first account holds: the one payments are made from."""
    found = reads.balance(
        StepContext(
            instance_id=turn.new_id("plan", "balance"),
            node="plan",
            visit=1,
            case_id=turn.new_id("plan", "case"),
            customer_id=turn.customer_id,
            principal=turn.principal,
            purpose="servicing",
            at=turn.at,
        ),
        {},
    ).output
    accounts = found["accounts"]
    assert isinstance(accounts, list)
    return dict(accounts[0]["balance"]) if accounts else {"minor_units": 0, "currency": "EUR"}


def _start(turn: Turn, plan: Plan, step: Step) -> None:
    """Put the request of a step together and go on with it as with any other."""
    planned = step.planned
    slots = request_of(planned.task.kind).slots
    draft = Draft(
        intent=planned.task.kind,
        values=planned.values,
        sources=planned.sources,
        plan_step=rows.key_of(plan.id, step.id),
    )
    for name, source in planned.task.inputs.items():
        if isinstance(source, Found):
            found = parameters_of(slots[name], _value(plan, source))
            for part, parameter in slots[name].fills.items():
                origin = origin_of(plan, source, part)
                draft = draft.with_value(parameter, found[parameter], origin)
    turn.draft = draft
    rows.set_step(plan.id, step.id, "asking")
    go_on(turn, planned.task.kind)
    now = _again(plan).step(step.id)
    if now is not None and now.state == "asking" and turn.draft.plan_step is None:
        # Something stood against it, and the customer was told.
        rows.set_step(plan.id, step.id, "refused")


def shown(plan_id: UUID) -> dict[str, object]:
    """Return what the card of a plan shows now."""
    plan = rows.read_plan(plan_id)
    assert plan is not None
    return details_of(plan)


def card_state(plan_id: UUID, answered: str) -> str:
    """Return the state of the card of a plan after an answer: open while it was not begun."""
    plan = rows.read_plan(plan_id)
    assert plan is not None
    settled = {"proposed": "open", "running": "answered", "done": "done", "broken": "done"}
    return settled.get(plan.state, answered)
