"""What a try-out shows after a move: where it stands, what it asks and knows, what happened."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from orchestration.bpmn.model import EventType
from orchestration.core.state import Trigger, Wait
from orchestration.durable.definitions import PublishedFlow
from orchestration.operating.running import step_name
from orchestration.operating.telling import RunLine
from orchestration.plain import plain_mapping
from orchestration.trying.bench import REFUSING, Bench, Question, QuestionKind
from orchestration.trying.expecting import entered, unmet
from orchestration.trying.running import flows_taken, lines_of
from orchestration.trying.stepping import Move, Trial

_SAMPLES: Mapping[str, object] = {"boolean": True, "integer": 1, "array": []}
_WAITS = {
    Wait.SERVICE: "waits for a step to answer",
    Wait.HUMAN: "waits for a person",
    Wait.CHILD: "waits for the process it called",
    Wait.EVENT: "waits for an event",
    Wait.JOIN: "waits for the others",
    Wait.INCIDENT: "has stopped",
    Wait.HELD: "is held",
}


@dataclass(frozen=True, slots=True)
class TryQuestion:
    """Something that is asked now; `sample` is an answer to begin from, as JSON.

    `kind` is service, person, process, choice or incident; `codes` are the refusals the drawing
    catches there, `inputs` what is asked with, as JSON.
    """

    node: str
    visit: int
    step: str
    kind: str
    called: str
    roles: tuple[str, ...]
    inputs: str
    sample: str
    codes: tuple[str, ...]
    may_refuse: bool


@dataclass(frozen=True, slots=True)
class TryVariable:
    """A variable as it is now, as JSON; `standing` is new, changed or same since the last move."""

    name: str
    value: str
    standing: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class TryStanding:
    """A place where the drawing stands, and what it waits for there."""

    node: str
    step: str
    words: str


@dataclass(frozen=True, slots=True)
class TryClock:
    """The clock that comes next."""

    step: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class TryView:
    """Where a try-out stands.

    `lines_before` is how many of the lines were there before the last move, `path` what it entered
    with that move; `done`, `active` and `stopped` are the elements to mark, `flows` the flows gone
    along. `unmet` says, once nothing more can follow, what the scenario expected otherwise.
    """

    process: str
    status: str
    is_ended: bool
    began_at: datetime
    at: datetime
    stands: tuple[TryStanding, ...]
    questions: tuple[TryQuestion, ...]
    clock: TryClock | None
    messages: tuple[str, ...]
    variables: tuple[TryVariable, ...]
    lines: tuple[RunLine, ...]
    lines_before: int
    path: tuple[str, ...]
    done: tuple[str, ...]
    active: tuple[str, ...]
    stopped: tuple[str, ...]
    flows: tuple[str, ...]
    sent: tuple[str, ...]
    unmet: tuple[str, ...]


def shown(trial: Trial, moves: tuple[Move, ...]) -> TryView:
    """Make the moves, and return where they lead.

    Raises:
        TryRefused: one of them cannot be made.
    """
    for move in moves[:-1]:
        trial.move(move)
    bench = trial.bench
    known, way = (_variables(bench), len(entered(bench))) if moves else ({}, 0)
    rows_before = len(bench.rows) if moves else 0
    for move in moves[-1:]:
        trial.move(move)
    lines = lines_of(bench)
    state = bench.state
    path = entered(bench)
    stopped = tuple(each.node for each in state.tokens if each.wait is Wait.INCIDENT)
    active = tuple(each.node for each in state.tokens if each.node not in stopped)
    return TryView(
        process=bench.flow.process,
        status=state.status.value,
        is_ended=state.is_ended,
        began_at=bench.began_at,
        at=bench.at,
        stands=tuple(_stands(bench)),
        questions=tuple(_question(trial, each) for each in bench.questions.values()),
        clock=_clock(bench),
        messages=tuple(_messages(bench)),
        variables=tuple(_compared(known, _variables(bench))),
        lines=lines,
        lines_before=len(lines) - len(lines_of(bench, rows_before)),
        path=path[way:],
        done=tuple(dict.fromkeys(each for each in path if each not in {*active, *stopped})),
        active=active,
        stopped=stopped,
        flows=tuple(dict.fromkeys(flows_taken(bench))),
        sent=tuple(bench.sent),
        unmet=tuple(_unmet(trial)),
    )


def _stands(bench: Bench) -> Iterator[TryStanding]:
    for token in bench.state.tokens:
        words = _WAITS.get(token.wait)
        if words is not None:
            name = step_name(bench.flow, token.node, dict(bench.variables))
            yield TryStanding(token.node, name, words)


def _question(trial: Trial, question: Question) -> TryQuestion:
    flow = trial.bench.flow
    return TryQuestion(
        node=question.node,
        visit=question.visit,
        step=step_name(flow, question.node, dict(trial.bench.variables)),
        kind=question.kind.value,
        called=question.called,
        roles=question.roles,
        inputs=as_json(question.inputs),
        sample=as_json(_sample(trial, question)),
        codes=tuple(_codes(flow, question.node)),
        may_refuse=question.kind in REFUSING,
    )


def _sample(trial: Trial, question: Question) -> dict[str, object]:
    """Return what the scenario answers, or what an answer looks like."""
    answer = trial.player.answer_to(question) if trial.player else None
    if answer is not None and answer.never is None:
        return answer.model_dump(exclude_none=True, exclude_defaults=True)
    if question.kind is QuestionKind.CHOICE:
        return {"chooses": list(question.activities[:1])}
    form = trial.bench.flow.forms.get(question.called)
    if question.kind is QuestionKind.PERSON and form is not None:
        return {"done": _filled_in(form)}
    if "customer" in question.roles:
        return {"done": {"answer": "confirm"}}
    return {"done": {}}


def _filled_in(form: Mapping[str, Any]) -> dict[str, object]:
    """Return an example of what a form takes; a person corrects what it does not fit."""
    found: dict[str, object] = {}
    for name, field in form.get("properties", {}).items():
        choices = field.get("enum")
        text = "x" * max(1, int(field.get("minLength", 1)))
        found[name] = choices[0] if choices else _SAMPLES.get(str(field.get("type")), text)
    return found


def _codes(flow: PublishedFlow, node: str) -> Iterator[str]:
    for boundary in flow.definition.boundaries.get(node, ()):
        for event in boundary.events:
            if event.type is EventType.ERROR and event.name:
                yield event.name


def _clock(bench: Bench) -> TryClock | None:
    timer = bench.next_timer
    if timer is None:
        return None
    return TryClock(step_name(bench.flow, timer.node, dict(bench.variables)), timer.due_at)


def _messages(bench: Bench) -> Iterator[str]:
    for ear in bench.state.subscriptions:
        if ear.trigger is Trigger.MESSAGE and ear.heard is None:
            yield f"{ear.name}/{ear.correlation}" if ear.correlation else ear.name


def _variables(bench: Bench) -> dict[str, str]:
    """Return every variable by name; one of an inner scope has the step's id in front."""
    found: dict[str, str] = {}
    for scope in bench.state.scopes:
        inside = f"{scope.node}." if scope.parent is not None and scope.node else ""
        for name, value in plain_mapping(scope.variables).items():
            found[f"{inside}{name}"] = as_json(value)
    return found


def _compared(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[TryVariable]:
    for name, value in now.items():
        if name not in before:
            standing = "new" if before else "same"
            yield TryVariable(name, value, standing)
        else:
            standing = "same" if before[name] == value else "changed"
            yield TryVariable(name, value, standing, before[name])


def _unmet(trial: Trial) -> Iterator[str]:
    is_over = trial.bench.state.is_ended
    if trial.player is None or trial.scenario is None or not is_over:
        return
    for each in unmet(trial.player, trial.scenario.expect):
        yield each.words


def as_json(value: object) -> str:
    """Return a value as indented JSON."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=_number)


def _number(value: object) -> object:
    # Exact numbers of a scenario that are no integers; nothing else is no JSON here.
    assert isinstance(value, Decimal)
    return float(value)
