"""Journeys: what the bank does, as content. Read from folders, checked, published by digest."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field

from orchestration.output_schemas import check_schema
from orchestration.triggers.content import (
    BatchContent,
    TriggerContent,
    check_batch,
    check_trigger,
)
from orchestration.worklist.forms import check_form

QUEUE_NAME = r"^[a-z0-9][a-z0-9_.-]{0,62}$"
# The stories of a flow stand beside its drawing, under its name.
SCENARIOS = ".scenario.json"


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Slot(_Content):
    """Something a request needs: which reader fills it, into which parameters, how to ask."""

    type: Literal["amount", "payee", "date", "text", "card", "account"]
    fills: dict[str, str]
    question: str = ""
    required: bool = True


class Request(_Content):
    """What an intent leads to: a flow that needs slots filled, or an answer read at once.

    `opening` is said as soon as the wish is understood, before anything is looked up. As a step of
    a plan it is called by its `label` (`title` where values are missing), and finds `outputs` by
    type.
    """

    opening: str = ""
    flow: str | None = None
    read: str | None = None
    slots: dict[str, Slot] = Field(default_factory=dict)
    title: str = ""
    label: str = ""
    outputs: dict[str, Literal["money", "payee", "card"]] = Field(default_factory=dict)


class CardContent(_Content):
    """A card shown at a node: its kind, and where each detail is found among the variables."""

    kind: str
    details: dict[str, str]


class FlowContent(_Content):
    """One flow: its drawing, rules, forms and schemas, and what is said at which of its nodes.

    `says` is for the customer, `notes` for the history of the case; `states` gives for each end
    the state under which the customer finds the request afterwards.

    `queue`, `priority` (-1 to 2) and `commit` (to the next `wait` state, or each `step` for itself)
    are for the workers; `moves_max` is how far it may go without waiting for anything; `owners`
    names for a node (or "*") the role, or `person:<id>`, who looks when it does not work. With
    `must_pass` a version that fails one of its scenarios is not even proposed.

    A flow that `opens_case` "when_needed" has one from the moment somebody has to look at it or is
    asked; what nobody needed to see leaves its history and no case.
    """

    drawing: str
    rules: list[str] = Field(default_factory=list)
    forms: dict[str, str] = Field(default_factory=dict)
    schemas: dict[str, str] = Field(default_factory=dict)
    title: str
    summary: str
    purpose: str
    says: dict[str, str] = Field(default_factory=dict)
    notes: dict[str, str] = Field(default_factory=dict)
    states: dict[str, str] = Field(default_factory=dict)
    cards: dict[str, CardContent] = Field(default_factory=dict)
    reasons_first: list[str] = Field(default_factory=list)
    triggers: dict[str, TriggerContent] = Field(default_factory=dict)
    batches: dict[str, BatchContent] = Field(default_factory=dict)
    approval_says: str = ""
    step_up_says: str = ""
    queue: str = Field(default="default", pattern=QUEUE_NAME)
    priority: int = Field(default=0, ge=-1, le=2)
    commit: Literal["wait", "step"] = "wait"
    moves_max: int = Field(default=10_000, ge=1)
    owners: dict[str, str] = Field(default_factory=dict)
    opens_case: Literal["at_start", "when_needed"] = "at_start"
    must_pass: bool = False

    @property
    def is_for_workers(self) -> bool:
        """Tell whether only workers run it: it has a queue of its own, or a commit per call."""
        return self.queue != "default" or self.commit == "step"


class JourneyContent(_Content):
    """A journey file."""

    journey: str
    requests: dict[str, Request] = Field(default_factory=dict)
    flows: dict[str, FlowContent] = Field(default_factory=dict)
    words: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FlowSource:
    """Everything of one flow that is published together; `digest` names it.

    `scenarios` are the stories it is tried out with. They change nothing that runs, so that they
    are no part of the digest.
    """

    journey: str
    process: str
    bpmn: str
    rules: Mapping[str, str]
    content: FlowContent
    forms: Mapping[str, Mapping[str, Any]]
    scenarios: str = ""
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Return content, forms and schemas as one text, the same for the same meaning.

        A flow without schemas has the text, and so the digest, it had before there were any.
        """
        content = self.content.model_dump(mode="json")
        whole: dict[str, Any] = {"content": content, "forms": self.forms}
        if self.schemas:
            whole["schemas"] = self.schemas
        else:
            del content["schemas"]
        return json.dumps(whole, sort_keys=True, ensure_ascii=False)

    @property
    def digest(self) -> str:
        """Return the hex SHA-256 of all of it."""
        rules = json.dumps(self.rules, sort_keys=True, ensure_ascii=False)
        parts = [self.process, self.bpmn, rules, self.text]
        framed = "".join(f"{len(part.encode())}:{part}" for part in parts)
        return hashlib.sha256(b"frontline/flow/v1\0" + framed.encode()).hexdigest()


@lru_cache(maxsize=1)
def journeys() -> Mapping[str, JourneyContent]:
    """Return the journeys of this installation by name, as their files say."""
    found = (_journey(Path(folder)) for folder in settings.JOURNEYS)
    return {journey.journey: journey for journey in found}


def requests() -> Mapping[str, tuple[JourneyContent, Request]]:
    """Return what can be asked for, by intent."""
    return {
        intent: (journey, request)
        for journey in journeys().values()
        for intent, request in journey.requests.items()
    }


def words(name: str) -> str:
    """Return a sentence of the bank that belongs to no flow."""
    for journey in journeys().values():
        if name in journey.words:
            return journey.words[name]
    raise KeyError(name)


def flow_sources() -> tuple[FlowSource, ...]:
    """Return every flow of every journey, ready to be published.

    Raises:
        FormRefused: a form uses words that forms do not have.
        SchemaRefused: a schema is broken, or uses words that schemas do not have.
    """
    return tuple(
        _flow(Path(folder), journey.journey, process, content)
        for folder in settings.JOURNEYS
        for journey in [_journey(Path(folder))]
        for process, content in journey.flows.items()
    )


def _journey(folder: Path) -> JourneyContent:
    return JourneyContent.model_validate_json((folder / "journey.json").read_bytes())


def _flow(folder: Path, journey: str, process: str, content: FlowContent) -> FlowSource:
    forms = {
        name: json.loads((folder / path).read_text(encoding="utf-8"))
        for name, path in content.forms.items()
    }
    for form in forms.values():
        check_form(form)
    schemas = {
        name: json.loads((folder / path).read_text(encoding="utf-8"))
        for name, path in content.schemas.items()
    }
    for name, schema in schemas.items():
        check_schema(f"{process}/{name}", schema)
    for name, trigger in content.triggers.items():
        check_trigger(f"{process}/{name}", trigger)
    for name, batch in content.batches.items():
        check_batch(f"{process}/{name}", batch)
    return FlowSource(
        journey=journey,
        process=process,
        bpmn=(folder / content.drawing).read_text(encoding="utf-8"),
        rules={path: (folder / path).read_text(encoding="utf-8") for path in content.rules},
        content=content,
        forms=forms,
        scenarios=_text_if_there((folder / content.drawing).with_suffix(SCENARIOS)),
        schemas=schemas,
    )


def _text_if_there(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
