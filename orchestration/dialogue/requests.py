"""From a filled request to a running flow; what stands against it is said before it begins."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import intelligence.public
import nexus.public
from orchestration import act, context_graph, documents, journeys, reads
from orchestration.dialogue.cards import Card
from orchestration.dialogue.drafts import NOTHING, Draft
from orchestration.dialogue.filling import card_name, default_account, fill
from orchestration.dialogue.turns import Turn
from orchestration.durable import engine
from orchestration.durable.run import Listener
from orchestration.durable.starting import NewInstance
from orchestration.planning import rows as plan_rows
from orchestration.versions.rollouts import flow_to_start
from sentinel.vocabulary import Provenance, Source

_FIELD_BEHIND = {
    "insufficient_funds": "amount",
    "currency_mismatch": "amount",
    "iban_invalid": "payee",
    "account_unknown": "payee",
    "account_closed": "payee",
    "same_account": "payee",
}
# The cards on which a flow waits for whoever asked for it, and what is awaited then.
AWAITED = {"confirm_payment": "confirmation", "request": "purpose"}
NO_SLOTS = intelligence.public.Slots()


def go_on(turn: Turn, intent: str, named: intelligence.public.Slots = NO_SLOTS) -> None:
    """Fill a request from what was named, ask for what is missing, or begin its flow."""
    _journey, request = journeys.requests()[intent]
    assert request.flow is not None
    turn.draft = replace(turn.draft, intent=intent)
    filling = fill(request.slots, named, turn.draft, turn.speaker)
    turn.draft = filling.draft
    question = filling.question
    if question is None:
        _begin(turn, intent, request.flow)
        return
    if question.options:
        turn.voice.say(question.words)
        turn.choose(question.slot, question.words, question.options)
        return
    turn.draft = replace(turn.draft, awaiting=question.slot)
    turn.voice.say(question.words)


def _begin(turn: Turn, intent: str, process: str) -> None:
    if intent == "pay" and not _complete_payment(turn):
        return
    if "card_id" in turn.draft.values:
        _complete_block(turn)
    start_flow(turn, process)


def _complete_payment(turn: Turn) -> bool:
    """Add what the customer need not say; return False when the payment cannot be made."""
    draft = turn.draft
    if "debtor_account_id" not in draft.values:
        account = default_account(turn.customer_id)
        if account is None:
            turn.say("no_account")
            turn.draft = NOTHING
            return False
        source = Source(Provenance.SYSTEM_OF_RECORD, f"account:{account.account_id}")
        draft = draft.with_value("debtor_account_id", str(account.account_id), source)
    own = Source(Provenance.SYSTEM, "flow:send_money")
    day = act.booking_day() or turn.at.date()
    defaults = {
        "execution_date": day.isoformat(),
        "remittance": "",
        "fee": {"minor_units": 0, "currency": draft.values["amount"]["currency"]},
        "end_to_end_id": turn.new_id("end_to_end").hex[:20].upper(),
    }
    for name, value in defaults.items():
        if name not in draft.values:
            draft = draft.with_value(name, value, own)
    turn.draft = draft
    return _is_possible(turn)


def _is_possible(turn: Turn) -> bool:
    state = nexus.public.customer_state(customer_id=turn.customer_id)
    problem = reads.problem_of_payment(state, turn.draft.values)
    if problem is None:
        return True
    turn.voice.say(problem.words)
    slot = _FIELD_BEHIND.get(problem.code)
    if slot is None:
        turn.draft = NOTHING
        return False
    # What was wrong is asked for again; what the bank added is made anew then.
    wrong = ("amount",) if slot == "amount" else ("creditor_iban", "creditor_name")
    turn.draft = replace(
        turn.draft.without(*wrong, "fee", "end_to_end_id"), intent="pay", awaiting=slot
    )
    return False


def _complete_block(turn: Turn) -> None:
    state = nexus.public.customer_state(customer_id=turn.customer_id)
    wanted = turn.draft.values["card_id"]
    card = next((each for each in state.cards if str(each.card_id) == wanted), None)
    named = card_name(card) if card else "card"
    own = Source(Provenance.SYSTEM, "flow:block_card")
    turn.draft = turn.draft.with_value("reason", "customer_wish", own)
    turn.draft = turn.draft.with_value("card_name", named, own)


def start_flow(turn: Turn, process: str) -> None:
    """Begin a flow with what was put together, and give the turn what it says and shows."""
    draft = turn.draft
    instance_id = (
        turn.new_id("instance", process)
        if draft.plan_step is None
        else plan_rows.start_step(draft.plan_step)
    )
    listener = Listener(turn.conversation_id, turn.number)
    turn.case_id = engine.start(
        NewInstance(
            id=instance_id,
            flow=flow_to_start(
                process=process, instance_id=instance_id, roles=turn.principal.roles
            ),
            principal=turn.principal,
            variables={**draft.values, "sources": dict(draft.sources)},
            at=turn.at,
            customer_id=turn.customer_id,
            conversation_id=turn.conversation_id,
            is_by_name=True,
        ),
        listener,
    )
    if draft.document_id is not None:
        _file(turn, UUID(draft.document_id), turn.case_id)
    hear(turn, listener)
    turn.draft = as_it_waits(draft, instance_id, listener.cards)


def as_it_waits(draft: Draft, instance_id: UUID, shown: Sequence[Card]) -> Draft:
    """Return the draft of a flow that has just shown cards; nothing when it waits for nobody."""
    awaited = [AWAITED[card.kind] for card in shown if card.kind in AWAITED]
    if not awaited:
        return NOTHING
    return replace(draft, awaiting=awaited[-1], instance_id=str(instance_id))


def _file(turn: Turn, document_id: UUID, case_id: UUID) -> None:
    """Put the document a request came from into its case."""
    documents.file_under(document_id, case_id)
    context_graph.document_filed(
        case_id=case_id, document_id=document_id, customer_id=turn.customer_id, at=turn.at
    )


def hear(turn: Turn, listener: Listener) -> None:
    """Take over what a flow said and showed."""
    for sentence in listener.sentences:
        turn.voice.say(sentence)
    turn.cards += listener.cards
    positions = [
        str(card.details["position"]) for card in listener.cards if "position" in card.details
    ]
    turn.position = positions[-1] if positions else turn.position
    for card in listener.cards:
        turn.case_id = card.case_id or turn.case_id
