"""The flows of the bank with their versions: what runs, where, since when, for whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from orchestration import bpmn
from orchestration.durable.definitions import flow_of
from orchestration.versions import rollouts
from orchestration.versions.proposals import Proposal, proposals_of
from orchestration.versions.readers import require_flow_reader
from orchestration.versions.reports import file_changes
from orchestration.versions.rollouts import Rollout
from sentinel.vocabulary import Principal


@dataclass(frozen=True, slots=True)
class VersionView:
    """One published version; `running` is how many live cases are pinned to it."""

    digest: str
    version: int
    published_at: datetime
    running: int
    is_rule: bool
    trial: Rollout | None


@dataclass(frozen=True, slots=True)
class FlowView:
    """One flow: its versions newest first, decisions on them, and what was proposed."""

    process: str
    journey: str
    versions: tuple[VersionView, ...]
    rollouts: tuple[Rollout, ...]
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class VersionComparison:
    """Two versions side by side: drawings, what differs in words, and the elements to highlight.

    A version that is only proposed has no number yet; a new flow has no version before it.
    `rules` are all files but the drawing that differ.
    """

    old_version: int | None
    new_version: int | None
    old_xml: str
    new_xml: str
    changes: tuple[bpmn.DrawingChange, ...]
    is_layout_only: bool
    rules: tuple[Mapping[str, Any], ...] = ()


def flows(*, principal: Principal) -> tuple[FlowView, ...]:
    """Return every flow of this legal entity by name.

    Raises:
        FlowReadersOnly: the flows are not theirs to look at.
    """
    require_flow_reader(principal)
    found: dict[str, list[VersionView]] = {}
    journeys: dict[str, str] = {}
    for process, journey, digest, version, published_at, running in _rows():
        journeys[process] = journey
        view = VersionView(
            digest=digest,
            version=version,
            published_at=published_at,
            running=running,
            is_rule=digest == rollouts.rule_of(process).digest,
            trial=rollouts.trial_of(process, digest),
        )
        found.setdefault(process, []).append(view)
    return tuple(
        FlowView(
            process=process,
            journey=journeys[process],
            versions=tuple(versions),
            rollouts=rollouts.rollouts_of(process),
            proposals=proposals_of(process=process),
        )
        for process, versions in sorted(found.items())
    )


def compare_versions(
    *, old_digest: str, new_digest: str, principal: Principal
) -> VersionComparison:
    """Return what differs between the drawings of two versions.

    Raises:
        FlowUnknown: there is no such version.
        FlowReadersOnly: the flows are not theirs to look at.
    """
    require_flow_reader(principal)
    old, new = flow_of(old_digest), flow_of(new_digest)
    difference = bpmn.compare(bpmn.parse(old.bpmn.encode()), bpmn.parse(new.bpmn.encode()))
    return VersionComparison(
        old_version=old.version,
        new_version=new.version,
        old_xml=old.bpmn,
        new_xml=new.bpmn,
        changes=difference.changes,
        is_layout_only=difference.is_layout_only,
        rules=tuple(file_changes(old, new)),
    )


def _rows() -> list[tuple[str, str, str, int, datetime, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.process, d.journey, d.hash, d.version, d.published_at,
                   (SELECT count(*) FROM orch_instance i
                     WHERE i.definition = d.hash AND i.ended_at IS NULL)
              FROM orch_definition d
             ORDER BY d.process, d.version DESC
            """
        )
        return list(cursor.fetchall())


def elements_by_kind(comparison: VersionComparison) -> Mapping[str, tuple[str, ...]]:
    """Return the elements to highlight, by what became of them."""
    found: dict[str, list[str]] = {}
    for change in comparison.changes:
        found.setdefault(change.kind.value, []).append(change.element)
    return {kind: tuple(elements) for kind, elements in found.items()}
