"""What a version consists of: its files and steps, and what a proposed one would change."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from orchestration import bpmn
from orchestration.bpmn.model import Node
from orchestration.core import deploy
from orchestration.durable.definitions import flow_of
from orchestration.versions.dry_runs import InstanceVerdict, dry_run
from orchestration.versions.proposals import NEW_FLOW, read_proposal, source_of
from orchestration.versions.readers import require_flow_reader
from orchestration.versions.reports import file_changes
from orchestration.versions.views import VersionComparison
from sentinel.vocabulary import Principal

_NO_MAPPING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """The files a version is made of: its drawing and its rules, by file name."""

    process: str
    version: int
    bpmn: str
    rules: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StepName:
    """A step of a drawing: its id, and what people call it."""

    id: str
    name: str


def version_files(*, digest: str, principal: Principal) -> VersionFiles:
    """Return the files of a published version.

    Raises:
        FlowUnknown: there is no such version.
        FlowReadersOnly: the flows are not theirs to look at.
    """
    require_flow_reader(principal)
    flow = flow_of(digest)
    return VersionFiles(flow.process, flow.version, flow.bpmn, flow.rules)


def steps_of(*, digest: str, principal: Principal) -> tuple[StepName, ...]:
    """Return the steps of a published version, by name.

    Raises:
        FlowUnknown: there is no such version.
        FlowReadersOnly: the flows are not theirs to look at.
    """
    require_flow_reader(principal)
    nodes = flow_of(digest).definition.process.nodes.values()
    return tuple(sorted(map(_step, nodes), key=lambda step: step.name.casefold()))


def compare_proposal(*, proposal_id: UUID, principal: Principal) -> VersionComparison:
    """Return what a proposed version changes in the version it was made from.

    Raises:
        ProposalUnknown: there is none with this id.
        FlowReadersOnly: the flows are not theirs to look at.
    """
    require_flow_reader(principal)
    proposal, source = read_proposal(proposal_id), source_of(proposal_id)
    if proposal.base == NEW_FLOW:
        return VersionComparison(
            old_version=None,
            new_version=None,
            old_xml="",
            new_xml=source.bpmn,
            changes=(),
            is_layout_only=False,
            rules=tuple(file_changes(None, source)),
        )
    base = flow_of(proposal.base)
    difference = bpmn.compare(bpmn.parse(base.bpmn.encode()), bpmn.parse(source.bpmn.encode()))
    return VersionComparison(
        old_version=base.version,
        new_version=None,
        old_xml=base.bpmn,
        new_xml=source.bpmn,
        changes=difference.changes,
        is_layout_only=difference.is_layout_only,
        rules=tuple(file_changes(base, source)),
    )


def proposal_verdicts(*, proposal_id: UUID, principal: Principal) -> tuple[InstanceVerdict, ...]:
    """Return what would become of each running case of the base in a proposed version.

    Raises:
        ProposalUnknown: there is none with this id.
        FlowReadersOnly: the flows are not theirs to look at.
    """
    require_flow_reader(principal)
    proposal, source = read_proposal(proposal_id), source_of(proposal_id)
    if proposal.base == NEW_FLOW:
        return ()
    new = deploy(bpmn.parse(source.bpmn.encode()), process=source.process, is_published=True)
    old = flow_of(proposal.base).definition
    return dry_run(old_digest=proposal.base, old=old, new=new, mapping=_NO_MAPPING)


def _step(node: Node) -> StepName:
    return StepName(node.id, node.name or node.id)
