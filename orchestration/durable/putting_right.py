"""What two people agreed to is done to an instance: redeemed, made and recorded in one commit."""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

import sentinel.public
from orchestration import act
from orchestration.core.events import (
    Event,
    IncidentResolved,
    Resolution,
    TokenMoved,
    VariablesCorrected,
)
from orchestration.durable import engine, incidents, store
from orchestration.durable.intervention_kinds import AUDIENCE, Change, PassOver, ReleaseHeld
from orchestration.effects import held
from orchestration.feel.values import Context, ValueNotFeel
from orchestration.plain import feel_mapping
from sentinel.vocabulary import Action, DecisionToken, Outcome, OutcomeKind


class InterventionRefused(RuntimeError):
    """What was asked for cannot be done to the instance as it is; nothing has moved."""

    code = "intervention_refused"
    is_retryable = False

    def __init__(self, instance_id: str, reason: str) -> None:
        super().__init__(instance_id, reason)
        self.instance_id, self.reason = instance_id, reason


def held_values(instance_id: str, values: Mapping[str, object]) -> Context:
    """Return values as a flow holds them; a number without end is refused."""
    try:
        return feel_mapping(values)
    except (ValueNotFeel, RecursionError) as error:
        raise InterventionRefused(instance_id, "value_not_held") from error


def carry_out(*, action: Action, token: DecisionToken, at: datetime) -> Outcome:
    """Do what a token permits, once, and record its outcome.

    Raises:
        sentinel.public.TokenRefused: the token does not permit this action.
        ChangeRefused: the instance has moved on meanwhile; nothing was done.
    """
    try:
        return _carried_out(action, token, at)
    except InterventionRefused as refused:
        reason = refused.reason.replace("_", " ")
        words = f"The case has moved on meanwhile ({reason}), so nothing was done."
        raise act.ChangeRefused("overtaken", words) from refused


def _carried_out(action: Action, token: DecisionToken, at: datetime) -> Outcome:
    with transaction.atomic():
        redemption = sentinel.public.redeem(token=token, action=action, audience=AUDIENCE)
        parameters = redemption.parameters
        match parameters:
            case PassOver():
                _pass(parameters, redemption.decision_id, at)
            case ReleaseHeld():
                _release(parameters)
            case _:
                assert isinstance(parameters, Change)
                _change(parameters, redemption.decision_id, at)
        return sentinel.public.record_outcome(
            decision_id=redemption.decision_id,
            kind=OutcomeKind.DONE,
            code="put_right",
            reference=f"decision:{redemption.decision_id}",
            words="It was put right by hand.",
        )


def _pass(parameters: PassOver, decision_id: UUID, at: datetime) -> None:
    by = f"decision:{decision_id}"
    settled = incidents.settle(UUID(parameters.incident_id), by=by, resolution="passed_over", at=at)
    if settled is None:
        raise InterventionRefused(parameters.instance_id, "incident_not_open")
    instance_id, token = settled
    output = held_values(parameters.instance_id, json.loads(parameters.output))
    event = IncidentResolved(token, Resolution.COMPLETE, output, resolved_by=by)
    _let_happen(instance_id, decision_id, "passed_over", event, at)


def _change(parameters: Change, decision_id: UUID, at: datetime) -> None:
    instance_id, by = UUID(parameters.instance_id), f"decision:{decision_id}"
    variables = held_values(parameters.instance_id, json.loads(parameters.variables))
    if variables:
        event = VariablesCorrected(variables, corrected_by=by)
        _let_happen(instance_id, decision_id, "variables", event, at)
    for token, node in sorted(json.loads(parameters.moves).items()):
        moved = TokenMoved(token, node, moved_by=by)
        _let_happen(instance_id, decision_id, f"moved|{token}", moved, at)


def _release(parameters: ReleaseHeld) -> None:
    """Let exactly what was agreed to go on."""
    if held.let_go(UUID(parameters.instance_id)) != json.loads(parameters.effects):
        raise InterventionRefused(parameters.instance_id, "other_effects_are_held")


def _let_happen(
    instance_id: UUID, decision_id: UUID, what: str, event: Event, at: datetime
) -> None:
    """Let one event happen now.

    Raises:
        InterventionRefused: the instance does not take it any more.
    """
    message_id = uuid5(decision_id, what)
    engine.interrupt(instance_id=instance_id, message_id=message_id, event=event, at=at)
    last = next(line for line in reversed(store.history_of(instance_id)) if line.event == event)
    if last.ignored is not None:
        raise InterventionRefused(str(instance_id), last.ignored)
