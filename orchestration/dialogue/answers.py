"""Requests answered at once: balance, spending, where a payment is, and a person."""

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date
from uuid import UUID

import intelligence.public
from orchestration import cases, journeys, reads
from orchestration.dialogue import payments
from orchestration.dialogue.turns import Turn
from orchestration.step_results import StepContext
from orchestration.wording import date_words, filled, money_words
from orchestration.worklist import assigning, clocks, rows

HANDOFF_FORM = {
    "type": "object",
    "title": "Take over the conversation",
    "properties": {
        "result": {"type": "string", "title": "What was done", "minLength": 3, "maxLength": 500}
    },
    "required": ["result"],
}
_ADVISER = "adviser"

Reader = Callable[[Turn, intelligence.public.Slots], None]


def answer_read(turn: Turn, name: str, named: intelligence.public.Slots) -> None:
    """Answer a request that needs no flow."""
    _READERS[name](turn, named)


def _balance(turn: Turn, _named: intelligence.public.Slots) -> None:
    found = reads.balance(_context(turn), {}).output
    turn.say("balance")
    turn.show("balance", found)


def _spending(turn: Turn, named: intelligence.public.Slots) -> None:
    first, last, words = _period(turn, named)
    category = named.category.value if named.category else None
    inputs = {"since": first.isoformat(), "until": last.isoformat(), "category": category}
    found = reads.spending(_context(turn), inputs).output
    lines = found["lines"]
    if not lines:
        turn.say("spending_none", {"period": words})
        return
    name = "spending_category" if category else "spending"
    turn.say(name, {"total": found["total"], "category": category, "period": words})
    title = f"Spending on {category} {words}" if category else f"Spending {words}"
    turn.show("spending", {"title": title, "total": found["total"], "lines": lines})


def _period(turn: Turn, named: intelligence.public.Slots) -> tuple[date, date, str]:
    """Return the days meant, this month unless another stretch was named."""
    if named.period is not None:
        first, last = named.period.first, named.period.last
        is_month = first.day == 1 and last.day == monthrange(last.year, last.month)[1]
        if is_month and (first.year, first.month) == (last.year, last.month):
            return first, last, f"in {first:%B %Y}"
        words = f"from {date_words(first.isoformat())} to {date_words(last.isoformat())}"
        return first, last, words
    today = turn.at.date()
    return today.replace(day=1), today, f"in {today:%B %Y}"


def _status(turn: Turn, named: intelligence.public.Slots) -> None:
    """Say where a payment is: those on their way first, then what was booked."""
    name = _name_of(named)
    listed = payments.payments_of(customer_id=turn.customer_id, limit=20, at=turn.at)
    wanted = [each for each in listed if name.casefold() in each.creditor_name.casefold()]
    if wanted:
        _status_of_payment(turn, wanted[0])
        return
    booked = reads.last_booking(turn.customer_id, name)
    if booked is None:
        turn.say("status_none")
        return
    amount = money_words(-booked.amount_minor_units, booked.currency)
    day = booked.booking_date.isoformat()
    values = {"amount": amount, "creditor_name": booked.counterparty_name, "date": date_words(day)}
    turn.say("status_booked", values)
    turn.show(
        "payment_status",
        {
            "reference": str(booked.transfer_id),
            "state_words": "Paid",
            "creditor_name": booked.counterparty_name,
            "amount": {"minor_units": -booked.amount_minor_units, "currency": booked.currency},
            "date": day,
        },
    )


def _status_of_payment(turn: Turn, found: payments.PaymentView) -> None:
    amount = {"minor_units": found.amount.minor_units, "currency": found.amount.currency}
    values = {"amount": amount, "creditor_name": found.creditor_name, "words": found.words}
    turn.say("status_open", values)
    moment = found.finished_at or found.started_at
    turn.show(
        "payment_status",
        {
            "reference": found.reference or "",
            "state_words": found.words.capitalize(),
            "creditor_name": found.creditor_name,
            "amount": amount,
            "date": moment.date().isoformat(),
        },
    )


def _name_of(named: intelligence.public.Slots) -> str:
    if named.payee is None:
        return ""
    known = named.payee.payee
    return known.name if known else named.payee.span.text


def hand_over(turn: Turn, summary: str) -> None:
    """Open a case for an adviser, with what was spoken of in one sentence."""
    case_id = turn.new_id("handoff")
    number = cases.open_case(
        cases.NewCase(
            id=case_id,
            journey="conversation",
            title="A customer asks for a person",
            customer_id=turn.customer_id,
            conversation_id=turn.conversation_id,
            instance_id=None,
            at=turn.at,
        )
    )
    cases.add_note(case_id, cases.Note(turn.at, turn.principal.id, "opened", summary, ""))
    assigning.open_task(_handoff_task(turn, case_id, summary))
    cases.set_state(case_id, "open", turn.at)
    turn.case_id = case_id
    words = filled(journeys.words("handoff"), {"number": number})
    turn.voice.say(words)
    turn.show("handoff", {"words": words, "case_reference": number})


def _handoff_task(turn: Turn, case_id: UUID, summary: str) -> rows.NewTask:
    warn_at, due_at = clocks.allowed((_ADVISER,), turn.at, clocks.HANDOFF)
    return rows.NewTask(
        id=turn.new_id("handoff", "task"),
        case_id=case_id,
        instance_id=None,
        token=None,
        node="handoff",
        visit=0,
        kind="handoff",
        form_key="handoff",
        title="Take over a conversation",
        form=HANDOFF_FORM,
        inputs={"summary": summary, "conversation_id": str(turn.conversation_id)},
        roles=(_ADVISER,),
        excluded=(),
        warn_at=warn_at,
        due_at=due_at,
        at=turn.at,
    )


def _context(turn: Turn) -> StepContext:
    return StepContext(
        instance_id=turn.conversation_id,
        node="conversation",
        visit=turn.number,
        case_id=turn.conversation_id,
        customer_id=turn.customer_id,
        principal=turn.principal,
        purpose="servicing",
        at=turn.at,
    )


_READERS: Mapping[str, Reader] = {
    "balance": _balance,
    "spending": _spending,
    "payment_status": _status,
}
