"""What was proposed of bundles, read back with the gate's report and how it fares in shadow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from sentinel.policy.bundles import Bundle, bundle_from_text
from sentinel.refusals import SentinelError

_PUBLICATIONS = """
SELECT p.area, p.digest, p.effective_from, p.published_at, p.is_genesis, b.maker, p.checker,
  p.proposal_id, p.effective_from <= clock_timestamp() AND NOT EXISTS (
    SELECT FROM sentinel_publication x WHERE x.entity = p.entity AND x.area = p.area
    AND x.effective_from <= clock_timestamp()
    AND (x.effective_from, x.position) > (p.effective_from, p.position)) AS is_in_force
FROM sentinel_publication p JOIN sentinel_bundle b USING (entity, digest)
ORDER BY p.position DESC LIMIT %s
"""
_COLUMNS = """
SELECT p.id, p.kind, p.area, p.digest, p.maker, p.maker_person, p.reason, p.report,
  p.report_digest, p.proposed_at, e.outcome, e.person, e.comment, e.ended_at, s.started_at,
  r.until, r.replayed, r.flipped, r.result
FROM sentinel_proposal p
LEFT JOIN sentinel_proposal_end e ON e.entity = p.entity AND e.proposal_id = p.id
LEFT JOIN sentinel_shadow s ON s.entity = p.entity AND s.proposal_id = p.id
LEFT JOIN LATERAL (SELECT until, replayed, flipped, result FROM sentinel_shadow_result x
  WHERE x.entity = p.entity AND x.proposal_id = p.id ORDER BY position DESC LIMIT 1) r ON true
"""


@dataclass(frozen=True, slots=True)
class PublishedBundle:
    """A bundle that was published: since when it counts, who made it and who agreed."""

    area: str
    digest: str
    effective_from: datetime
    published_at: datetime
    is_genesis: bool
    maker_id: str
    checker_id: str
    proposal_id: UUID | None
    is_in_force: bool


class ProposalUnknown(SentinelError):
    """Nothing of this digest or id has been proposed."""

    code = "proposal_unknown"

    def __init__(self, named: str) -> None:
        super().__init__(named)
        self.named = named


@dataclass(frozen=True, slots=True)
class ShadowRun:
    """How a proposal fares beside the rules in force; it grants nothing."""

    started_at: datetime
    until: datetime | None
    replayed: int
    flipped: int
    result: str


@dataclass(frozen=True, slots=True)
class BundleProposal:
    """A bundle somebody proposed, the gate's report on it, and what became of it."""

    id: UUID
    kind: str
    area: str
    digest: str
    maker_id: str
    maker_person: str
    reason: str
    report: str
    report_digest: str
    proposed_at: datetime
    outcome: str
    ended_by: str
    comment: str
    ended_at: datetime | None
    shadow: ShadowRun | None


def bundle_proposals(*, limit: int = 50) -> tuple[BundleProposal, ...]:
    """Return what was proposed, newest first."""
    return tuple(proposals_where("ORDER BY p.position DESC LIMIT %s", [limit]))


def bundle_proposal(*, proposal_id: UUID) -> BundleProposal:
    """Return one proposal with its report.

    Raises:
        ProposalUnknown: there is none of this id.
    """
    found = proposals_where("WHERE p.id = %s", [proposal_id])
    if not found:
        raise ProposalUnknown(str(proposal_id))
    return found[0]


def proposed_content(digest: str) -> Bundle:
    """Return a bundle that was proposed, by its digest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM sentinel_bundle WHERE digest = %s", [digest])
        return bundle_from_text(cursor.fetchone()[0])


def publications(*, limit: int = 100) -> tuple[PublishedBundle, ...]:
    """Return what was published, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_PUBLICATIONS, [limit])
        return tuple(PublishedBundle(*row) for row in cursor.fetchall())


def proposals_where(condition: str, values: list[Any]) -> list[BundleProposal]:
    """Return the proposals that a condition in SQL finds."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS + condition, values)
        names = [column.name for column in cursor.description]
        return [_proposal(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _proposal(row: Mapping[str, Any]) -> BundleProposal:
    run = (row["started_at"], row["until"], row["replayed"] or 0, row["flipped"] or 0)
    shadow = ShadowRun(*run, row["result"] or "") if row["started_at"] else None
    return BundleProposal(
        id=row["id"],
        kind=row["kind"],
        area=row["area"],
        digest=row["digest"],
        maker_id=row["maker"],
        maker_person=row["maker_person"],
        reason=row["reason"],
        report=row["report"],
        report_digest=row["report_digest"],
        proposed_at=row["proposed_at"],
        outcome=row["outcome"] or "",
        ended_by=row["person"] or "",
        comment=row["comment"] or "",
        ended_at=row["ended_at"],
        shadow=shadow,
    )
