"""The flows that came with this release beside those in force, and asking for one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestration import journeys
from orchestration.durable.definitions import FlowUnknown, PublishedFlow, flow_of
from orchestration.journeys import FlowSource
from orchestration.versions import rollouts
from orchestration.versions.proposals import propose_source, require_may_propose
from sentinel.vocabulary import Principal


@dataclass(frozen=True, slots=True)
class ReleasedFlow:
    """A flow of this release, and the version that is the rule for new work now.

    `standing` is same, newer, older (the bank had this one and went on from it), rolled_back (this
    was the rule until the bank went back to an older one), or new: nothing of the name is in force,
    so that `in_force` is empty and `version` is 0. `released_as` is the version that this release
    is here, 0 for one that was never published.
    """

    process: str
    digest: str
    in_force: str
    version: int
    standing: str
    released_as: int = 0

    @property
    def differs(self) -> bool:
        """Whether the release brings something that was never the rule here."""
        return self.standing in {"newer", "new"}


def released_flows() -> tuple[ReleasedFlow, ...]:
    """Return the flows of settings.JOURNEYS by name, each beside what is in force."""
    sources = sorted(journeys.flow_sources(), key=lambda each: each.process)
    return tuple(_released(each) for each in sources)


def propose_release(
    *,
    proposal_id: UUID,
    process: str,
    given_up: Mapping[str, str],
    why: str,
    principal: Principal,
    at: datetime,
) -> UUID:
    """Ask for a flow of this release to get all new work; return the case that decides on it.

    All of it is asked for: drawing, rules, forms, words, schemas and scenarios. What the bank has
    changed in the version in force since gives way to it.

    Raises:
        FlowUnknown: the release has none of this name.
        DrawingRefused, DecisionRefused, ScenarioRefused, SchemaRefused: it cannot be run.
        ChangeNotProposed: nothing differs, or as with `propose_version`.
    """
    require_may_propose(principal, why)
    source = next((each for each in journeys.flow_sources() if each.process == process), None)
    if source is None:
        raise FlowUnknown(process)
    return propose_source(
        proposal_id=proposal_id,
        base=_in_force(process),
        source=source,
        given_up=given_up,
        why=why,
        trial=rollouts.WHOLE_TRIAL,
        principal=principal,
        at=at,
    )


def _released(source: FlowSource) -> ReleasedFlow:
    rule = _in_force(source.process)
    if rule is None:
        return ReleasedFlow(source.process, source.digest, "", 0, "new")
    known = _published(source.digest)
    standing, released_as = _beside(rule, known), known.version if known else 0
    return ReleasedFlow(
        source.process, source.digest, rule.digest, rule.version, standing, released_as
    )


def _beside(rule: PublishedFlow, known: PublishedFlow | None) -> str:
    if known is None:
        return "newer"
    if known.version == rule.version:
        return "same"
    if known.version < rule.version:
        return "older"
    return "rolled_back" if rollouts.was_rule(known) else "newer"


def _published(digest: str) -> PublishedFlow | None:
    try:
        return flow_of(digest)
    except FlowUnknown:
        return None


def _in_force(process: str) -> PublishedFlow | None:
    try:
        return rollouts.rule_of(process)
    except FlowUnknown:
        return None
