"""Which version new work gets: the rule, and beside it a trial for one team or a share of cases."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from orchestration.durable import statements
from orchestration.durable.definitions import PublishedFlow, current_flow, flow_of
from orchestration.versions.operations import Share, Team

WHOLE = 100


@dataclass(frozen=True, slots=True)
class Trial:
    """How much new work a version gets: a share of cases in per cent, and of one team if named."""

    share: Share = WHOLE
    team: Team = None


WHOLE_TRIAL = Trial()


@dataclass(frozen=True, slots=True)
class Rollout:
    """A version with its share of new work: per cent of cases, all of a team's, or both."""

    seq: int
    digest: str
    share: int
    team: str | None
    decision_id: UUID
    at: datetime

    @property
    def is_rule(self) -> bool:
        """Tell whether this version gets all new work."""
        return self.share == WHOLE and self.team is None


def rollouts_of(process: str) -> tuple[Rollout, ...]:
    """Return every decision on the versions of a flow, newest first."""
    rows = statements.run(
        "SELECT seq, digest, share, team, decision_id, at FROM orch_rollout"
        " WHERE process = %s ORDER BY seq DESC",
        [process],
    )
    return tuple(Rollout(*row) for row in rows)


def rule_of(process: str) -> PublishedFlow:
    """Return the version that is the rule for new work.

    It is the one last rolled out wholly; before any was, the one that was there before the first
    trial, or the newest.

    Raises:
        FlowUnknown: nothing of this name is published.
    """
    return _rule(process, rollouts_of(process))


def _rule(process: str, decided: tuple[Rollout, ...]) -> PublishedFlow:
    whole = next((each for each in decided if each.is_rule), None)
    if whole is not None:
        return flow_of(whole.digest)
    if decided:
        before = _before(process, decided[-1].digest)
        return flow_of(before) if before else current_flow(process)
    return current_flow(process)


def was_rule(flow: PublishedFlow) -> bool:
    """Tell whether a version has been the rule for new work at any time.

    Before anything was decided, the newest was.
    """
    decided = rollouts_of(flow.process)
    if any(each.is_rule and each.digest == flow.digest for each in decided):
        return True
    is_decided_on = any(each.digest == flow.digest for each in decided)
    return not is_decided_on and _is_older_than(flow, decided[-1].at) if decided else True


def _is_older_than(flow: PublishedFlow, at: datetime) -> bool:
    return bool(
        statements.run(
            "SELECT FROM orch_definition WHERE hash = %s AND published_at <= %s", [flow.digest, at]
        )
    )


def is_sole(process: str, digest: str) -> bool:
    """Tell whether a version gets all new work, without another on trial beside it."""
    decided = rollouts_of(process)
    if not decided:
        return rule_of(process).digest == digest
    return decided[0].is_rule and decided[0].digest == digest


def trial_of(process: str, digest: str) -> Rollout | None:
    """Return the trial under way of a version, if there is one."""
    decided = rollouts_of(process)
    if decided and decided[0].digest == digest and not decided[0].is_rule:
        return decided[0]
    return None


@dataclass(frozen=True, slots=True)
class Allotment:
    """Which versions new work of one flow gets now: the rule, or the one on trial beside it."""

    rule: PublishedFlow
    trial: Rollout | None = None
    tried: PublishedFlow | None = None

    def flow_for(self, instance_id: UUID, roles: tuple[str, ...] = ()) -> PublishedFlow:
        """Return the version an instance gets that somebody with these roles begins."""
        if self.trial is None or self.tried is None:
            return self.rule
        return self.tried if _is_in_trial(self.trial, instance_id, roles) else self.rule


def allotment_of(process: str) -> Allotment:
    """Return which versions new work gets, looked up once for however many instances.

    Raises:
        FlowUnknown: nothing of this name is published.
    """
    decided = rollouts_of(process)
    rule = _rule(process, decided)
    if not decided or decided[0].is_rule:
        return Allotment(rule)
    return Allotment(rule, decided[0], flow_of(decided[0].digest))


def flow_to_start(*, process: str, instance_id: UUID, roles: tuple[str, ...] = ()) -> PublishedFlow:
    """Return the version a new instance gets; asked again for the same instance, the same one.

    Raises:
        FlowUnknown: nothing of this name is published.
    """
    return allotment_of(process).flow_for(instance_id, roles)


def _is_in_trial(trial: Rollout, instance_id: UUID, roles: tuple[str, ...]) -> bool:
    """Tell whether an instance falls into a trial: by its team if one is named, then by chance."""
    if trial.team is not None and trial.team not in roles:
        return False
    return bucket(trial.digest, instance_id) < trial.share


def bucket(digest: str, instance_id: UUID) -> int:
    """Return a number from 0 to 99 that an instance always has for a version."""
    drawn = hashlib.sha256(f"{digest}|{instance_id}".encode()).digest()
    return int.from_bytes(drawn[:4]) % WHOLE


def _before(process: str, digest: str) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hash FROM orch_definition WHERE process = %(process)s AND version <"
            " (SELECT version FROM orch_definition WHERE hash = %(digest)s)"
            " ORDER BY version DESC LIMIT 1",
            {"process": process, "digest": digest},
        )
        row = cursor.fetchone()
    return str(row[0]) if row else None


def write_rollout(
    *, process: str, digest: str, share: int, team: str | None, decision_id: UUID, at: datetime
) -> None:
    """Note a decision on a version's share of new work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(frontline_entity() || %s, 4712))",
            [process],
        )
        cursor.execute(
            """
            INSERT INTO orch_rollout (process, seq, digest, share, team, decision_id, at)
            SELECT %(process)s, coalesce(max(seq), 0) + 1, %(digest)s, %(share)s, %(team)s,
                   %(decision)s, %(at)s
              FROM orch_rollout WHERE process = %(process)s
            """,
            {
                "process": process,
                "digest": digest,
                "share": share,
                "team": team,
                "decision": decision_id,
                "at": at,
            },
        )
