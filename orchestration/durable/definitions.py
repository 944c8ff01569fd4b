"""Published flows: immutable, named by the digest of all they say, compiled once per process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db import connection

import sentinel.public
from orchestration import bpmn, dmn
from orchestration.core.definition import Definition, deploy
from orchestration.dmn.result import DecisionModel
from orchestration.durable import statements
from orchestration.durable.entrances import begun_by_bus
from orchestration.journeys import FlowContent
from orchestration.output_schemas import Schemas, checks_of


class FlowUnknown(LookupError):
    """No flow of this name or digest is published for this legal entity."""

    code = "flow_unknown"
    is_retryable = False

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class PublishedFlow:
    """A flow as published, with its drawing ready to run.

    `fixes` names the called processes whose version is fixed when an instance begins.
    """

    digest: str
    process: str
    version: int
    journey: str
    bpmn: str
    definition: Definition
    rules: Mapping[str, str]
    decisions: Mapping[str, DecisionModel]
    content: FlowContent
    forms: Mapping[str, Mapping[str, Any]]
    fixes: tuple[str, ...] = ()
    schemas: Schemas = field(default_factory=dict)

    @property
    def is_for_workers(self) -> bool:
        """Tell whether only workers run it."""
        return self.content.is_for_workers

    @property
    def starts(self) -> Mapping[tuple[str, str], str]:
        """Return the nodes that a message or a signal sets off, by trigger and name."""
        return begun_by_bus(self.definition)


def current_flow(process: str) -> PublishedFlow:
    """Return the newest version of a flow.

    Raises:
        FlowUnknown: nothing of this name is published.
    """
    rows = statements.run(
        "SELECT hash FROM orch_definition WHERE process = %s ORDER BY version DESC LIMIT 1",
        [process],
    )
    row = rows[0] if rows else None
    if row is None:
        raise FlowUnknown(process)
    return flow_of(row[0])


def flow_of(digest: str) -> PublishedFlow:
    """Return the flow of a digest.

    Raises:
        FlowUnknown: nothing of this digest is published.
    """
    return _read(sentinel.public.current_entity(), digest)


@lru_cache(maxsize=256)
def _read(_entity: str, digest: str) -> PublishedFlow:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT process, version, journey, bpmn, rules, content FROM orch_definition"
            " WHERE hash = %s",
            [digest],
        )
        row = cursor.fetchone()
    if row is None:
        raise FlowUnknown(digest)
    process, version, journey, drawing, rules, content = row
    texts, stored = json.loads(rules), json.loads(content)
    schemas = stored.get("schemas", {})
    definition, decisions = _compiled(drawing, texts, process, schemas)
    return PublishedFlow(
        digest=digest,
        process=process,
        version=version,
        journey=journey,
        bpmn=drawing,
        definition=definition,
        rules=texts,
        decisions=decisions,
        content=FlowContent.model_validate(stored["content"]),
        forms=stored["forms"],
        fixes=_fixes(definition),
        schemas=schemas,
    )


def scenarios_kept(digest: str) -> str:
    """Return the scenarios a version was published with, as JSON; empty when it has none.

    They are no part of what the digest names, so they are not kept in memory with it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT scenarios FROM orch_definition WHERE hash = %s", [digest])
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def _fixes(definition: Definition) -> tuple[str, ...]:
    works = (node.work for node in definition.process.nodes.values())
    called = {work.called for work in works if work.binding == "start" and work.called}
    return tuple(sorted(each for each in called if each[:1] != "="))


def _compiled(
    drawing: str, rules: Mapping[str, str], process: str, schemas: Schemas
) -> tuple[Definition, Mapping[str, DecisionModel]]:
    # It was looked through when it was published: a rule added since must not stop what runs.
    definition = deploy(
        bpmn.parse(drawing.encode()), process=process, checks=checks_of(schemas), is_published=True
    )
    return definition, dmn.parse_files(rules)
