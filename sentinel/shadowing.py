"""Proposals in shadow: tried on every decision since they began, beside the rules in force.

They are judged afterwards, from what was recorded; nothing waits for them and they grant nothing.
"""

import json
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from sentinel.log.records import append
from sentinel.proposals import ProposalEnded, bundle_proposal, bundle_proposals, proposed_content
from sentinel.simulating import Candidate, simulate
from sentinel.store import database_time
from sentinel.tallying import SimulationReport
from sentinel.vocabulary import Principal


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
    """Try every open proposal in shadow on the decisions since it began; return how many."""
    done = 0
    for found in bundle_proposals():
        if found.outcome or found.shadow is None:
            continue
        bundle, until = proposed_content(found.digest), database_time()
        candidate = Candidate(f"shadow {found.digest[:16]}", bundle)
        report = simulate(candidate=candidate, since=found.shadow.started_at, until=until)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO sentinel_shadow_result (proposal_id, until, replayed, flipped, result)"
                " VALUES (%s, %s, %s, %s, %s)",
                [
                    *(found.id, until, report.replayed, report.flipped),
                    json.dumps(report.plain(), sort_keys=True),
                ],
            )
        done += 1
    return done
