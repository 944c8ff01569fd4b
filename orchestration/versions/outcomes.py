"""What came of a trial: the cases that began in it, beside those that began meanwhile without."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from orchestration.durable.definitions import flow_of
from orchestration.versions import rollouts
from orchestration.versions.readers import require_flow_reader
from orchestration.versions.rollouts import Rollout
from sentinel.vocabulary import Principal

_Given = dict[str, str | bool | datetime]
# What the states of ended requests count as; the rest has ended some other way.
_DONE, _REFUSED = "done", frozenset({"refused", "cancelled", "expired"})


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a trial: cases that began, what came of those that ended, and how they went.

    `refused` counts what was refused, cancelled or has expired; `failed` what ended otherwise.
    `incidents` and `escalations` count cases with at least one; half of those that ended took at
    most `median_seconds`.
    """

    begun: int
    running: int
    done: int
    refused: int
    failed: int
    incidents: int
    escalations: int
    median_seconds: int | None


@dataclass(frozen=True, slots=True)
class TrialOutcomes:
    """A trial under way, beside the version that is the rule for all other work."""

    process: str
    trial: Rollout
    version: int
    rule_digest: str
    rule_version: int
    since: datetime
    inside: Side
    outside: Side


def trial_outcomes(*, process: str, principal: Principal) -> TrialOutcomes | None:
    """Return what came of the trial of a flow since it began, or None when there is none.

    Raises:
        FlowUnknown: nothing of this name is published.
        FlowReadersOnly: the flows are not theirs to look at.
    """
    require_flow_reader(principal)
    rule = rollouts.rule_of(process)
    decided = rollouts.rollouts_of(process)
    if not decided or decided[0].is_rule or decided[0].share == 0:
        return None
    trial = decided[0]
    return TrialOutcomes(
        process=process,
        trial=trial,
        version=flow_of(trial.digest).version,
        rule_digest=rule.digest,
        rule_version=rule.version,
        since=trial.at,
        inside=_side(process, trial, is_inside=True),
        outside=_side(process, trial, is_inside=False),
    )


def _side(process: str, trial: Rollout, *, is_inside: bool) -> Side:
    given: _Given = {
        "process": process,
        "digest": trial.digest,
        "since": trial.at,
        "inside": is_inside,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH c AS (
                SELECT i.id, i.ended_at - i.started_at AS took, i.ended_at IS NULL AS is_running
                  FROM orch_instance i
                 WHERE i.process = %(process)s AND i.started_at >= %(since)s
                   AND (i.definition = %(digest)s) = %(inside)s
            )
            SELECT count(*), count(*) FILTER (WHERE is_running),
                   count(*) FILTER (WHERE EXISTS (
                       SELECT FROM orch_incident n WHERE n.instance_id = c.id)),
                   count(*) FILTER (WHERE EXISTS (
                       SELECT FROM orch_task t
                        WHERE t.instance_id = c.id AND t.warned_at IS NOT NULL)),
                   round(extract(epoch FROM
                       percentile_cont(0.5) WITHIN GROUP (ORDER BY took)))::bigint
              FROM c
            """,
            given,
        )
        begun, running, incidents, escalations, median = cursor.fetchone()
    ends = _ends(given)
    done, refused = ends[_DONE], sum(ends[each] for each in _REFUSED)
    return Side(
        begun=begun,
        running=running,
        done=done,
        refused=refused,
        failed=begun - running - done - refused,
        incidents=incidents,
        escalations=escalations,
        median_seconds=median,
    )


def _ends(given: _Given) -> Counter[str]:
    """Count the ended cases by the state their journey gives their end."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT definition, end_node, status, count(*) FROM orch_instance
             WHERE process = %(process)s AND started_at >= %(since)s AND ended_at IS NOT NULL
               AND (definition = %(digest)s) = %(inside)s
             GROUP BY definition, end_node, status
            """,
            given,
        )
        rows = cursor.fetchall()
    found: Counter[str] = Counter()
    for digest, end_node, status, count in rows:
        states = flow_of(digest).content.states
        # A flow that names no states is done when it came to its end.
        by_end = states.get(end_node or "") or (_DONE if status == "completed" else status)
        found[by_end] += count
    return found
