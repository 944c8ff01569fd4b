"""Bundles proposed by one person and published by another, who agrees to what the gate found.

A proposal carries the gate's report: its cases, what it would widen, what it would have made of
past decisions. Publishing names the report's digest. A rollback is a proposal to publish what has
been in force before; its report is shown, and its findings do not stop it.
"""

import json
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from sentinel.gating import gated, report_on, require_still
from sentinel.identifiers import uuid7
from sentinel.log.records import append
from sentinel.policy.bundles import BANK, Bundle, bundle_from_text
from sentinel.policy.publishing import (
    Publication,
    bundles_in_force,
    keep,
    sign_publication,
)
from sentinel.policy.reports import GateReport
from sentinel.proposed import (
    BundleProposal,
    ProposalUnknown,
    bundle_proposal,
    proposals_where,
    proposed_content,
)
from sentinel.refusals import SentinelError
from sentinel.store import database_time
from sentinel.vocabulary import Principal

PUBLISH, ROLLBACK = "publish", "rollback"
REASON_LENGTH_MAX = 500


class SamePerson(SentinelError):
    """Whoever proposed this may not publish it: two people must have looked."""

    code = "same_person"


class ProposalEnded(SentinelError):
    """The proposal was published or rejected already."""

    code = "proposal_ended"


class ReportDiffers(SentinelError):
    """What is agreed to is not the report of this proposal."""

    code = "report_differs"


class ShadowTooShort(SentinelError):
    """The rules ask for more hours or decisions in shadow before this may be published."""

    code = "shadow_too_short"

    def __init__(self, hours: int, decisions: int) -> None:
        super().__init__(hours, decisions)
        self.hours, self.decisions = hours, decisions


class NeverInForce(SentinelError):
    """One goes back only to what has been in force before."""

    code = "never_in_force"

    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.digest = digest


def propose_bundle(
    *, bundle: Bundle, maker: Principal, reason: str = "", simulated_since: datetime | None = None
) -> str:
    """Keep a bundle with the gate's report for somebody else to publish, and return its digest.

    The report says what it would have made of the newest decisions, if there are any;
    `simulated_since` narrows them.

    Raises:
        BundleRefused: it could not be in force together with the others, a case of theirs or its
            own fails, one of its permits is not tried by any, or an invariant does not hold.
    """
    report = report_on(bundle, gated(bundle, must_pass=True), simulated_since)
    with transaction.atomic():
        keep(bundle, maker)
        _propose(PUBLISH, bundle, maker, reason, report)
    return bundle.digest


def propose_rollback(*, digest: str, maker: Principal, reason: str) -> UUID:
    """Propose to go back to a bundle that has been in force; somebody else puts it in force.

    Raises:
        NeverInForce: it has not been in force.
        BundleRefused: it could not be in force together with the others of today.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT b.content FROM sentinel_bundle b WHERE b.digest = %s AND EXISTS"
            " (SELECT FROM sentinel_publication p WHERE p.entity = b.entity"
            " AND p.digest = b.digest AND p.effective_from <= clock_timestamp())",
            [digest],
        )
        row = cursor.fetchone()
    if row is None:
        raise NeverInForce(digest)
    bundle = bundle_from_text(row[0])
    report = report_on(bundle, gated(bundle, must_pass=False), None)
    with transaction.atomic():
        return _propose(ROLLBACK, bundle, maker, reason, report)


def publish_bundle(*, digest: str, checker: Principal, effective_from: datetime) -> None:
    """Sign what was last proposed under a digest and put it in force from a moment on.

    Raises:
        ProposalUnknown: there is none of this digest.
        ProposalEnded, SamePerson, ShadowTooShort, BundleRefused: as `publish_proposal` does.
    """
    found = proposals_where("WHERE p.digest = %s ORDER BY p.position DESC LIMIT 1", [digest])
    if not found:
        raise ProposalUnknown(digest)
    publish_proposal(
        proposal_id=found[0].id,
        report_digest=found[0].report_digest,
        checker=checker,
        effective_from=effective_from,
    )


def publish_proposal(
    *, proposal_id: UUID, report_digest: str, checker: Principal, effective_from: datetime
) -> None:
    """Sign a proposed bundle and put it in force, agreeing to the gate's report on it.

    A rollback takes effect at once, whatever moment is given.

    Raises:
        ProposalUnknown: there is none of this id.
        ProposalEnded: it was published or rejected already.
        ReportStale: the rules changed, and the report no longer tells what this would change.
        ReportDiffers: the digest is not that of its report.
        SamePerson: the checker is the person who proposed it.
        ShadowTooShort: the rules ask for more time in shadow.
        BundleRefused: it does not pass the gate any more.
    """
    with transaction.atomic():
        found = _open(proposal_id, checker)
        if found.report_digest != report_digest:
            raise ReportDiffers
        bundle = proposed_content(found.digest)
        if found.kind == PUBLISH:
            _require_shadow(found)
        report = json.loads(found.report)
        require_still(bundle, report, must_pass=found.kind == PUBLISH)
        said = Publication(
            bundle,
            found.maker_person,
            checker,
            effective_from if found.kind == PUBLISH else database_time(),
            found.id,
            report_digest,
            found.kind,
            (report["simulation"] or {}).get("digest", ""),
        )
        sign_publication(said)
        _end(found, "published", checker, "")


def reject_proposal(*, proposal_id: UUID, checker: Principal, comment: str) -> None:
    """End a proposal without putting it in force; whoever made it may take it back so.

    Raises:
        ProposalUnknown: there is none of this id.
        ProposalEnded: it was published or rejected already.
    """
    with transaction.atomic():
        found = _open(proposal_id, None)
        _end(found, "rejected", checker, comment)
        with connection.cursor() as cursor:
            body = {"by": checker.id, "proposal": str(found.id), "report": found.report_digest}
            append(cursor, kind="policy_rejected", body=body)


def _propose(kind: str, bundle: Bundle, maker: Principal, reason: str, report: GateReport) -> UUID:
    proposal_id, area = uuid7(), bundle.content.area
    body = {
        "area": area,
        "bundle": bundle.digest,
        "kind": kind,
        "maker": maker.id,
        "proposal": str(proposal_id),
        "report": report.digest,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_proposal (id, kind, area, digest, maker, maker_person, reason,"
            " report, report_digest) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                *(proposal_id, kind, area, bundle.digest, maker.id, maker.person_id),
                *(reason[:REASON_LENGTH_MAX], report.text, report.digest),
            ],
        )
        append(cursor, kind="policy_proposed", body=body)
    return proposal_id


def _open(proposal_id: UUID, checker: Principal | None) -> BundleProposal:
    """Return a proposal that nobody has ended, held until the transaction is over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(proposal_id)])
    found = bundle_proposal(proposal_id=proposal_id)
    if found.outcome:
        raise ProposalEnded
    if checker and (checker.person_id == found.maker_person or not checker.person_id):
        raise SamePerson
    return found


def _end(found: BundleProposal, outcome: str, by: Principal, comment: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_proposal_end (proposal_id, outcome, person, comment)"
            " VALUES (%s, %s, %s, %s)",
            [found.id, outcome, by.id, comment[:REASON_LENGTH_MAX]],
        )


def _require_shadow(found: BundleProposal) -> None:
    bank = next(each for each in bundles_in_force(None) if each.content.area == BANK)
    rule, shadow = bank.content.gate, found.shadow
    if not rule.shadow_hours and not rule.shadow_decisions:
        return
    hours = (database_time() - shadow.started_at).total_seconds() / 3600 if shadow else 0.0
    replayed = shadow.replayed if shadow else 0
    if not shadow or hours < rule.shadow_hours or replayed < rule.shadow_decisions:
        raise ShadowTooShort(rule.shadow_hours, rule.shadow_decisions)
