"""Carrying out what was decided about versions: redeemed here, at the layer's own door."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from pydantic import BaseModel

import sentinel.public
from orchestration.act import ChangeRefused
from orchestration.bpmn import DrawingRefused
from orchestration.durable.definitions import FlowUnknown, PublishedFlow, flow_of
from orchestration.durable.publication import publish
from orchestration.versions import proposals, rollouts
from orchestration.versions.cyclic_calls import refuse_cyclic_calls
from orchestration.versions.dry_runs import dry_run, hash_of
from orchestration.versions.operations import AUDIENCE, MigrateFlow, PublishFlow, RollOutFlow
from sentinel.vocabulary import Action, DecisionToken, Outcome, OutcomeKind


@dataclass(frozen=True, slots=True)
class _Done:
    code: str
    reference: str
    words: str


def execute(*, action: Action, token: DecisionToken, at: datetime) -> Outcome:
    """Make a permitted change to the versions of a flow, once, and record its outcome.

    Call it in a transaction. When it raises, neither is the token spent nor has anything changed.

    Raises:
        sentinel.public.TokenRefused: the token does not permit this action.
        ChangeRefused: what was decided no longer fits what is published.
    """
    with transaction.atomic():
        redemption = sentinel.public.redeem(token=token, action=action, audience=AUDIENCE)
        done = _carry_out(redemption.parameters, redemption.decision_id, at)
        return sentinel.public.record_outcome(
            decision_id=redemption.decision_id,
            kind=OutcomeKind.DONE,
            code=done.code,
            reference=done.reference,
            position="",
            words=done.words,
        )


def _carry_out(parameters: BaseModel, decision_id: UUID, at: datetime) -> _Done:
    match parameters:
        case PublishFlow():
            return _publish(parameters, decision_id, at)
        case RollOutFlow():
            return _roll_out(parameters, decision_id, at)
        case MigrateFlow():
            return _ask_to_move(parameters, decision_id, at)
    raise ChangeRefused("change_unknown", "There is no such change.")


def _publish(wanted: PublishFlow, decision_id: UUID, at: datetime) -> _Done:
    proposal = proposals.read_proposal(wanted.proposal_id)
    if (proposal.digest, proposal.report_hash) != (wanted.digest, wanted.report_hash):
        raise ChangeRefused("proposal_differs", "What was approved is not what was proposed.")
    if _in_force(wanted.process) != wanted.base:
        words = "Another version has become the rule since this was proposed."
        raise ChangeRefused("base_has_moved", words)
    source = proposals.source_of(wanted.proposal_id)
    try:
        # Another flow may have come to call this one since it was proposed.
        refuse_cyclic_calls(source)
    except DrawingRefused as refused:
        raise ChangeRefused(refused.code, str(refused)) from refused
    flow = publish(source)
    _note_rollout(wanted, decision_id, at)
    words = f"Version {flow.version} of {flow.process} is published."
    return _Done("published", flow.digest, words)


def _in_force(process: str) -> str:
    try:
        return rollouts.rule_of(process).digest
    except FlowUnknown:
        return proposals.NEW_FLOW


def _roll_out(wanted: RollOutFlow, decision_id: UUID, at: datetime) -> _Done:
    flow = _published(wanted.digest, wanted.process)
    _note_rollout(wanted, decision_id, at)
    whom = f" of the team {wanted.team}" if wanted.team else ""
    words = f"Version {flow.version} of {flow.process} gets {wanted.share} % of new work{whom}."
    return _Done("rolled_out", wanted.digest, words)


def _note_rollout(wanted: PublishFlow | RollOutFlow, decision_id: UUID, at: datetime) -> None:
    rollouts.write_rollout(
        process=wanted.process,
        digest=wanted.digest,
        share=wanted.share,
        team=wanted.team,
        decision_id=decision_id,
        at=at,
    )


def _ask_to_move(wanted: MigrateFlow, decision_id: UUID, at: datetime) -> _Done:
    """Put the running instances that were agreed to on the list of those to be moved.

    Raises:
        ChangeRefused: others are running now, or another verdict is found for one of them.
    """
    old = _published(wanted.old_digest, wanted.process)
    flow = _published(wanted.new_digest, wanted.process)
    _require_as_agreed(wanted, old, flow)
    asked = _write_moves(wanted, wanted.mapping, decision_id, at)
    words = f"{asked} running cases go on in version {flow.version} of {flow.process}."
    return _Done("moving", wanted.new_digest, words)


def _require_as_agreed(wanted: MigrateFlow, old: PublishedFlow, new: PublishedFlow) -> None:
    """Judge the running instances again: it must come out as it did when it was agreed to."""
    verdicts = dry_run(
        old_digest=wanted.old_digest,
        old=old.definition,
        new=new.definition,
        mapping=wanted.mapping,
    )
    running = sorted(each.instance_id for each in verdicts)
    if running != sorted(wanted.instances):
        words = "Other cases are running in that version now than those that were agreed to."
        raise ChangeRefused("cases_differ", words)
    if hash_of(verdicts, wanted.mapping) != wanted.report_hash:
        words = "What would become of a case is no longer what was agreed to."
        raise ChangeRefused("report_differs", words)


def _write_moves(
    wanted: MigrateFlow, mapping: Mapping[str, str], decision_id: UUID, at: datetime
) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orch_move (instance_id, decision_id, old_digest, new_digest, mapping,
                   moved_by, asked_at)
            SELECT id, %(decision)s, %(old)s, %(new)s, %(mapping)s, %(by)s, %(at)s
              FROM orch_instance
             WHERE definition = %(old)s AND ended_at IS NULL AND id = ANY(%(agreed)s)
            """,
            {
                "agreed": list(wanted.instances),
                "decision": decision_id,
                "old": wanted.old_digest,
                "new": wanted.new_digest,
                "mapping": json.dumps(mapping, sort_keys=True),
                "by": f"decision:{decision_id}",
                "at": at,
            },
        )
        return int(cursor.rowcount)


def _published(digest: str, process: str) -> PublishedFlow:
    try:
        flow = flow_of(digest)
    except FlowUnknown as error:
        raise ChangeRefused("version_unknown", "There is no such version.") from error
    if flow.process != process:
        raise ChangeRefused("version_unknown", "This is a version of another flow.")
    return flow
