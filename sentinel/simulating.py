"""A change tried on every decision there was: what would have come out otherwise, and for whom.

The change is a bundle, a limit, or facts seen otherwise (a table of rules, a model's threshold),
handed in by whoever knows them. Each decision is put again with what was recorded then; nothing is
fetched. What flips is judged once more under the rules in force, to tell what they flip by now.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from sentinel.counting import Standing
from sentinel.gathering import Gathered
from sentinel.inputs import InputsUnreadable
from sentinel.judging import Proposal, judge
from sentinel.limits import EVERYBODY
from sentinel.policy.bundles import Bundle
from sentinel.policy.engine import Rules
from sentinel.policy.publishing import bundles_in_force, compiled, with_bundle
from sentinel.policy.remembering import remembering
from sentinel.replaying import brief_batches, full_rows, recorded_row, values_of_row
from sentinel.simulation.alike import Alike
from sentinel.tallying import SimulationReport, Tally, holder_of
from sentinel.vocabulary import Fact

Row = Mapping[str, Any]
Transformer = Callable[[str, Mapping[str, object], Mapping[str, object]], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class CandidateCap:
    """A limit as it might be, in minor units, for one holder or for everybody ("*")."""

    name: str
    holder: str
    currency: str
    cap_minor: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change to try; `words` names it in the report.

    `facts_as` is given an action's kind, its facts and its parameters, and returns the values of
    facts that would have been others.
    """

    words: str
    bundle: Bundle | None = None
    caps: tuple[CandidateCap, ...] = ()
    facts_as: Transformer | None = None


def simulate(
    *,
    candidate: Candidate,
    since: datetime,
    until: datetime,
    segment_of: Callable[[str], str] | None = None,
) -> SimulationReport:
    """Return what a candidate would have made of every decision after a moment, up to another.

    `segment_of` names the segment of a customer's id; Sentinel itself knows none.

    Raises:
        BundleRefused: the candidate's bundle could not be in force together with the others.
        EntityNotSet: no legal entity is being worked for.
    """
    trying = _trying(candidate, segment_of or _no_segment)
    for batch in brief_batches(since, until):
        full = full_rows([row["id"] for row in batch if not trying.is_untouched(row)])
        for row in batch:
            trying.put(row, full)
    return trying.tally.report(
        candidate.words, trying.rules.digest, (since, until), trying.left_out
    )


@dataclass(frozen=True)
class _Trying:
    """A candidate that is being tried, and what was counted so far."""

    candidate: Candidate
    rules: Rules
    own: frozenset[tuple[str, str, str]]
    alike: Alike
    tally: Tally
    left_out: Counter[str] = field(default_factory=Counter)

    def is_untouched(self, row: Row) -> bool:
        """Return whether a decision cannot come out otherwise, by its kind of action alone."""
        named = (row["bundle"], row["action_kind"], row["policies"])
        return not self._is_judged(row) and self.alike.is_untouched(*named)

    def put(self, row: Row, full: Mapping[UUID, Row]) -> None:
        """Put one decision again, as far as it could come out otherwise, and count it."""
        if self.tally.is_settled(row["idempotency_key"]):
            self.left_out["permitted before, so not asked again"] += 1
        elif not row["bundle"]:
            self.left_out["not judged by rules"] += 1
        elif not self.tally.is_moved(row) and self.is_untouched(row):
            self.tally.count_same(row)
        else:
            try:
                self._put_full(full.get(row["id"]) or full_rows([row["id"]])[row["id"]])
            except InputsUnreadable as error:
                self.left_out[error.why] += 1

    def _put_full(self, row: Row) -> None:
        if not self.tally.is_moved(row) and self._is_answered_alike(row):
            self.tally.count_same(row)
            return
        recorded = recorded_row(row)
        proposal = _with_facts(recorded.proposal, self.candidate.facts_as)
        known = _with_caps(recorded.known, proposal, self.candidate.caps, self.own)
        judgement = judge(proposal, self.tally.with_usage(known, proposal), self.rules)
        self.tally.count(recorded, judgement)

    def _is_answered_alike(self, row: Row) -> bool:
        named = (row["bundle"], row["action_kind"], row["policies"])
        if self._is_judged(row) or not self.alike.can_compare(*named):
            return False
        links = json.loads(bytes(row["body"]))["content"]["chain"]
        return self.alike.is_answered_alike(row, values_of_row(row), links)

    def _is_judged(self, row: Row) -> bool:
        """Return whether more changes than the rules, so that only judging again can tell."""
        if self.candidate.facts_as is not None:
            return True
        entry = self.rules.kinds.get(row["action_kind"])
        return bool(self.candidate.caps) and (entry is None or bool(entry.money_fields))


def _trying(candidate: Candidate, segment_of: Callable[[str], str]) -> _Trying:
    bundles = bundles_in_force(None)
    present = remembering(compiled(bundles))
    changed = with_bundle(bundles, candidate.bundle) if candidate.bundle else bundles
    rules = remembering(compiled(changed))
    own = _own_limits() if candidate.caps else frozenset()
    return _Trying(candidate, rules, own, Alike(rules), Tally(present, segment_of))


def _no_segment(_: str) -> str:
    return "customers"


def _own_limits() -> frozenset[tuple[str, str, str]]:
    """Return the limits of holders who have one of their own, which everybody's does not touch."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT name, holder, currency FROM sentinel_limit WHERE holder <> %s",
            [EVERYBODY],
        )
        return frozenset((name, holder, currency) for name, holder, currency in cursor.fetchall())


def _with_caps(
    known: Gathered,
    proposal: Proposal,
    caps: Sequence[CandidateCap],
    own: frozenset[tuple[str, str, str]],
) -> Gathered:
    """Return what was known with the limits as they would be."""
    amount = proposal.typed.amount
    if amount is None or not caps:
        return known
    ordered = sorted(caps, key=lambda each: each.holder != EVERYBODY)
    holder = holder_of(proposal)
    new = {
        cap.name: cap.cap_minor
        for cap in ordered
        if _holds(cap, cap.name, (holder,), amount.currency, own)
    }
    standings = {(each.name, each.holder): each for each in known.standings}
    for dimension in proposal.dimensions:
        holders, named = (dimension.holder, dimension.general), (dimension.name, dimension.holder)
        for cap in ordered:
            if _holds(cap, dimension.name, holders, dimension.unit, own):
                before = standings.get(named, Standing(*named, cap=0, used=0))
                standings[named] = replace(before, cap=cap.cap_minor)
    return replace(known, caps={**known.caps, **new}, standings=tuple(standings.values()))


def _holds(
    cap: CandidateCap,
    name: str,
    holders: tuple[str, ...],
    currency: str,
    own: frozenset[tuple[str, str, str]],
) -> bool:
    """Return whether a cap would be the one that counts for a holder."""
    if (cap.name, cap.currency) != (name, currency):
        return False
    has_own = any((name, each, currency) in own for each in holders)
    return not has_own if cap.holder == EVERYBODY else cap.holder in holders


def _with_facts(proposal: Proposal, facts_as: Transformer | None) -> Proposal:
    """Return a proposal with facts as they would have been; each keeps its source and age."""
    if facts_as is None:
        return proposal
    values = {fact.name: fact.value for fact in proposal.facts}
    changed = facts_as(proposal.action.kind, values, proposal.typed.plain)
    return replace(proposal, facts=tuple(_changed(proposal.facts, changed)))


def _changed(facts: Sequence[Fact], changed: Mapping[str, object]) -> Iterator[Fact]:
    for fact in facts:
        yield replace(fact, value=changed[fact.name]) if fact.name in changed else fact
