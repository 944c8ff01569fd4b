"""Rows of plans and their steps; whoever changes one holds the conversation it belongs to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

from django.db import connection

from orchestration.planning.graph import Asked, Condition, Found, Given, Source, Task

StepState = Literal[
    "waiting",
    "asking",
    "running",
    "done",
    "refused",
    "failed",
    "cancelled",
    "stopped",
    "skipped",
    "removed",
]
PlanState = Literal["proposed", "running", "done", "cancelled", "broken"]
_PLAN = "SELECT id, conversation_id, customer_id, principal, state, broken_by, tasks FROM orch_plan"
_UNDER_WAY = frozenset({"waiting", "asking", "running"})


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task with what the customer gave for it, as its request takes it: values and sources.

    `warning` says in words what of it would not be permitted.
    """

    task: Task
    label: str
    values: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """How one task of a plan stands; `outputs` are what it found, by name."""

    planned: PlannedTask
    state: StepState
    starts: int
    instance_id: UUID | None
    outputs: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The id of the task."""
        return self.planned.task.id

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state not in _UNDER_WAY


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its steps in the order in which they run; `broken_by` is what it broke on."""

    id: UUID
    conversation_id: UUID
    customer_id: UUID
    principal: str
    state: PlanState
    steps: tuple[Step, ...]
    broken_by: str = ""

    def step(self, step_id: str) -> Step | None:
        """Return the step of this id, if there is one."""
        return next((each for each in self.steps if each.id == step_id), None)


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan that was checked, in the order in which it runs."""

    id: UUID
    conversation_id: UUID
    customer_id: UUID
    principal: str
    tasks: Sequence[PlannedTask]
    at: datetime


def key_of(plan_id: UUID, step_id: str) -> str:
    """Return what a draft carries while it is put together for a step."""
    return f"{plan_id}/{step_id}"


def insert_plan(new: NewPlan) -> None:
    """Keep a plan that waits for the customer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_plan (id, conversation_id, customer_id, principal, state, tasks,"
            " proposed_at) VALUES (%s, %s, %s, %s, 'proposed', %s, %s)",
            [
                new.id,
                new.conversation_id,
                new.customer_id,
                new.principal,
                json.dumps([_plain(each) for each in new.tasks]),
                new.at,
            ],
        )
        cursor.executemany(
            "INSERT INTO orch_plan_step (plan_id, step, position, state)"
            " VALUES (%s, %s, %s, 'waiting')",
            [[new.id, each.task.id, position] for position, each in enumerate(new.tasks)],
        )


def read_plan(plan_id: UUID) -> Plan | None:
    """Return a plan as it stands."""
    return _plan(f"{_PLAN} WHERE id = %s", plan_id)


def running_plan(conversation_id: UUID) -> Plan | None:
    """Return the plan under way in a conversation."""
    return _plan(f"{_PLAN} WHERE conversation_id = %s AND state = 'running'", conversation_id)


def set_plan_state(
    plan_id: UUID, state: PlanState, at: datetime, broken_by: str | None = None
) -> None:
    """Note how a plan stands now, and if it is broken, on what."""
    ended_at = at if state in {"done", "cancelled", "broken"} else None
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_plan SET state = %s, ended_at = %s, broken_by = %s WHERE id = %s",
            [state, ended_at, broken_by, plan_id],
        )


def set_step(
    plan_id: UUID, step_id: str, state: StepState, outputs: Mapping[str, object] | None = None
) -> None:
    """Note how a step stands now, and what it found."""
    found = None if outputs is None else json.dumps(outputs)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_plan_step SET state = %s, outputs = coalesce(%s, outputs),"
            " changed_at = clock_timestamp() WHERE plan_id = %s AND step = %s",
            [state, found, plan_id, step_id],
        )


def start_step(key: str) -> UUID:
    """Note that a flow begins for a step, and return the id under which it must begin.

    The id follows from plan, step and count, so that nothing begins twice for one count.
    """
    plan, _, step_id = key.partition("/")
    plan_id = UUID(plan)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_plan_step SET starts = starts + 1, state = 'running'"
            " WHERE plan_id = %s AND step = %s RETURNING starts",
            [plan_id, step_id],
        )
        (starts,) = cursor.fetchone()
        instance_id = uuid5(plan_id, f"{step_id}|{starts}")
        cursor.execute(
            "UPDATE orch_plan_step SET instance_id = %s, changed_at = clock_timestamp()"
            " WHERE plan_id = %s AND step = %s",
            [instance_id, plan_id, step_id],
        )
    return instance_id


def to_be_followed(limit: int) -> tuple[UUID, ...]:
    """Return running plans a step of which has ended unnoticed: nobody was there to go on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT p.id FROM orch_plan p JOIN orch_plan_step s ON s.plan_id = p.id"
            " JOIN orch_instance i ON i.id = s.instance_id"
            " WHERE p.state = 'running' AND s.state = 'running' AND i.ended_at IS NOT NULL"
            " LIMIT %s",
            [limit],
        )
        return tuple(row[0] for row in cursor.fetchall())


def _plan(question: str, key: UUID) -> Plan | None:
    with connection.cursor() as cursor:
        cursor.execute(question, [key])
        row = cursor.fetchone()
        if row is None:
            return None
        cursor.execute(
            "SELECT step, state, starts, instance_id, outputs FROM orch_plan_step"
            " WHERE plan_id = %s ORDER BY position",
            [row[0]],
        )
        kept = cursor.fetchall()
    tasks = {each.task.id: each for each in map(_planned, json.loads(row[6]))}
    steps = tuple(
        Step(tasks[step], stands, starts, instance_id, json.loads(outputs))
        for step, stands, starts, instance_id, outputs in kept
    )
    plan_id, conversation_id, customer_id, principal, state, broken_by, _ = row
    return Plan(plan_id, conversation_id, customer_id, principal, state, steps, broken_by or "")


def _plain(planned: PlannedTask) -> dict[str, object]:
    task = planned.task
    return {
        **asdict(replace(planned, task=replace(task, inputs={}))),
        "inputs": {name: _plain_source(source) for name, source in task.inputs.items()},
    }


def _plain_source(source: Source) -> dict[str, object]:
    match source:
        case Given():
            return {"value": source.value}
        case Found():
            return {"task": source.task, "output": source.output}
    return {}


def _planned(kept: Mapping[str, Any]) -> PlannedTask:
    task, when = kept["task"], kept["task"]["when"]
    return PlannedTask(
        task=Task(
            id=task["id"],
            kind=task["kind"],
            inputs={name: _source(each) for name, each in kept["inputs"].items()},
            after=tuple(task["after"]),
            when=Condition(Found(**when["found"]), when["operator"], when["minor_units"])
            if when
            else None,
            words=task["words"],
        ),
        label=kept["label"],
        values=kept["values"],
        sources=kept["sources"],
        warning=kept.get("warning", ""),
    )


def _source(kept: Mapping[str, Any]) -> Source:
    if "value" in kept:
        return Given(kept["value"])
    return Found(kept["task"], kept["output"]) if kept else Asked()
