"""A trigger as content of a journey: declared beside the drawing, published with it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, ConfigDict, Field

from orchestration.bpmn.expressions import expression_of
from orchestration.feel import compile_expression
from orchestration.json_schema import check_grammar
from orchestration.triggers.calendar import ScheduleRefused, schedule_of

Kind = Literal["api", "message", "webhook", "schedule", "data_change", "email", "file"]
DEPTH_MAX = 64
_NEEDS_SOURCE = ("message", "webhook", "email", "file")


class TriggerRefusedAtPublish(ValueError):
    """A trigger of a journey cannot work as it is declared."""

    code = "trigger_refused_at_publish"
    is_retryable = False

    def __init__(self, trigger: str, reason: str) -> None:
        super().__init__(trigger, reason)
        self.trigger, self.reason = trigger, reason


TRIGGERS = "triggers"


class TriggerContent(BaseModel):
    """One way in which a flow begins.

    The flow acts under `mandate`. `source` is the message's name, the webhook's or folder's name,
    or the e-mail address. `accepts` is a JSON Schema of what may come; `variables` gives, for each
    variable of the flow, a value or a FEEL expression over `event`; without it the flow gets all
    of what came as `event`. `customer` is an expression for whom it is about; `sender` one for an
    e-mail address, of which the one customer who has it on record is meant, if there is one.

    `every` is a cron line or an ISO 8601 cycle, read in `zone`; what was `missed` while nobody
    looked is run once or skipped. A change of data starts a flow when one of its topics begins
    with one of `topics` and `when` holds; with `each` "transfer" it starts one for each transfer
    the customer sent, with what is known of that as `event`.

    With `in_conversation` the flow speaks to its customer, and asks them, where they spoke last.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    kind: Kind
    mandate: str = TRIGGERS
    source: str = ""
    accepts: dict[str, Any] = Field(default_factory=dict)
    variables: dict[str, str] = Field(default_factory=dict)
    customer: str = ""
    sender: str = ""
    every: str = ""
    zone: str = "UTC"
    missed: Literal["once", "skip"] = "once"
    topics: list[str] = Field(default_factory=list)
    when: str = ""
    each: Literal["", "transfer"] = ""
    in_conversation: bool = False
    pattern: str = "*"


class BatchContent(BaseModel):
    """A file of many items a flow begins with: each begins an instance, or all are one decision.

    `accepts` is a JSON Schema of one item; `key` names the field that tells items apart. Each item
    begins an instance under `mandate` with `variables` over `event`. With `action`, the items are
    decided upon together, so many at a time: `line` gives, over `event`, what the core reads of
    each, and `total` the field whose sum is permitted, in `currency`.

    Files are handed in by operations or, with a `source`, put into its folder under a name like
    `pattern`. No more than `running_max` items run at once, so that what is left can still be held
    or stopped, and items that wait for a person do not become ever more.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    key: str
    accepts: dict[str, Any] = Field(default_factory=dict)
    mandate: str = TRIGGERS
    variables: dict[str, str] = Field(default_factory=dict)
    customer: str = ""
    action: str = ""
    line: dict[str, str] = Field(default_factory=dict)
    total: str = ""
    currency: str = ""
    items_at_once: int = Field(default=500, ge=1, le=1000)
    running_max: int = Field(default=1_000, ge=1, le=100_000)
    source: str = ""
    pattern: str = "*"


def check_trigger(name: str, content: TriggerContent) -> None:
    """Accept only a trigger that can work.

    Raises:
        TriggerRefusedAtPublish: its schema, schedule or an expression cannot be read, or it
            names no source.
    """
    if not is_own_mandate(name.partition("/")[0], content.mandate):
        raise TriggerRefusedAtPublish(name, "its mandate is another flow's")
    if content.kind in _NEEDS_SOURCE and not content.source:
        raise TriggerRefusedAtPublish(name, "it names no source")
    if content.kind == "data_change" and not content.topics:
        raise TriggerRefusedAtPublish(name, "it names no topics")
    try:
        if content.kind == "schedule":
            schedule_of(content.every, content.zone)
    except ScheduleRefused as error:
        raise TriggerRefusedAtPublish(name, str(error)[:200]) from error
    texts = (content.when, content.customer, content.sender, *content.variables.values())
    _check_readable(name, content.accepts, *texts)


def check_batch(name: str, content: BatchContent) -> None:
    """Accept only a batch that can work.

    Raises:
        TriggerRefusedAtPublish: its schema or an expression cannot be read.
    """
    if not is_own_mandate(name.partition("/")[0], content.mandate):
        raise TriggerRefusedAtPublish(name, "its mandate is another flow's")
    _check_readable(
        name,
        content.accepts,
        content.customer,
        *content.variables.values(),
        *content.line.values(),
    )


def _check_readable(name: str, accepts: Mapping[str, Any], *texts: str) -> None:
    try:
        check_grammar(accepts)
        for text in texts:
            compiled(text)
    except (SchemaError, ValueError) as error:
        raise TriggerRefusedAtPublish(name, str(error)[:200]) from error


def is_own_mandate(process: str, mandate: str) -> bool:
    """Tell whether a flow may act under a mandate when something from outside begins it.

    There is one for all, which permits little, and one of each flow's own, named after it: so what
    a policy permits to one flow's trigger, no other flow can claim.
    """
    return mandate in {TRIGGERS, f"{TRIGGERS}_{process}"}


def can_be_kept(value: object, depth: int = 0) -> bool:
    """Tell whether we can keep and compute with what came: text of real characters, not too deep.

    PostgreSQL holds no zero character, and half a character is not UTF-8.
    """
    if depth > DEPTH_MAX:
        return False
    if isinstance(value, str):
        return "\0" not in value and _is_utf8(value)
    if isinstance(value, Mapping):
        return all(can_be_kept(each, depth + 1) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return all(can_be_kept(each, depth + 1) for each in value)
    return True


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=1024)
def compiled(text: str) -> Any:  # noqa: ANN401 - a compiled expression or None
    """Return the expression of a text that begins with `=`, or None when it is a plain value."""
    feel = expression_of(text)
    return None if feel is None else compile_expression(feel, names=("event",))
