"""Whether each step of a plan would be permitted now, as far as that can be told beforehand.

Sentinel is asked about every action the flow of a step performs, as its drawing in force says, and
decides nothing. What is not known yet is put in at its most harmless: the customer's own account,
the smallest amount, an active card, no risk of fraud. A step that would be refused even so need not
begin; where the refusal of a part leaves the rest to a colleague, the card of the plan says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import nexus.public
import sentinel.public
from orchestration import act, actions, journeys
from orchestration.bpmn.expressions import expression_of
from orchestration.bpmn.model import Node
from orchestration.dialogue.filling import default_account
from orchestration.durable.definitions import PublishedFlow
from orchestration.plain import feel_mapping, plain_mapping
from orchestration.planning.checking import Fault
from orchestration.planning.effects import Effect, effects_of
from orchestration.planning.kinds import request_of
from orchestration.planning.rows import PlannedTask
from orchestration.step_results import StepContext
from orchestration.versions.rollouts import flow_to_start
from orchestration.wording import filled
from sentinel.vocabulary import Principal, Provenance, Source, Verdict

_OWN = Source(Provenance.SYSTEM, "plan")
_REFERENCE = "foreseen"
# What a customer must have for a slot of this type, and the words when they have none.
_LACKS = {"card": "plan_no_card", "account": "no_account"}


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom a plan is looked at, and when."""

    principal: Principal
    customer_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Foresight:
    """The steps that would be refused, and the plan with a warning where a part would be."""

    faults: tuple[Fault, ...]
    tasks: tuple[PlannedTask, ...]


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was found out about one step: why it is refused, or what of it is; empty if nothing."""

    refusal: str = ""
    warnings: list[str] = field(default_factory=list)


def foresee(tasks: Sequence[PlannedTask], asker: Asker) -> Foresight:
    """Ask about every step, and say in words for the customer what would be refused."""
    faults, seen = [], []
    for index, planned in enumerate(tasks):
        looked = _look(planned, asker)
        if looked.refusal:
            values = {"label": planned.label, "reason": looked.refusal}
            said = filled(journeys.words("plan_not_permitted"), values)
            faults.append(Fault("not_permitted", f"tasks[{index}]", said))
        seen.append(replace(planned, warning=" ".join(looked.warnings)))
    return Foresight(tuple(faults), tuple(seen))


def _look(planned: PlannedTask, asker: Asker) -> _Looked:
    request = request_of(planned.task.kind)
    if request.flow is None:
        return _Looked()
    variables = _likely(planned, asker)
    for slot in request.slots.values():
        if slot.type in _LACKS and not any(variables.get(each) for each in slot.fills.values()):
            return _Looked(journeys.words(_LACKS[slot.type]))
    flow = _flow(request.flow, asker)
    looked = _Looked()
    for effect in effects_of(flow):
        words = _refusal(effect, flow, variables, asker)
        if words and effect.is_needed:
            return _Looked(words)
        if words:
            looked.warnings.append(filled(journeys.words("plan_part_refused"), {"reason": words}))
    return looked


def _flow(process: str, asker: Asker) -> PublishedFlow:
    instance_id = uuid5(asker.customer_id, f"{_REFERENCE}|{process}")
    return flow_to_start(process=process, instance_id=instance_id, roles=asker.principal.roles)


def _refusal(
    effect: Effect, flow: PublishedFlow, variables: Mapping[str, object], asker: Asker
) -> str:
    """Return why an action would be refused; nothing where that cannot be told beforehand."""
    inputs = _inputs(effect.node, flow, variables, asker.at)
    parameters = inputs.get("parameters")
    if not isinstance(parameters, Mapping) or None in parameters.values():
        # What it acts on is only found on the way: its own flow asks.
        return ""
    context = StepContext(
        instance_id=UUID(int=0),
        node=effect.node.id,
        visit=0,
        case_id=UUID(int=0),
        customer_id=asker.customer_id,
        principal=asker.principal,
        purpose=flow.content.purpose,
        at=asker.at,
    )
    action, facts = actions.proposal_of(effect.kind, context, inputs, _REFERENCE)
    foreseen = sentinel.public.foresee(
        action=replace(action, sources=dict.fromkeys(parameters, _OWN)),
        principal=asker.principal,
        facts=facts,
        purpose=flow.content.purpose,
        at=asker.at,
    )
    if foreseen.verdict is not Verdict.DENY:
        return ""
    return foreseen.reasons[0].customer if foreseen.reasons else ""


def _inputs(
    node: Node, flow: PublishedFlow, variables: Mapping[str, object], at: datetime
) -> dict[str, object]:
    """Compute what a step would be given, as its drawing says."""
    seen = feel_mapping(variables)
    found: dict[str, Any] = {}
    for each in node.work.inputs:
        feel = expression_of(each.value) if each.value is not None else None
        if each.value is None:
            found[each.name] = seen.get(each.name)
        elif feel is None:
            found[each.name] = each.value
        else:
            found[each.name] = flow.definition.expressions[feel].evaluate(seen, at=at).value
    return plain_mapping(found)


def _likely(planned: PlannedTask, asker: Asker) -> dict[str, object]:
    """Return what the flow of a step would begin with, and what its models would say at best."""
    account = default_account(asker.customer_id)
    day = act.booking_day() or asker.at.date()
    currency = account.currency if account else "EUR"
    by_type: dict[str, tuple[object, ...]] = {
        "account": (str(account.account_id) if account else None,),
        "payee": ("-", account.iban if account else None),
        "amount": ({"minor_units": 1, "currency": currency},),
        "date": (day.isoformat(),),
        "text": ("",),
        "card": (_active_card(asker.customer_id),),
    }
    slots = request_of(planned.task.kind).slots.values()
    asked = {
        name: value
        for slot in slots
        for name, value in zip(_targets(slot.fills), by_type[slot.type], strict=True)
    }
    return {**_added(currency, asker), **asked, **planned.values}


def _targets(fills: Mapping[str, str]) -> tuple[str, ...]:
    """Return the parameters a slot fills, the name of a payee before their number."""
    return tuple(fills[part] for part in sorted(fills, key=lambda part: part != "name"))


def _added(currency: str, asker: Asker) -> dict[str, object]:
    """Return what the bank itself adds to a request, and what is found out on the way, at best."""
    return {
        "customer_id": str(asker.customer_id),
        "fee": {"minor_units": 0, "currency": currency},
        "end_to_end_id": _REFERENCE.upper(),
        "reason": "customer_wish",
        "sources": {},
        "fraud": {
            "reference": _REFERENCE,
            "scored_at": asker.at.isoformat(),
            "score_permille": 0,
            "band": "low",
        },
    }


def _active_card(customer_id: UUID) -> str | None:
    state = nexus.public.customer_state(customer_id=customer_id)
    return next((str(each.card_id) for each in state.cards if each.status == "active"), None)
