"""Makes a plan: from what a customer says, or from JSON; checked, foreseen, and shown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import intelligence.public
from orchestration.dialogue.cards import NewCard, open_card
from orchestration.dialogue.drafts import NOTHING
from orchestration.dialogue.filling import fill
from orchestration.dialogue.several import payees_of
from orchestration.dialogue.turns import Turn
from orchestration.durable.starting import principal_text
from orchestration.planning import rows
from orchestration.planning.cards import details_of
from orchestration.planning.checking import Fault, PlanRefused, check
from orchestration.planning.graph import Asked, Condition, Found, Given, Source, Task
from orchestration.planning.kinds import kinds, parameters_of, request_of, value_of
from orchestration.planning.permitting import Asker, foresee
from orchestration.planning.rows import NewPlan, PlannedTask
from orchestration.planning.splitting import Clause
from orchestration.wording import filled
from sentinel.vocabulary import Source as Origin

BALANCE = "balance"


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class FoundContent(_Content):
    """What another task finds."""

    task: str = Field(max_length=40)
    output: str = Field(max_length=40)


class InputContent(_Content):
    """Where an input comes from: exactly one of a value, another task, or the customer."""

    value: object | None = None
    found: FoundContent | None = None
    ask: bool = False


class ConditionContent(_Content):
    """An amount found elsewhere, compared with minor units of the customer's currency."""

    found: FoundContent
    operator: Literal["above", "at_least", "below", "at_most"]
    minor_units: int


class TaskContent(_Content):
    """One task of a plan given as JSON."""

    id: str = Field(max_length=40)
    kind: str = Field(max_length=40)
    inputs: dict[str, InputContent] = Field(default_factory=dict, max_length=20)
    after: list[str] = Field(default_factory=list, max_length=20)
    when: ConditionContent | None = None


class PlanContent(_Content):
    """A plan given as JSON."""

    tasks: list[TaskContent] = Field(max_length=100)


def propose_clauses(turn: Turn, clauses: Sequence[Clause], words: str = "plan_proposed") -> None:
    """Make a plan of the requests of a message, or say why that cannot be."""
    try:
        propose(turn, _tasks_of(turn, clauses, payees_of(turn)), words)
    except PlanRefused as refused:
        first = refused.faults[0]
        if first.code == "too_many_tasks":
            turn.say("plan_too_long")
        else:
            words = " ".join(dict.fromkeys(each.words for each in refused.faults))
            turn.say("plan_refused", {"reason": words})
        turn.draft = NOTHING


def propose(turn: Turn, tasks: Sequence[PlannedTask], words: str = "plan_proposed") -> rows.Plan:
    """Check a plan, ask whether it would be permitted, keep it, and show it to be confirmed.

    Raises:
        PlanRefused: it does not hold together, or a step would not be permitted; nothing is kept.
    """
    order = check([each.task for each in tasks], kinds())
    foreseen = foresee(tasks, Asker(turn.principal, turn.customer_id, turn.at))
    if foreseen.faults:
        raise PlanRefused(foreseen.faults)
    by_id = {each.task.id: each for each in foreseen.tasks}
    plan_id = turn.new_id("plan")
    rows.insert_plan(
        NewPlan(
            plan_id,
            turn.conversation_id,
            turn.customer_id,
            principal_text(turn.principal),
            [by_id[each] for each in order],
            turn.at,
        )
    )
    plan = rows.read_plan(plan_id)
    assert plan is not None
    labels = "; ".join(by_id[each].label for each in order)
    turn.say(words, {"count": len(order), "labels": labels})
    turn.cards.append(
        open_card(
            NewCard(
                id=plan_id,
                conversation_id=turn.conversation_id,
                principal_id=turn.principal.id,
                turn=turn.number,
                kind="plan",
                details=details_of(plan),
                at=turn.at,
            )
        )
    )
    turn.draft = NOTHING
    return plan


def tasks_of_json(payload: Mapping[str, object], origin: Origin) -> tuple[PlannedTask, ...]:
    """Return the tasks of a plan given as JSON; `origin` is where its values come from.

    Raises:
        PlanRefused: it is not of the form of a plan, or does not hold together.
    """
    try:
        content = PlanContent.model_validate(payload)
    except ValidationError as error:
        faults = tuple(
            Fault("malformed", _place(each["loc"]), str(each["msg"])[:200])
            for each in error.errors(include_url=False, include_input=False)[:10]
        )
        raise PlanRefused(faults) from error
    tasks = [_task(each) for each in content.tasks]
    # Before anything is read of a value, it must be of its type.
    check(tasks, kinds())
    return tuple(_planned(task, origin) for task in tasks)


def _place(where: Sequence[int | str]) -> str:
    words = "".join(f"[{each}]" if isinstance(each, int) else f".{each}"[:60] for each in where)
    return words.removeprefix(".") or "plan"


def _task(content: TaskContent) -> Task:
    when = content.when
    return Task(
        id=content.id,
        kind=content.kind,
        inputs={name[:60]: _source(each) for name, each in content.inputs.items()},
        after=tuple(content.after),
        when=Condition(Found(**when.found.model_dump()), when.operator, when.minor_units)
        if when
        else None,
    )


def _source(content: InputContent) -> Source:
    if content.found is not None:
        return Found(content.found.task, content.found.output)
    return Asked() if content.ask else Given(content.value)


def _planned(task: Task, origin: Origin) -> PlannedTask:
    slots = request_of(task.kind).slots
    draft = NOTHING
    for name, source in task.inputs.items():
        if isinstance(source, Given):
            for parameter, value in parameters_of(slots[name], source.value).items():
                draft = draft.with_value(parameter, value, origin)
    return PlannedTask(task, label_of(task.kind, draft.values), draft.values, draft.sources)


def label_of(kind: str, values: Mapping[str, object]) -> str:
    """Return what a step is called: with its values where they are there."""
    request = request_of(kind)
    label = filled(request.label, values) if request.label else ""
    is_whole = bool(label) and all(
        parameter in values
        for slot in request.slots.values()
        if slot.required
        for parameter in slot.fills.values()
    )
    return label if is_whole and "card_id" not in values else request.title or request.label


def _tasks_of(
    turn: Turn, clauses: Sequence[Clause], payees: Sequence[intelligence.public.KnownPayee]
) -> tuple[PlannedTask, ...]:
    """Return a task for each clause; a condition brings a look at the balance with it."""
    found: list[PlannedTask] = []
    for number, clause in enumerate(clauses, 1):
        task_id = f"{clause.kind}-{number}"
        planned = _read(turn, clause, task_id, payees)
        if clause.limit is not None:
            look = f"{BALANCE}-for-{number}"
            found.append(PlannedTask(Task(look, BALANCE), label_of(BALANCE, {})))
            when = Condition(
                Found(look, "balance"), clause.limit.operator, clause.limit.minor_units
            )
            planned = replace(planned, task=replace(planned.task, when=when))
        if clause.relation == "after" and found:
            planned = replace(planned, task=replace(planned.task, after=(_last(found, number),)))
        if clause.relation == "before" and found:
            last = found[-1]
            found[-1] = replace(last, task=replace(last.task, after=(*last.task.after, task_id)))
        found.append(planned)
    return tuple(found)


def _last(found: Sequence[PlannedTask], number: int) -> str:
    """Return the clause before, not the look at the balance that came with this one."""
    own = f"{BALANCE}-for-{number}"
    return next(each.task.id for each in reversed(found) if each.task.id != own)


def _read(
    turn: Turn, clause: Clause, task_id: str, payees: Sequence[intelligence.public.KnownPayee]
) -> PlannedTask:
    """Read what a clause names; what is missing or unclear is asked for when the step runs."""
    request = request_of(clause.kind)
    meaning = intelligence.public.understand(text=clause.text, at=turn.at, payees=payees)
    draft = fill(request.slots, meaning.slots, NOTHING, turn.speaker).draft
    inputs: dict[str, Source] = {}
    for name, slot in request.slots.items():
        value = value_of(slot, draft.values)
        if value is not None:
            inputs[name] = Given(value)
        elif slot.required:
            inputs[name] = Asked()
    task = Task(task_id, clause.kind, inputs, words=clause.text)
    return PlannedTask(task, label_of(clause.kind, draft.values), draft.values, draft.sources)
