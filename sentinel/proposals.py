"""Bundles proposed by one person and published by another, who agrees to what the gate found.

A proposal carries the gate's report: its cases, what it would widen, what it would have made of
past decisions. Publishing names the report's digest. A rollback is a proposal to publish what has
been in force before; its report is shown, and its findings do not stop it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from sentinel.catalogue import action_kinds
from sentinel.identifiers import uuid7
from sentinel.log.records import append
from sentinel.policy.bundles import BANK, Bundle, bundle_from_text
from sentinel.policy.engine import Rules, compile_rules, set_digest
from sentinel.policy.proving import Answer, invariants_of, require_invariants, violations, widening
from sentinel.policy.publishing import (
    Publication,
    bundles_in_force,
    keep,
    newest_bundles,
    sign_publication,
    with_bundle,
)
from sentinel.policy.reports import Findings, GateReport, gate_report
from sentinel.policy.trials import Trial, require_tried, tried
from sentinel.refusals import SentinelError
from sentinel.simulating import Candidate, simulate
from sentinel.store import database_time
from sentinel.vocabulary import Principal

PUBLISH, ROLLBACK = "publish", "rollback"
REASON_LENGTH_MAX = 500
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


class SamePerson(SentinelError):
    """Whoever proposed this may not publish it: two people must have looked."""

    code = "same_person"


class ProposalUnknown(SentinelError):
    """Nothing of this digest or id has been proposed."""

    code = "proposal_unknown"

    def __init__(self, named: str) -> None:
        super().__init__(named)
        self.named = named


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


def propose_bundle(
    *, bundle: Bundle, maker: Principal, reason: str = "", simulated_since: datetime | None = None
) -> str:
    """Keep a bundle with the gate's report for somebody else to publish, and return its digest.

    With `simulated_since` the report says what it would have made of decisions since then.

    Raises:
        BundleRefused: it could not be in force together with the others, a case of theirs or its
            own fails, one of its permits is not tried by any, or an invariant does not hold.
    """
    report = _report(bundle, _gated(bundle, must_pass=True), simulated_since)
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
    report = _report(bundle, _gated(bundle, must_pass=False), None)
    with transaction.atomic():
        return _propose(ROLLBACK, bundle, maker, reason, report)


def publish_bundle(*, digest: str, checker: Principal, effective_from: datetime) -> None:
    """Sign what was last proposed under a digest and put it in force from a moment on.

    Raises:
        ProposalUnknown: there is none of this digest.
        ProposalEnded, SamePerson, ShadowTooShort, BundleRefused: as `publish_proposal` does.
    """
    found = _proposals("WHERE p.digest = %s ORDER BY p.position DESC LIMIT 1", [digest])
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
        _require_still(bundle, found)
        said = Publication(
            bundle,
            found.maker_person,
            checker,
            effective_from if found.kind == PUBLISH else database_time(),
            found.id,
            report_digest,
            found.kind,
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


def bundle_proposals(*, limit: int = 50) -> tuple[BundleProposal, ...]:
    """Return what was proposed, newest first."""
    return tuple(_proposals("ORDER BY p.position DESC LIMIT %s", [limit]))


def bundle_proposal(*, proposal_id: UUID) -> BundleProposal:
    """Return one proposal with its report.

    Raises:
        ProposalUnknown: there is none of this id.
    """
    found = _proposals("WHERE p.id = %s", [proposal_id])
    if not found:
        raise ProposalUnknown(str(proposal_id))
    return found[0]


@dataclass(frozen=True, slots=True)
class _Gated:
    """A bundle that has been through the gate, among the others."""

    present: list[Bundle]
    rules: Rules
    trial: Trial
    kept: Answer


def _gated(bundle: Bundle, *, must_pass: bool) -> _Gated:
    """Return what the gate finds; with `must_pass` what it finds wrong is refused instead."""
    present = newest_bundles()
    together = with_bundle(present, bundle)
    rules = compile_rules(together, action_kinds())
    trial = tried(rules, together, about=bundle)
    if must_pass:
        require_tried(trial, bundle.content.area)
        return _Gated(present, rules, trial, require_invariants(rules, together, about=bundle))
    actions = sorted(rules.kinds if bundle.content.area == BANK else bundle.content.actions)
    return _Gated(present, rules, trial, violations(rules, invariants_of(together), actions))


def _require_still(bundle: Bundle, found: BundleProposal) -> None:
    """Accept a proposal that would pass the gate now; what was proved of the same set stands."""
    present = newest_bundles()
    if json.loads(found.report)["beside"] != set_digest(present):
        _gated(bundle, must_pass=found.kind == PUBLISH)
        return
    together = with_bundle(present, bundle)
    trial = tried(compile_rules(together, action_kinds()), together, about=bundle)
    if found.kind == PUBLISH:
        require_tried(trial, bundle.content.area)


def _report(bundle: Bundle, found: _Gated, since: datetime | None) -> GateReport:
    candidate, until = Candidate(bundle.digest[:16], bundle), database_time()
    simulated = simulate(candidate=candidate, since=since, until=until).plain() if since else None
    return gate_report(
        bundle,
        next((each for each in found.present if each.content.area == bundle.content.area), None),
        beside=set_digest(found.present),
        findings=Findings(
            found.trial,
            widening(compile_rules(found.present, action_kinds()), found.rules),
            found.kept,
            simulated,
        ),
    )


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


def proposed_content(digest: str) -> Bundle:
    """Return a bundle that was proposed, by its digest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM sentinel_bundle WHERE digest = %s", [digest])
        return bundle_from_text(cursor.fetchone()[0])


def _proposals(condition: str, values: list[Any]) -> list[BundleProposal]:
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
