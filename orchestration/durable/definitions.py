"""Published flows: immutable, named by the digest of all they say, compiled once per process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection, transaction

import sentinel.public
from orchestration import bpmn, dmn
from orchestration.core.definition import Definition, deploy
from orchestration.dmn.result import DecisionModel
from orchestration.journeys import FlowContent, FlowSource


class FlowUnknown(LookupError):
    """No flow of this name or digest is published for this legal entity."""

    code = "flow_unknown"
    is_retryable = False

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class PublishedFlow:
    """A flow as published, with its drawing ready to run."""

    digest: str
    process: str
    version: int
    journey: str
    bpmn: str
    definition: Definition
    decisions: Mapping[str, DecisionModel]
    content: FlowContent
    forms: Mapping[str, Mapping[str, Any]]


def publish(source: FlowSource) -> PublishedFlow:
    """Publish a flow unless it is already, after checking that it can run.

    Raises:
        DrawingRefused: the drawing cannot be run.
        DecisionRefused: a rule cannot be read.
    """
    _compiled(source.bpmn, source.rules, source.process)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(frontline_entity() || %s, 4711))",
            [source.process],
        )
        cursor.execute(
            """
            INSERT INTO orch_definition (hash, process, version, journey, bpmn, rules, content)
            SELECT %(hash)s, %(process)s, 1 + coalesce(max(version), 0), %(journey)s, %(bpmn)s,
                   %(rules)s, %(content)s
              FROM orch_definition WHERE process = %(process)s
            ON CONFLICT (entity, hash) DO NOTHING
            """,
            {
                "hash": source.digest,
                "process": source.process,
                "journey": source.journey,
                "bpmn": source.bpmn,
                "rules": json.dumps(source.rules),
                "content": source.text,
            },
        )
    return flow_of(source.digest)


def current_flow(process: str) -> PublishedFlow:
    """Return the newest version of a flow.

    Raises:
        FlowUnknown: nothing of this name is published.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hash FROM orch_definition WHERE process = %s ORDER BY version DESC LIMIT 1",
            [process],
        )
        row = cursor.fetchone()
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
    definition, decisions = _compiled(drawing, json.loads(rules), process)
    stored = json.loads(content)
    return PublishedFlow(
        digest=digest,
        process=process,
        version=version,
        journey=journey,
        bpmn=drawing,
        definition=definition,
        decisions=decisions,
        content=FlowContent.model_validate(stored["content"]),
        forms=stored["forms"],
    )


def _compiled(
    drawing: str, rules: Mapping[str, str], process: str
) -> tuple[Definition, Mapping[str, DecisionModel]]:
    definition = deploy(bpmn.parse(drawing.encode()), process=process)
    return definition, {name: dmn.parse(text.encode()) for name, text in rules.items()}
