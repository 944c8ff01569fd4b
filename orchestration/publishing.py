"""Publishing the bank's journeys: each flow by its digest, checked, once."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestration import dmn, journeys
from orchestration.dmn import ModelRefused
from orchestration.durable.definitions import FlowUnknown, flow_of
from orchestration.durable.publication import publish
from orchestration.journeys import FlowSource
from orchestration.versions.cyclic_calls import refuse_cyclic_calls

__all__ = ["ModelRefused", "RuleFinding", "publish_journeys", "rule_findings"]


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """What is wrong with a decision table of a journey, in words for its author.

    `severity` is `error` (publishing refuses it), `warning` or `note`; `rules` are numbered from 1
    as drawn; `example` is a case that shows the fault, by input.
    """

    journey: str
    process: str
    file: str
    table: str
    code: str
    severity: str
    line: int
    rules: tuple[int, ...]
    words: str
    example: Mapping[str, str]


def publish_journeys() -> tuple[str, ...]:
    """Publish every flow of settings.JOURNEYS for the legal entity in force; return their names.

    Raises:
        DrawingRefused: a drawing cannot be run, or calls itself without end.
        FormRefused: a form uses words that forms do not have.
        ModelRefused: a rule cannot be run, or a table of rules contradicts itself.
    """
    sources = journeys.flow_sources()
    new = [source for source in sources if not _is_published(source)]
    for source in new:
        refuse_cyclic_calls(source, beside=new)
    published = [publish(source) for source in sources]
    return tuple(f"{flow.process} version {flow.version}" for flow in published)


def _is_published(source: FlowSource) -> bool:
    try:
        flow_of(source.digest)
    except FlowUnknown:
        return False
    return True


def rule_findings() -> tuple[RuleFinding, ...]:
    """List what is wrong with the decision tables of settings.JOURNEYS: gaps, overlaps, dead rules.

    Raises:
        ModelRefused: a file of rules cannot be read.
    """
    return tuple(
        RuleFinding(
            journey=source.journey,
            process=source.process,
            file=name,
            table=found.table,
            code=found.code,
            severity=found.severity.value,
            line=found.line,
            rules=found.rules,
            words=found.words,
            example=found.example,
        )
        for source in journeys.flow_sources()
        for name, rules in dmn.parse_files(source.rules).items()
        for found in dmn.analyse(rules.model)
    )
