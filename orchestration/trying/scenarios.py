"""Scenario files: what is given, what the world answers, and what must come of it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from orchestration.core.timing import next_due
from orchestration.trying.places import Places, places_in, words_of

BYTES_MAX = 1_000_000
DEPTH_MAX = 60
FAULTS_MAX = 20
# More than any amount of money has; every number up to it can be calculated with and written.
NUMBER_DIGITS_MAX = 300
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ScenarioFault:
    """One fault of a scenario file: where it stands, from line 1, and words for its author."""

    place: str
    line: int
    words: str


class ScenarioRefused(ValueError):
    """The file holds no scenarios that can be run; `faults` lists the first reasons known."""

    code = "scenario_refused"
    is_retryable = False

    def __init__(self, name: str, faults: tuple[ScenarioFault, ...]) -> None:
        super().__init__(name, faults)
        self.name, self.faults = name, faults


def _instant(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        msg = "an instant with its offset, such as 2026-03-02T09:00:00Z"
        raise ValueError(msg)
    return text


def _duration(text: str) -> str:
    due = next_due(_EPOCH, text)
    if due is None or due < _EPOCH:
        msg = "an ISO 8601 duration, such as PT10M"
        raise ValueError(msg)
    return text


Instant = Annotated[str, AfterValidator(_instant)]
Duration = Annotated[str, AfterValidator(_duration)]
Values = dict[str, Any]
_Line = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Refusal(_Part):
    """A business refusal, with the error code the drawing may catch."""

    code: Annotated[str, Field(min_length=1, max_length=100)]
    message: str = ""
    output: Values = Field(default_factory=dict)


class Breakdown(_Part):
    """A technical failure after every attempt: an incident, tried again if more answers follow."""

    code: Annotated[str, Field(min_length=1, max_length=100)]
    message: str = ""


class Answer(_Part):
    """What the world says to one question of the drawing: exactly one of the five.

    `after` is how long it takes. For a human task `done` holds the fields of its form and `by`
    says who; `chooses` are the activities taken of an ad-hoc sub-process, in order.
    """

    done: Values | None = None
    refused: Refusal | None = None
    broken: Breakdown | None = None
    chooses: list[str] | None = None
    never: Literal[True] | None = None
    after: Duration = "PT0S"
    by: str | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Answer":
        said = (self.done, self.refused, self.broken, self.chooses, self.never)
        if sum(each is not None for each in said) != 1:
            msg = "say exactly one of done, refused, broken, chooses or never"
            raise ValueError(msg)
        return self


class Happening(_Part):
    """Something from outside, so long after the start: a message, a signal, or the end by hand."""

    after: Duration
    message: str | None = None
    correlation: str | None = None
    signal: str | None = None
    cancelled: str | None = None
    payload: Values = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_one(self) -> "Happening":
        if sum(each is not None for each in (self.message, self.signal, self.cancelled)) != 1:
            msg = "say exactly one of message, signal or cancelled"
            raise ValueError(msg)
        return self


class ExpectedDecision(_Part):
    """Which rules a business rule task must apply, in order, and values of what comes out."""

    node: str
    rules: list[str] | None = None
    outputs: Values = Field(default_factory=dict)


class ExpectedQuestion(_Part):
    """Values the drawing must ask a node with, by dotted path among its inputs."""

    node: str
    inputs: Values


class Expectation(_Part):
    """What must come of it.

    `path` are elements to be entered in this order, others may lie between; `never` are those not
    to be entered. `variables` are by dotted path. `waits_at` are where it stands, if not at an end;
    `sends` are messages, signals and escalations that go out, in order.
    """

    end: str | None = None
    outcome: Literal["completed", "terminated", "failed", "cancelled"] | None = None
    path: list[str] = Field(default_factory=list)
    never: list[str] = Field(default_factory=list)
    variables: Values = Field(default_factory=dict)
    decisions: list[ExpectedDecision] = Field(default_factory=list)
    asks: list[ExpectedQuestion] = Field(default_factory=list)
    waits_at: list[str] | None = None
    incident: str | None = None
    sends: list[str] | None = None

    @model_validator(mode="after")
    def _says_where(self) -> "Expectation":
        if self.end is None and self.outcome is None and self.waits_at is None:
            msg = "say where it ends: end, outcome or waits_at"
            raise ValueError(msg)
        return self


# The tags tell the alternatives apart, so that a fault is told of the one that was meant.
_ONE, _SEVERAL = "$one", "$several"
Answers = Annotated[
    Annotated[Answer, Tag(_ONE)]
    | Annotated[Annotated[list[Answer], Field(min_length=1)], Tag(_SEVERAL)],
    Discriminator(lambda value: _SEVERAL if isinstance(value, list) else _ONE),
]


class Scenario(_Part):
    """One story; `given` and `answers` go over those of the file, name by name.

    A list of answers is given in turn, one answer every time. With `until` the clock stops there.
    """

    name: _Line
    given: Values = Field(default_factory=dict)
    start: str | None = None
    at: Instant | None = None
    answers: dict[str, Answers] = Field(default_factory=dict)
    happens: list[Happening] = Field(default_factory=list)
    until: Duration | None = None
    expect: Expectation


class RuleTest(_Part):
    """A test of a decision: `decision` is `file.dmn#name`, `rules` the ids that apply, in order.

    `outputs` are values by dotted path, or for a decision with one result that result.
    """

    name: _Line
    decision: Annotated[str, Field(pattern=r"^[^#]+#[^#]+$")]
    inputs: Values
    outputs: Any
    rules: list[str] | None = None


class ScenarioFile(_Part):
    """The scenarios of one flow, and the tests of its decisions."""

    flow: str
    at: Instant = "2026-03-02T09:00:00Z"
    given: Values = Field(default_factory=dict)
    answers: dict[str, Answers] = Field(default_factory=dict)
    scenarios: Annotated[list[Scenario], Field(max_length=200)]
    decisions: Annotated[list[RuleTest], Field(max_length=500)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_differ(self) -> "ScenarioFile":
        names = [each.name for each in self.scenarios] + [each.name for each in self.decisions]
        if not names:
            msg = "there is nothing to try out"
            raise ValueError(msg)
        twice = sorted(name for name, times in Counter(names).items() if times > 1)
        if twice:
            msg = f"two scenarios are called {twice[0]!r}"
            raise ValueError(msg)
        return self

    def given_of(self, scenario: Scenario) -> Values:
        """Return the variables a scenario begins with."""
        return {**self.given, **scenario.given}

    def answers_of(self, scenario: Scenario) -> Mapping[str, Answer | list[Answer]]:
        """Return what a scenario answers, by element."""
        return {**self.answers, **scenario.answers}

    def begins_at(self, scenario: Scenario) -> datetime:
        """Return the instant a scenario begins at."""
        return datetime.fromisoformat(scenario.at or self.at)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A scenario file as read, with the lines of its text."""

    name: str
    content: ScenarioFile
    places: Places

    def fault(self, path: Iterable[str | int], words: str) -> ScenarioFault:
        """Return a fault of this file at a path."""
        whole = tuple(path)
        return ScenarioFault(words_of(whole), self.places.line(whole), words)


def read_scenarios(*, name: str, text: str) -> ReadFile:
    """Read a scenario file; `name` is what refusals call it.

    Raises:
        ScenarioRefused: it is too large, is no JSON, or says something a scenario does not have.
    """
    values = read_values(name=name, text=text)
    places = places_in(text)
    try:
        content = ScenarioFile.model_validate(values)
    except ValidationError as error:
        raise ScenarioRefused(name, tuple(_faults(error, places))) from error
    return ReadFile(name, content, places)


def read_values(*, name: str, text: str) -> Any:  # noqa: ANN401  (any JSON)
    """Read JSON with exact numbers, each name once.

    Raises:
        ScenarioRefused: it is too large, nests too deeply, holds a number that no flow can
            calculate with, or is no JSON.
    """
    if len(text.encode()) > BYTES_MAX:
        raise ScenarioRefused(name, (ScenarioFault("", 1, f"larger than {BYTES_MAX} bytes"),))
    try:
        values = json.loads(
            text,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_each_once,
        )
    except json.JSONDecodeError as error:
        fault = ScenarioFault("", error.lineno, f"this is no JSON: {error.msg}")
        raise ScenarioRefused(name, (fault,)) from error
    except (ValueError, RecursionError) as error:
        words = "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        raise ScenarioRefused(name, (ScenarioFault("", 1, words),)) from error
    if _depth(values) > DEPTH_MAX:
        words = f"it nests deeper than {DEPTH_MAX}"
        raise ScenarioRefused(name, (ScenarioFault("", 1, words),))
    return values


def read_answer(*, text: str) -> Answer:
    """Read one answer written by hand.

    Raises:
        ScenarioRefused: it is none.
    """
    values = read_values(name="answer", text=text)
    try:
        return TypeAdapter(Answer).validate_python(values)
    except ValidationError as error:
        raise ScenarioRefused("answer", tuple(_faults(error, places_in(text)))) from error


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counted = Counter(name for name, _value in pairs)
        twice = next(name for name, times in counted.items() if times > 1)
        msg = f"{twice!r} stands twice in one object"
        raise ValueError(msg)
    return found


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(_too_long(text)) from error
    if len(text) > NUMBER_DIGITS_MAX or abs(number.adjusted()) > NUMBER_DIGITS_MAX:
        raise ValueError(_too_long(text))
    return number


def _integer(text: str) -> int:
    if len(text) > NUMBER_DIGITS_MAX:
        raise ValueError(_too_long(text))
    return int(text)


def _too_long(text: str) -> str:
    return f"{text[:40]} has more than {NUMBER_DIGITS_MAX} digits"


def _no_constant(name: str) -> float:
    msg = f"{name} is no number"
    raise ValueError(msg)


def _depth(value: object) -> int:
    """Return how deep a value nests, without going deeper than is looked at."""
    level, depth = [value], 0
    while level and depth <= DEPTH_MAX:
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        level, depth = inner, depth + 1
    return depth


def _faults(error: ValidationError, places: Places) -> Iterator[ScenarioFault]:
    """Give the first faults, each at the value it is about; alternatives are left out."""
    for found in islice(error.errors(include_input=False, include_url=False), FAULTS_MAX):
        path = tuple(step for step in found["loc"] if step not in {_ONE, _SEVERAL})
        words = found["msg"].removeprefix("Value error, ")
        if found["type"] == "extra_forbidden":
            words = f"{path[-1]!r} is not something that can be said here"
        elif found["type"] == "missing":
            words = f"{path[-1]!r} is missing"
        yield ScenarioFault(words_of(path), places.line(path), words)


def after(at: datetime, duration: str) -> datetime:
    """Return the instant a checked duration after another."""
    due = next_due(at, duration)
    return at if due is None else due
