"""The actions that change which drawing runs, as Sentinel's catalogue knows them."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sentinel.public import ActionKind

AUDIENCE = "urn:orchestration:versions"
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Base = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
Process = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,99}$")]
INSTANCES_MAX = 5_000
Share = Annotated[int, Field(ge=0, le=100)]
Team = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class PublishFlow(_Parameters):
    """Publish a proposed version and give it its first share of new work.

    `base` is what it takes the place of; empty for a flow that is not there yet.
    """

    proposal_id: UUID
    process: Process
    digest: Digest
    base: Base
    share: Share
    team: Team
    report_hash: Digest


class RollOutFlow(_Parameters):
    """Give a published version another share of new work; 100 without a team makes it the rule."""

    process: Process
    digest: Digest
    share: Share
    team: Team


class MigrateFlow(_Parameters):
    """Let these running instances of one version go on in another, as the dry run judged them.

    `instances` are all that were judged, and `report_hash` the digest of what was found for each:
    who agrees, agrees to exactly these.
    """

    process: Process
    old_digest: Digest
    new_digest: Digest
    mapping: Annotated[dict[str, str], Field(max_length=500)]
    instances: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=INSTANCES_MAX)]
    report_hash: Digest


OPERATIONS = (
    ActionKind(
        kind="flows.publish",
        parameters=PublishFlow,
        risk="high",
        audience=AUDIENCE,
        wording="publish a new version of {process} for {share} % of new work",
        human_only=True,
    ),
    ActionKind(
        kind="flows.roll_out",
        parameters=RollOutFlow,
        risk="high",
        audience=AUDIENCE,
        wording="give a version of {process} {share} % of new work",
        human_only=True,
    ),
    ActionKind(
        kind="flows.migrate",
        parameters=MigrateFlow,
        risk="high",
        audience=AUDIENCE,
        wording="move running {process} to another version",
        human_only=True,
    ),
)
