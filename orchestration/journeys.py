"""Journeys: what the bank does, as content. Read from folders, checked, published by digest."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field

from orchestration.worklist.forms import check_form


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

    `opening` is said as soon as the wish is understood, before anything is looked up.
    """

    opening: str = ""
    flow: str | None = None
    read: str | None = None
    slots: dict[str, Slot] = Field(default_factory=dict)


class CardContent(_Content):
    """A card shown at a node: its kind, and where each detail is found among the variables."""

    kind: str
    details: dict[str, str]


class FlowContent(_Content):
    """One flow: its drawing, rules and forms, and what is said at which of its nodes.

    `says` is for the customer, `notes` for the history of the case; `states` gives for each end
    the state under which the customer finds the request afterwards.
    """

    drawing: str
    rules: list[str] = Field(default_factory=list)
    forms: dict[str, str] = Field(default_factory=dict)
    title: str
    summary: str
    purpose: str
    says: dict[str, str] = Field(default_factory=dict)
    notes: dict[str, str] = Field(default_factory=dict)
    states: dict[str, str] = Field(default_factory=dict)
    cards: dict[str, CardContent] = Field(default_factory=dict)
    reasons_first: list[str] = Field(default_factory=list)
    approval_says: str = ""
    step_up_says: str = ""


class JourneyContent(_Content):
    """A journey file."""

    journey: str
    requests: dict[str, Request] = Field(default_factory=dict)
    flows: dict[str, FlowContent] = Field(default_factory=dict)
    words: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FlowSource:
    """Everything of one flow that is published together; `digest` names it."""

    journey: str
    process: str
    bpmn: str
    rules: Mapping[str, str]
    content: FlowContent
    forms: Mapping[str, Mapping[str, Any]]

    @property
    def text(self) -> str:
        """Return content and forms as one text, the same for the same meaning."""
        whole = {"content": self.content.model_dump(mode="json"), "forms": self.forms}
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
    return FlowSource(
        journey=journey,
        process=process,
        bpmn=(folder / content.drawing).read_text(encoding="utf-8"),
        rules={path: (folder / path).read_text(encoding="utf-8") for path in content.rules},
        content=content,
        forms=forms,
    )
