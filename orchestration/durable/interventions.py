"""Putting a case right by hand: steps, variables and places of it, and effects a restore held.

Each is a catalogued action of this layer: proposed by one person with a reason, approved by another
through Sentinel, redeemed here in the transaction that moves the instance, and kept in its history.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

import sentinel.public
from orchestration import act, cases
from orchestration.durable import overtaken, statements, store
from orchestration.durable.definitions import flow_of
from orchestration.durable.intervention_kinds import words_of
from orchestration.durable.putting_right import InterventionRefused, held_values
from orchestration.durable.starting import need_case, principal_from, principal_text
from orchestration.effects import held
from orchestration.plain import plain_mapping
from orchestration.worklist import clocks
from orchestration.worklist.approving import open_approval
from sentinel.vocabulary import (
    Action,
    Outcome,
    OutcomeKind,
    Principal,
    Provenance,
    Source,
)


@dataclass(frozen=True, slots=True)
class Intervention:
    """Something asked for by hand.

    `state` is waiting (for a second person), done, denied, or overtaken: the case had moved on or
    ended before it was agreed to, so that nothing was done.
    """

    id: UUID
    instance_id: UUID
    kind: str
    state: str
    request_id: UUID | None


def pass_over(
    *,
    incident_id: UUID,
    principal: Principal,
    output: Mapping[str, object],
    reason: str,
    at: datetime,
) -> Intervention:
    """Ask to go on as if the step of an incident had been done; a second person must agree.

    Raises:
        InterventionRefused: the incident is not open, or no flow can hold the output.
    """
    found = statements.run(
        "SELECT instance_id FROM orch_incident WHERE id = %s AND resolved_at IS NULL", [incident_id]
    )
    if not found:
        raise InterventionRefused(str(incident_id), "incident_not_open")
    held_values(str(found[0][0]), output)
    parameters = {
        "instance_id": str(found[0][0]),
        "incident_id": str(incident_id),
        "output": json.dumps(output, sort_keys=True),
        "reason": reason,
    }
    return _ask("flows.pass_over", found[0][0], parameters, principal, at)


def change_instance(
    *,
    instance_id: UUID,
    principal: Principal,
    variables: Mapping[str, object],
    moves: Mapping[str, str],
    reason: str,
    at: datetime,
) -> Intervention:
    """Ask to correct variables, or to move tokens (token to node); a second person must agree.

    Raises:
        InstanceUnknown: there is none with this id.
        InterventionRefused: it has ended, has no such token or node, or cannot hold the values.
    """
    row = store.read_instance(instance_id)
    if row.state.is_ended:
        raise InterventionRefused(str(instance_id), "already_ended")
    if not {*moves} <= {token.id for token in row.state.tokens}:
        raise InterventionRefused(str(instance_id), "unknown_token")
    held_values(str(instance_id), variables)
    parameters = {
        "instance_id": str(instance_id),
        "variables": json.dumps(variables, sort_keys=True),
        "moves": json.dumps(moves, sort_keys=True),
        "reason": reason,
    }
    return _ask("flows.change", instance_id, parameters, principal, at)


def release_held(
    *, instance_id: UUID, principal: Principal, reason: str, at: datetime
) -> Intervention:
    """Ask to let go on what a restore held of an instance; a second person must agree.

    Raises:
        InterventionRefused: nothing of it is held.
    """
    found = held.held_of(instance_id)
    if not found:
        raise InterventionRefused(str(instance_id), "nothing_held")
    parameters = {
        "instance_id": str(instance_id),
        "effects": json.dumps(found),
        "reason": reason,
    }
    return _ask("flows.release_held", instance_id, parameters, principal, at)


def intervention(intervention_id: UUID) -> Intervention:
    """Return how something asked for by hand stands."""
    ((instance_id, kind, request_id, decision_id, done_at),) = statements.run(
        "SELECT instance_id, kind, request_id, decision_id, done_at FROM orch_intervention"
        " WHERE id = %s",
        [intervention_id],
    )
    # What was concluded without a decision was overtaken before it came to one.
    state = "waiting" if done_at is None else "overtaken"
    if decision_id is not None:
        outcome = sentinel.public.outcome_of(decision_id=decision_id)
        state = _state_of(outcome)
    return Intervention(intervention_id, instance_id, kind, state, request_id)


def _ask(
    kind: str,
    instance_id: UUID,
    parameters: Mapping[str, str],
    principal: Principal,
    at: datetime,
) -> Intervention:
    said = json.dumps({"parameters": parameters, "principal": principal_text(principal)})
    asked = uuid5(instance_id, f"{kind}|{said}|{at.isoformat()}")
    with transaction.atomic():
        row = store.lock_instance(instance_id, is_waiting=True)
        if row is not None and row.state.is_ended and kind != "flows.release_held":
            # It ended while this was being asked: no end would overtake the question any more.
            raise InterventionRefused(str(instance_id), "already_ended")
        statements.count(
            "INSERT INTO orch_intervention (id, instance_id, incident_id, kind, details, reason,"
            " asked_by, asked_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (id) DO NOTHING",
            [
                asked,
                instance_id,
                parameters.get("incident_id"),
                kind,
                said,
                parameters["reason"],
                principal.id,
                at,
            ],
        )
        return _perform(asked, at)


def _perform(intervention_id: UUID, at: datetime) -> Intervention:
    """Ask Sentinel; do it, wait for a second person, or note that it may not be done."""
    ((instance_id, kind, said),) = statements.run(
        "SELECT instance_id, kind, details FROM orch_intervention WHERE id = %s FOR UPDATE",
        [intervention_id],
    )
    kept = json.loads(said)
    principal = principal_from(kept["principal"])
    row = store.lock_instance(instance_id, is_waiting=True)
    if row is None:
        raise store.InstanceUnknown(str(instance_id))
    # In hand from here on: an end that it brings about itself does not overtake it.
    statements.count(
        "UPDATE orch_intervention SET done_at = %s WHERE id = %s", [at, intervention_id]
    )
    source = Source(Provenance.EMPLOYEE_CONFIRMED, f"intervention:{intervention_id}")
    acted = act.perform_action(
        action=Action(
            kind=kind,
            parameters=kept["parameters"],
            resource=f"instance:{instance_id}",
            case_id=row.case_id,
            idempotency_key=f"intervention:{intervention_id}",
            sources=dict.fromkeys(kept["parameters"], source),
        ),
        principal=principal,
        purpose="operations",
        facts=(),
        at=at,
    )
    request_id = acted.decision.approval_request_id
    if acted.outcome is None and request_id is not None:
        _open_question(row, intervention_id, request_id, kept["parameters"], at)
        return Intervention(intervention_id, instance_id, kind, "waiting", request_id)
    state = _state_of(acted.outcome)
    statements.count(
        "UPDATE orch_intervention SET decision_id = %s WHERE id = %s",
        [acted.decision.id, intervention_id],
    )
    said_of_it = {
        "done": f"Put right by hand: {kept['parameters']['reason']}",
        "denied": f"Not put right by hand: {acted.decision.verdict}",
        "overtaken": f"Not put right by hand: {acted.outcome.words if acted.outcome else ''}",
    }[state]
    note = cases.Note(at, principal.id, "intervention", said_of_it, str(intervention_id))
    cases.add_note(row.case_id, note)
    return Intervention(intervention_id, instance_id, kind, state, request_id)


def _state_of(outcome: Outcome | None) -> str:
    if outcome is None:
        return "denied"
    return "done" if outcome.kind is OutcomeKind.DONE else "overtaken"


def _open_question(
    row: store.InstanceRow,
    intervention_id: UUID,
    request_id: UUID,
    parameters: Mapping[str, str],
    at: datetime,
) -> None:
    statements.count(
        "UPDATE orch_intervention SET request_id = %s, done_at = NULL WHERE id = %s",
        [request_id, intervention_id],
    )
    need_case(row, flow_of(row.definition), plain_mapping(row.state.variables), at)
    open_approval(
        task_id=overtaken.approval_task(intervention_id),
        request_id=request_id,
        row=row,
        node="intervention",
        title="Approve: put a case right by hand",
        words=words_of(parameters),
        allowance=clocks.SECOND_PERSON,
        at=at,
    )


def answered(*, request_id: UUID, by: str, at: datetime) -> bool:
    """Carry out what a second person has agreed to; False when the request is not one of these.

    When the case has moved on meanwhile, nothing is done, and both people are told.
    """
    with transaction.atomic():
        found = statements.run(
            "SELECT id, asked_by FROM orch_intervention WHERE request_id = %s AND done_at IS NULL",
            [request_id],
        )
        for intervention_id, asked_by in found:
            made = _perform(intervention_id, at)
            if made.state == "overtaken":
                case_id = store.read_instance(made.instance_id).case_id
                overtaken.tell(made.id, case_id, (asked_by, by), at)
    return bool(found)
