"""Proposals in shadow: tried on every decision since they began, beside the rules in force.

They are judged afterwards, from what was recorded; nothing waits for them and they grant nothing.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from sentinel.log.records import append
from sentinel.proposals import ProposalEnded
from sentinel.proposed import BundleProposal, bundle_proposal, bundle_proposals, proposed_content
from sentinel.replaying import end_of_next
from sentinel.simulating import Candidate, simulate
from sentinel.store import database_time
from sentinel.tallying import EXAMPLES_MAX, SimulationReport
from sentinel.vocabulary import Principal

# How many decisions one turn of the clock tries for each proposal, and how old they are by then.
AT_ONCE, SETTLED_SECONDS = 2_000, 30


def start_shadow(*, proposal_id: UUID, by: Principal) -> None:
    """Let a proposal run in shadow from now on; saying it twice is harmless.

    Raises:
        ProposalUnknown: there is none of this id.
        ProposalEnded: it was published or rejected already.
    """
    found = bundle_proposal(proposal_id=proposal_id)
    if found.outcome:
        raise ProposalEnded
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_shadow (proposal_id, started_by) VALUES (%s, %s)"
            " ON CONFLICT DO NOTHING",
            [proposal_id, by.id],
        )
        if cursor.rowcount:
            append(cursor, kind="policy_shadow", body={"by": by.id, "proposal": str(proposal_id)})


def simulate_proposal(*, proposal_id: UUID, since: datetime, until: datetime) -> SimulationReport:
    """Return what a proposal would have made of the decisions of a time.

    Raises:
        ProposalUnknown: there is none of this id.
        BundleRefused: it could not be in force together with the others of today.
    """
    found = bundle_proposal(proposal_id=proposal_id)
    candidate = Candidate(found.digest[:16], proposed_content(found.digest))
    return simulate(candidate=candidate, since=since, until=until)


def run_shadows_once() -> int:
    """Try every open proposal in shadow on all decisions since it was last; return how many."""
    until = database_time()
    return sum(_followed(found, until, None) for found in _in_shadow())


def follow_shadows_once() -> int:
    """Try every open proposal in shadow on the next decisions, some at a time; return how many.

    What was decided moments ago is left for the next time: it may not be committed yet.
    """
    until = database_time() - timedelta(seconds=SETTLED_SECONDS)
    return sum(_followed(found, until, AT_ONCE) for found in _in_shadow())


def _in_shadow() -> list[BundleProposal]:
    return [each for each in bundle_proposals() if not each.outcome and each.shadow]


def _followed(found: BundleProposal, until: datetime, at_once: int | None) -> bool:
    """Go on where a shadow run was left; return whether there was anything to try."""
    assert found.shadow is not None
    since = found.shadow.until or found.shadow.started_at
    ends = end_of_next(at_once, since, until) if at_once else until
    if ends is None or ends <= since:
        return False
    bundle = proposed_content(found.digest)
    candidate = Candidate(f"shadow {found.digest[:16]}", bundle)
    report: dict[str, Any] = simulate(candidate=candidate, since=since, until=ends).plain()
    plain = together(json.loads(found.shadow.result), report) if found.shadow.result else report
    flips: Mapping[str, int] = plain["flips"]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_shadow_result (proposal_id, until, replayed, flipped, result)"
            " VALUES (%s, %s, %s, %s, %s)",
            [
                *(found.id, ends, plain["replayed"], sum(flips.values())),
                json.dumps(plain, sort_keys=True),
            ],
        )
    return True


def together(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Return two reports of one shadow run as one: counts are added, the newest rules named."""
    return {
        **later,
        "already": earlier["already"] + later["already"],
        "by": {
            name: _added(earlier["by"].get(name, {}), later["by"].get(name, {}))
            for name in sorted({*earlier["by"], *later["by"]})
        },
        "examples": [*earlier["examples"], *later["examples"]][:EXAMPLES_MAX],
        "load": {
            name: [
                sum(pair)
                for pair in zip(
                    earlier["load"].get(name, (0, 0)), later["load"].get(name, (0, 0)), strict=True
                )
            ]
            for name in sorted({*earlier["load"], *later["load"]})
        },
        "recorded_from": earlier["recorded_from"] or later["recorded_from"],
        "replayed": earlier["replayed"] + later["replayed"],
        "since": earlier["since"],
        "untouched": earlier.get("untouched", 0) + later["untouched"],
        **{name: _added(earlier[name], later[name]) for name in ("flips", "left_out", "money")},
    }


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}
