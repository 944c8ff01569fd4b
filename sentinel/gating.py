"""The gate that a bundle passes before it is proposed, and once more when it is published."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sentinel.policy.bundles import BANK, Bundle
from sentinel.policy.engine import Rules, set_digest
from sentinel.policy.proving import Answer, invariants_of, require_invariants, violations, widening
from sentinel.policy.publishing import compiled, newest_bundles, with_bundle
from sentinel.policy.reports import Findings, GateReport, answers_plain, gate_report
from sentinel.policy.trials import Trial, require_tried, tried
from sentinel.refusals import SentinelError
from sentinel.replaying import start_of_newest
from sentinel.simulating import Candidate, simulate
from sentinel.store import database_time

DECISIONS_MAX = 5_000


class ReportStale(SentinelError):
    """The rules changed after the report was written, so that it no longer tells what is so."""

    code = "report_stale"

    def __init__(self, area: str) -> None:
        super().__init__(area)
        self.area = area


@dataclass(frozen=True, slots=True)
class Gated:
    """A bundle that has been through the gate, among the others."""

    present: list[Bundle]
    rules: Rules
    trial: Trial
    kept: Answer

    def replaced(self, bundle: Bundle) -> Bundle | None:
        """Return the bundle that this one takes the place of, if there is one."""
        area = bundle.content.area
        return next((each for each in self.present if each.content.area == area), None)

    def widened(self) -> Answer:
        """Return what these rules permit and those of today do not."""
        return widening(compiled(self.present), self.rules)


def gated(bundle: Bundle, *, must_pass: bool) -> Gated:
    """Return what the gate finds; with `must_pass` what it finds wrong is refused instead."""
    present = newest_bundles()
    together = with_bundle(present, bundle)
    rules = compiled(together)
    trial = tried(rules, together, about=bundle)
    if must_pass:
        require_tried(trial, bundle.content.area)
        return Gated(present, rules, trial, require_invariants(rules, together, about=bundle))
    actions = sorted(rules.kinds if bundle.content.area == BANK else bundle.content.actions)
    return Gated(present, rules, trial, violations(rules, invariants_of(together), actions))


def report_on(bundle: Bundle, found: Gated, since: datetime | None) -> GateReport:
    """Return the gate's report on a bundle, with what it makes of the newest decisions.

    `since` narrows them further; there are never more than `DECISIONS_MAX`, and the report says so.
    """
    return gate_report(
        bundle,
        found.replaced(bundle),
        beside=set_digest(found.present),
        findings=Findings(found.trial, found.widened(), found.kept, _simulated(bundle, since)),
    )


def require_still(bundle: Bundle, report: Mapping[str, Any], *, must_pass: bool) -> None:
    """Accept a bundle that passes the gate now, and of which the report still says what is so.

    What was proved beside the very same rules stands. Where others have been published since, it
    is proved again, and has to come out as it was read.

    Raises:
        ReportStale: the rules changed, and the report no longer tells what this would change.
        BundleRefused: it does not pass the gate any more.
    """
    present, area = newest_bundles(), bundle.content.area
    replaced = next((each.digest for each in present if each.content.area == area), "")
    if replaced != report["replaces"]:
        raise ReportStale(area)
    if report["beside"] == set_digest(present):
        together = with_bundle(present, bundle)
        trial = tried(compiled(together), together, about=bundle)
        if must_pass:
            require_tried(trial, area)
        return
    now = gated(bundle, must_pass=must_pass)
    found = answers_plain(now.widened(), now.kept)
    if must_pass and any(found[name] != report[name] for name in found):
        raise ReportStale(area)


def _simulated(bundle: Bundle, since: datetime | None) -> Mapping[str, object] | None:
    """Return what a bundle makes of the newest decisions, or nothing where there are none."""
    until = database_time()
    oldest = start_of_newest(DECISIONS_MAX, until)
    if oldest is None:
        return None
    report = simulate(
        candidate=Candidate(bundle.digest[:16], bundle),
        since=max(oldest, since) if since else oldest,
        until=until,
    )
    return {**report.plain(), "decisions_max": DECISIONS_MAX, "digest": report.digest}
