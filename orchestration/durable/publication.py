"""Publishing a flow: looked through, kept once by its digest, and made known."""

import json

from django.db import connection, transaction

import sentinel.public
from orchestration import bpmn, dmn
from orchestration.bpmn import Severity
from orchestration.bpmn.errors import Finding, refusal_of
from orchestration.core.definition import deploy, faults_of
from orchestration.durable import claims, statements
from orchestration.durable.definitions import PublishedFlow, flow_of
from orchestration.durable.entrances import require_startable
from orchestration.durable.named_parts import Known, named_findings
from orchestration.journeys import FlowSource
from orchestration.output_schemas import check_schema, checks_of


def publish(source: FlowSource) -> PublishedFlow:
    """Publish a flow unless it is already, after checking that it can run.

    Raises:
        DrawingRefused: the drawing cannot be run.
        ModelRefused: a rule cannot be read or run, or a table of rules contradicts itself.
        SchemaRefused: a schema is broken, or uses words that schemas do not have.
    """
    check_source(source)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(frontline_entity() || %s, 4711))",
            [source.process],
        )
        cursor.execute(
            """
            INSERT INTO orch_definition (hash, process, version, journey, bpmn, rules, content,
                   scenarios)
            SELECT %(hash)s, %(process)s, 1 + coalesce(max(version), 0), %(journey)s, %(bpmn)s,
                   %(rules)s, %(content)s, %(scenarios)s
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
                "scenarios": source.scenarios,
            },
        )
    flow = flow_of(source.digest)
    with transaction.atomic():
        _make_known(flow)
    return flow


def _make_known(flow: PublishedFlow) -> None:
    """Note in which queue a flow runs, and which messages and signals begin it."""
    claims.know_queue(flow.content.queue)
    for trigger, name in flow.starts:
        statements.count(
            "INSERT INTO orch_start (trigger, name, process) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [trigger, name, flow.process],
        )


def check_source(source: FlowSource) -> None:
    """Check that a flow can run as it says.

    Raises:
        DrawingRefused: the drawing cannot be run.
        ModelRefused: a rule cannot be read or run, or a table of rules contradicts itself.
        SchemaRefused: a schema is broken, or uses words that schemas do not have.
    """
    for name, schema in source.schemas.items():
        check_schema(f"{source.process}/{name}", schema)
    definition = deploy(
        bpmn.parse(source.bpmn.encode()), process=source.process, checks=checks_of(source.schemas)
    )
    require_startable(definition, source.content)
    decisions = dmn.parse_files(source.rules)
    for rules in decisions.values():
        dmn.publishable(rules)
    known = Known(sentinel.public.roles_in_force())
    found = tuple(named_findings(source, definition.process, decisions, known))
    errors = tuple(each for each in found if each.severity is Severity.ERROR)
    if errors:
        raise refusal_of(errors)


def rule_warnings_of(source: FlowSource) -> tuple[tuple[str, dmn.TableFinding], ...]:
    """List what deserves a look in the tables of rules of a flow, each with its file."""
    return tuple(
        (name, each)
        for name, rules in dmn.parse_files(source.rules).items()
        for each in dmn.analyse(rules.model)
        if each.severity is dmn.Severity.WARNING
    )


def warnings_of(source: FlowSource) -> tuple[Finding, ...]:
    """List what deserves a look in a flow that can run as it says."""
    process = bpmn.parse(source.bpmn.encode()).process(source.process)
    assert process is not None
    rows = statements.run("SELECT DISTINCT process FROM orch_definition", [])
    processes = frozenset({source.process, *(row[0] for row in rows)})
    known = Known(sentinel.public.roles_in_force(), processes)
    named = named_findings(source, process, dmn.parse_files(source.rules), known)
    found = (*faults_of(process, checks_of(source.schemas)), *named)
    return tuple(each for each in found if each.severity is Severity.WARNING)
