"""`action:<kind>` steps: from what a flow knows to a proposed action, and back to the drawing."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

import nexus.public
from orchestration import act, context_graph, evidence, letters, orders
from orchestration.act import Acted
from orchestration.effects import rows
from orchestration.provenance import sources_of
from orchestration.step_results import (
    Answered,
    NotDone,
    Outside,
    Parked,
    Refused,
    StepContext,
    StepResult,
    StepUnavailable,
)
from sentinel.vocabulary import Action, Fact, OutcomeKind, Verdict

FactCollector = Callable[
    [Mapping[str, object], StepContext, Mapping[str, object]], tuple[Fact, ...]
]


def call_action(kind: str, context: StepContext, inputs: Mapping[str, object]) -> StepResult:
    """Propose an action and, if Sentinel permits, do it.

    Inputs: `parameters` and `sources` of the action, `resource`, and what earlier steps found.
    What a system outside must do is only asked for here; its answer comes in a later commit.
    """
    if act.is_outside(kind):
        return _asked_outside(kind, context, inputs)
    action, facts = proposal_of(kind, context, inputs, context.key)
    acted = act.perform_action(
        action=action,
        principal=context.principal,
        purpose=context.purpose,
        facts=facts,
        at=context.at,
        seconds_left=context.seconds_left,
    )
    decided(acted, context)
    return undecided(acted, context) if acted.outcome is None else _ended(acted)


def proposal_of(
    kind: str, context: StepContext, inputs: Mapping[str, object], key: str
) -> tuple[Action, tuple[Fact, ...]]:
    """Return the action a step proposes, and the facts it rests on, as they are now."""
    parameters = _object(inputs.get("parameters"))
    sources = sources_of(_object(inputs.get("sources")), context)
    action = Action(
        kind=kind,
        parameters=parameters,
        resource=str(inputs.get("resource", "")),
        case_id=context.case_id,
        idempotency_key=key,
        sources={name: source for name, source in sources.items() if name in parameters},
    )
    collect = _FACTS.get(kind)
    return action, collect(parameters, context, inputs) if collect else ()


def decided(acted: Acted, context: StepContext) -> None:
    """Put a decision where the case can be seen whole."""
    context_graph.decided(
        case_id=context.case_id,
        decision_id=acted.decision.id,
        customer_id=context.customer_id,
        verdict=acted.decision.verdict.value,
        at=context.at,
    )


def _asked_outside(kind: str, context: StepContext, inputs: Mapping[str, object]) -> StepResult:
    """Return what a system outside answered, or ask for it, in the commit of the step."""
    place = rows.Place(context.instance_id, context.node, context.visit)
    given = rows.take_answer(place)
    if given is None:
        rows.want(place, kind, inputs)
        return Outside()
    values = given.values
    match given.kind:
        case "answered":
            return Answered(values["output"])
        case "refused":
            return Refused(values["code"], values["words"], values["output"])
        case "parked":
            return Parked(
                values["waits_for"],
                UUID(values["reference"]),
                UUID(values["decision_id"]),
                values["words"],
            )
    return NotDone(values["code"])


def undecided(acted: Acted, context: StepContext) -> StepResult:
    """Say what is missing: the customer hears the first reason, staff see them all."""
    decision = acted.decision
    first = context.reasons_first
    ranked = sorted(decision.reasons, key=lambda reason: reason.policy_id not in first)
    words = ranked[0].customer if ranked else ""
    if decision.verdict is Verdict.NEEDS_APPROVAL and decision.approval_request_id:
        staff = " ".join(reason.staff for reason in ranked)
        return Parked("approval", decision.approval_request_id, decision.id, staff)
    if decision.verdict is Verdict.NEEDS_STEP_UP and decision.challenge_id:
        return Parked("step_up", decision.challenge_id, decision.id, words)
    reasons = [
        {"policy_id": reason.policy_id, "customer": reason.customer, "staff": reason.staff}
        for reason in ranked
    ]
    output = {"decision_id": str(decision.id), "remedy": decision.remedy, "reasons": reasons}
    return Refused("denied", words, output)


def _ended(acted: Acted) -> StepResult:
    outcome = acted.outcome
    assert outcome is not None
    found: dict[str, object] = {
        "decision_id": str(acted.decision.id),
        "code": outcome.code,
        "reference": outcome.reference,
        "position": outcome.position,
        "words": outcome.words,
    }
    match outcome.kind:
        case OutcomeKind.DONE:
            return Answered(found)
        case OutcomeKind.UNKNOWN:
            raise StepUnavailable(outcome.code)
    return Refused("core_refused", outcome.words, found)


def _transfer_facts(
    parameters: Mapping[str, object], context: StepContext, inputs: Mapping[str, object]
) -> tuple[Fact, ...]:
    if context.customer_id is None:
        return ()
    return evidence.payment_facts(
        parameters=parameters, customer_id=context.customer_id, given=inputs, at=context.at
    )


def _card_facts(
    parameters: Mapping[str, object], context: StepContext, _inputs: Mapping[str, object]
) -> tuple[Fact, ...]:
    if context.customer_id is None:
        return ()
    return card_facts(context.customer_id, str(parameters.get("card_id")), context.at)


def _stop_facts(
    parameters: Mapping[str, object], context: StepContext, _inputs: Mapping[str, object]
) -> tuple[Fact, ...]:
    """Return whose card it is: one that is blocked here is to be stopped elsewhere all the same."""
    if context.customer_id is None:
        return ()
    found = card_facts(context.customer_id, str(parameters.get("card_id")), context.at)
    return tuple(fact for fact in found if fact.name != "card_status")


def card_facts(customer_id: UUID, card_id: str, at: datetime) -> tuple[Fact, ...]:
    """Return whose card it is and how it stands."""
    state = nexus.public.customer_state(customer_id=customer_id)
    card = next((each for each in state.cards if str(each.card_id) == card_id), None)
    source = f"nexus_fact:card:{card_id}"
    person = f"nexus_fact:party:{customer_id}"
    return (
        Fact("own_card", card is not None, source, at),
        Fact("card_status", card.status if card else "unknown", source, at),
        Fact("customer_status", str(state.party.get("status", "unknown")), person, at),
    )


_FACTS: Mapping[str, FactCollector] = {
    "accounts.set_status": orders.account_facts,
    "messages.send": letters.reply_facts,
    "payments.hold": _transfer_facts,
    "payments.transfer": _transfer_facts,
    "cards.block": _card_facts,
    "cards.stop": _stop_facts,
}


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
