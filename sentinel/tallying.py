"""What a change would have done, counted while decisions go by in their order."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sentinel.asking import Judgement
from sentinel.counting import Dimension
from sentinel.gathering import Gathered
from sentinel.judging import Proposal, judge
from sentinel.policy.engine import Rules
from sentinel.replaying import Recorded
from sentinel.signing.canonical import digest
from sentinel.vocabulary import Verdict

EXAMPLES_MAX = 50
BANDS = ((10_000, "to 100"), (100_000, "to 1,000"), (1_000_000, "to 10,000"))
ABOVE, NO_AMOUNT = "above 10,000", "no amount"
PERMIT = Verdict.PERMIT.value
_AGENTS = "agent:"


@dataclass(frozen=True, slots=True)
class Flip:
    """One decision that would come out otherwise, and the rules that would decide."""

    decision_id: str
    at: datetime
    action: str
    principal_id: str
    was: str
    would: str
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """What a change would have done, counted; its digest names it wherever it is agreed to.

    Flips are counted as "permit > deny", altogether and by actor, action, amount, segment and the
    rule that would decide. `already` are those that the rules in force flip too, without the
    candidate. `untouched` are among those replayed: of them the rules of then and the candidate
    make the same, so that they were not judged once more. `money` is in minor units. `load` is the
    work that was and would have been.
    """

    candidate: str
    rules: str
    since: datetime
    until: datetime
    recorded_from: datetime | None
    replayed: int
    untouched: int
    left_out: Mapping[str, int]
    flips: Mapping[str, int]
    already: int
    by: Mapping[str, Mapping[str, int]]
    money: Mapping[str, int]
    load: Mapping[str, tuple[int, int]]
    examples: tuple[Flip, ...]

    @property
    def flipped(self) -> int:
        """How many decisions would have come out otherwise."""
        return sum(self.flips.values())

    @property
    def digest(self) -> str:
        """The SHA-256 of the report, in hexadecimal."""
        return digest("simulation", self.plain()).hex()

    def plain(self) -> dict[str, object]:
        """Return the report as JSON values."""
        return {
            "already": self.already,
            "by": {name: dict(each) for name, each in self.by.items()},
            "candidate": self.candidate,
            "examples": [
                {
                    "action": each.action,
                    "at": each.at.isoformat(),
                    "decision": each.decision_id,
                    "policies": list(each.policies),
                    "principal": each.principal_id,
                    "was": each.was,
                    "would": each.would,
                }
                for each in self.examples
            ],
            "flips": dict(self.flips),
            "left_out": dict(self.left_out),
            "load": {name: list(each) for name, each in self.load.items()},
            "money": dict(self.money),
            "recorded_from": self.recorded_from.isoformat() if self.recorded_from else None,
            "replayed": self.replayed,
            "rules": self.rules,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "untouched": self.untouched,
        }


def holder_of(proposal: Proposal) -> str:
    """Return whose limits count: the customer's, or else those of whoever acts."""
    return (proposal.customer or proposal.principal).id


class Tally:
    """Counts what flips, and carries the use of limits along as it would have been."""

    def __init__(self, present: Rules, segment_of: Callable[[str], str]) -> None:
        self._present, self._segment_of = present, segment_of
        self._flips, self._money = Counter[str](), Counter[str]()
        self._by: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._was, self._would = Counter[str](), Counter[str]()
        self._more_used = Counter[tuple[str, str, str, date]]()
        self._settled: set[str] = set()
        self._moved: set[str] = set()
        self._examples: list[Flip] = []
        self._replayed = self._already = self._untouched = 0
        self._first: datetime | None = None

    def is_settled(self, idempotency_key: str) -> bool:
        """Return whether the change would have permitted this earlier, so nobody asked again."""
        return idempotency_key in self._settled

    def is_moved(self, row: Mapping[str, Any]) -> bool:
        """Return whether a limit that this may count against was used otherwise until then."""
        if not self._moved:
            return False
        is_for_somebody = row["subject"] != row["principal_id"]
        named = {row["subject"], row["principal_id"], row["resource"], f"case:{row['case_id']}"}
        return not named.isdisjoint(self._moved) or (is_for_somebody and _AGENTS in self._moved)

    def count_same(self, row: Mapping[str, Any]) -> None:
        """Count one decision of which the change makes the same."""
        self._begin(row["decided_at"])
        self._untouched += 1
        work = self._work(row["verdict"], tuple(row["policies"]), row["remedy"])
        self._was.update(work)
        self._would.update(work)

    def with_usage(self, known: Gathered, proposal: Proposal) -> Gathered:
        """Return what was known with as much of the limit used as would have been by then."""
        if not self._more_used:
            return known
        more = {
            (each.name, each.holder): self._more_used[_usage(each)] for each in proposal.dimensions
        }
        standings = tuple(
            replace(each, used=max(0, each.used + more.get((each.name, each.holder), 0)))
            for each in known.standings
        )
        return replace(known, standings=standings)

    def count(self, recorded: Recorded, judgement: Judgement) -> None:
        """Count one decision and what would have become of it."""
        self._begin(recorded.at)
        self._was.update(self._work(recorded.verdict, recorded.policies, recorded.remedy))
        would = judgement.verdict.value
        self._would.update(self._work(would, judgement.policies, judgement.remedy))
        if recorded.verdict != would:
            self._count_flip(recorded, judgement)

    def report(
        self, words: str, rules: str, between: tuple[datetime, datetime], left_out: Counter[str]
    ) -> SimulationReport:
        """Return what was counted."""
        names = sorted({*self._was, *self._would})
        return SimulationReport(
            candidate=words,
            rules=rules,
            since=between[0],
            until=between[1],
            recorded_from=self._first,
            replayed=self._replayed,
            untouched=self._untouched,
            left_out=dict(sorted(left_out.items())),
            flips=dict(sorted(self._flips.items())),
            already=self._already,
            by={name: dict(sorted(each.items())) for name, each in sorted(self._by.items())},
            money=dict(sorted(self._money.items())),
            load={name: (self._was[name], self._would[name]) for name in names},
            examples=tuple(self._examples),
        )

    def _begin(self, at: datetime) -> None:
        self._replayed += 1
        self._first = self._first or at

    def _count_flip(self, recorded: Recorded, judgement: Judgement) -> None:
        proposal, would = recorded.proposal, judgement.verdict.value
        flip = f"{recorded.verdict} > {would}"
        self._flips[flip] += 1
        now = judge(proposal, recorded.known, self._present)
        self._already += now.verdict.value == would
        for dimension, value in self._dimensions(proposal, judgement):
            self._by[dimension][f"{value}: {flip}"] += 1
        self._move(proposal, recorded.verdict, would)
        if len(self._examples) < EXAMPLES_MAX:
            self._examples.append(
                Flip(
                    str(recorded.id),
                    recorded.at,
                    proposal.action.kind,
                    proposal.principal.id,
                    recorded.verdict,
                    would,
                    judgement.policies,
                )
            )

    def _dimensions(self, proposal: Proposal, judgement: Judgement) -> list[tuple[str, str]]:
        actor, customer = proposal.principal, proposal.customer
        role = next((role for role in reversed(actor.roles) if role != actor.kind), "")
        return [
            ("action", proposal.action.kind),
            ("actor", f"{actor.kind} ({role})" if role else actor.kind),
            ("amount", _band(proposal)),
            ("segment", self._segment_of(customer.id) if customer else "no customer"),
            *(("rule", policy) for policy in judgement.policies),
        ]

    def _move(self, proposal: Proposal, was: str, would: str) -> None:
        """Count the money that would have moved or stayed, and the limit it would have used."""
        amount = proposal.typed.amount
        if would == PERMIT:
            self._settled.add(proposal.action.idempotency_key)
        if PERMIT not in {was, would}:
            return
        sign = 1 if would == PERMIT else -1
        for each in proposal.dimensions:
            self._more_used[_usage(each)] += sign * each.amount
            self._moved.add(each.holder)
            if each.holder.startswith(_AGENTS):
                self._moved.add(_AGENTS)
        if amount is None:
            return
        word = "more permitted" if sign > 0 else "no longer permitted"
        self._money[f"{word}, {amount.currency}"] += amount.minor_units

    def _work(self, verdict: str, policies: tuple[str, ...], remedy: str | None) -> list[str]:
        """Return what people have to do because of a verdict."""
        if verdict == Verdict.NEEDS_STEP_UP.value:
            return ["second factor"]
        if verdict == Verdict.NEEDS_APPROVAL.value:
            known = self._present.policies.get(policies[0]) if policies else None
            return [f"approval by {known.annotations.get('role', '?') if known else '?'}"]
        return [f"remedy {remedy}"] if remedy else []


def _usage(dimension: Dimension) -> tuple[str, str, str, date]:
    return dimension.name, dimension.holder, dimension.unit, dimension.period


def _band(proposal: Proposal) -> str:
    amount = proposal.typed.amount
    if amount is None:
        return NO_AMOUNT
    return next((words for limit, words in BANDS if amount.minor_units <= limit), ABOVE)
