"""Steps about a letter: who wrote it, what it is about, what it names, and a draft to answer it.

The sender of a letter proves nothing. What is read from it counts as read from a document, and an
answer goes where the customer has signed in, never to the address the letter came from.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection

import intelligence.public
import nexus.public
from orchestration.dialogue import drafts
from orchestration.reads import balance
from orchestration.step_results import Answered, StepContext
from orchestration.wording import date_words, money_words
from sentinel.vocabulary import Fact

DESK = "operations"
SLOTS = ("amount", "creditor_name", "creditor_iban", "execution_date", "card_last_four")
_LOOKED_AT = 100


def correspondent(context: StepContext, _inputs: Mapping[str, object]) -> Answered:
    """Tell whether a letter is of a customer we know, and whether they can be answered in the app.

    `recipient` and `resource` are what a message to them would name; empty for a stranger.
    """
    found = {"is_known": False, "can_be_told": False, "name": "", "recipient": "", "resource": ""}
    if context.customer_id is not None:
        state = nexus.public.customer_state(customer_id=context.customer_id)
        recipient = f"customer:{context.customer_id}"
        found = {
            "is_known": True,
            "can_be_told": drafts.latest_conversation(recipient) is not None,
            "name": str(state.party.get("name", "")),
            "recipient": recipient,
            "resource": f"party:{context.customer_id}",
        }
    return Answered({**found, "case_id": str(context.case_id)})


def classify(context: StepContext, inputs: Mapping[str, object]) -> Answered:
    """Say what a letter asks for, how sure the model is, and which model. Input `text`."""
    meaning = intelligence.public.understand(
        text=str(inputs.get("text") or ""), at=context.at, case_id=context.case_id
    )
    return Answered(
        {
            "label": meaning.intent.value,
            "confidence_permille": round(meaning.confidence * 1000),
            "language": meaning.language,
            "refusals": [each.code for each in meaning.refusals],
            **_said_by(meaning.model, meaning.version, meaning.call_id, context),
        }
    )


def extract(context: StepContext, inputs: Mapping[str, object]) -> Answered:
    """Read what a letter names, each value with its place and where it comes from. Input `text`.

    `sources` is what an action's parameters would be given as their provenance: a document.
    """
    reading = intelligence.public.read_letter(
        text=str(inputs.get("text") or ""), at=context.at, case_id=context.case_id
    )
    values = _values(reading.slots)
    reference = f"letter:{context.instance_id}"
    named = {
        name: {"provenance": span.source.value, "reference": reference}
        for name, (_, span) in values.items()
    }
    places = {name: {"start": span.start, "end": span.end} for name, (_, span) in values.items()}
    return Answered(
        {
            **{name: values[name][0] if name in values else None for name in SLOTS},
            "sources": {name: named.get(name) for name in SLOTS},
            "places": {name: places.get(name) for name in SLOTS},
            "refusals": [each.code for each in reading.refusals],
            **_said_by(reading.model, reading.version, reading.call_id, context),
        }
    )


def _values(
    slots: intelligence.public.Slots,
) -> dict[str, tuple[object, intelligence.public.Span]]:
    """Return what was found by the name a flow calls it, with its place."""
    found: dict[str, tuple[object, intelligence.public.Span]] = {}
    if slots.amount is not None:
        currency = slots.amount.currency or "EUR"
        money = {"minor_units": slots.amount.minor_units, "currency": currency}
        found["amount"] = money, slots.amount.span
    if slots.payee is not None:
        found["creditor_name"] = slots.payee.span.text, slots.payee.span
    if slots.iban is not None:
        found["creditor_iban"] = slots.iban.value, slots.iban.span
    if slots.date is not None:
        found["execution_date"] = slots.date.value.isoformat(), slots.date.span
    if slots.card is not None and slots.card.last_four:
        found["card_last_four"] = slots.card.last_four, slots.card.span
    return found


def letter_facts(context: StepContext, inputs: Mapping[str, object]) -> Answered:
    """Return what the bank's records say about what a known customer asks, in words.

    Inputs `label` and `slots`. `is_enough` says whether an answer can rest on it.
    """
    assert context.customer_id is not None
    slots = inputs.get("slots")
    named = slots if isinstance(slots, Mapping) else {}
    facts: dict[str, str] = {}
    if inputs.get("label") == "balance":
        facts = _accounts(context)
    elif inputs.get("label") == "payment_status":
        facts = _payment(context.customer_id, named)
    return Answered({"facts": facts, "is_enough": bool(facts)})


def _accounts(context: StepContext) -> dict[str, str]:
    accounts = balance(context, {}).output["accounts"]
    assert isinstance(accounts, list)
    words = [
        f"{each['name']} {money_words(each['balance']['minor_units'], each['balance']['currency'])}"
        for each in accounts
    ]
    return {"accounts": "; ".join(words), "as_of": date_words(context.at.date().isoformat())}


def _payment(customer_id: UUID, slots: Mapping[str, object]) -> dict[str, str]:
    """Return the one payment a letter describes by payee, amount or both; several are none."""
    name, amount = slots.get("creditor_name"), slots.get("amount")
    if not name and not isinstance(amount, Mapping):
        return {}
    wanted = nexus.public.BookingFilter(search=str(name or ""), direction="out")
    page = nexus.public.transactions(customer_id=customer_id, filters=wanted, limit=_LOOKED_AT)
    fitting = [each for each in page.bookings if _fits(each, amount)]
    if len(fitting) != 1:
        return {}
    money = money_words(-fitting[0].amount_minor_units, fitting[0].currency)
    day = date_words(fitting[0].booking_date.isoformat())
    return {"payment": f"{money} to {fitting[0].counterparty_name} on {day}"}


def _fits(booking: nexus.public.Booking, amount: object) -> bool:
    if not isinstance(amount, Mapping):
        return True
    asked = (amount.get("minor_units"), amount.get("currency"))
    return asked == (-booking.amount_minor_units, booking.currency)


def draft(context: StepContext, inputs: Mapping[str, object]) -> Answered:
    """Draft an answer from given facts, for a person to approve.

    Inputs `label`, `language` and `facts`. `ungrounded` lists what in it no fact holds.
    """
    given = inputs.get("facts")
    facts = {k: str(v) for k, v in given.items() if v} if isinstance(given, Mapping) else {}
    made = intelligence.public.draft_reply(
        label=str(inputs.get("label")),
        language=str(inputs.get("language")),
        facts=facts,
        at=context.at,
        case_id=context.case_id,
    )
    return Answered(
        {
            "text": made.text,
            "language": made.language,
            "used": list(made.used),
            "missing": list(made.missing),
            "ungrounded": list(made.ungrounded),
            **_said_by(made.model, made.version, made.call_id, context),
        }
    )


def _said_by(
    model: str, version: str, call_id: UUID | None, context: StepContext
) -> dict[str, object]:
    return {"model": model, "version": version, "reference": str(call_id or context.instance_id)}


def reply_facts(
    parameters: Mapping[str, object], context: StepContext, inputs: Mapping[str, object]
) -> tuple[Fact, ...]:
    """Return whether a colleague approved, in this very run, just these words for this customer.

    Inputs: `reply`, the words; `approval`, the answer to the desk's task, of which only the
    reference is believed. Other messages rest on no such fact.
    """
    approval = inputs.get("approval")
    if not isinstance(approval, Mapping):
        return ()
    named = str(approval.get("reference", ""))
    given_at = _approved_at(named, str(inputs.get("reply")), context.instance_id)
    is_theirs = parameters.get("recipient") == f"customer:{context.customer_id}"
    is_approved = given_at is not None and is_theirs
    source = f"orch_task:{named}"
    return (Fact("reply_approved", is_approved, source, given_at or context.at),)


def _approved_at(task_id: str, reply: str, instance_id: UUID) -> datetime | None:
    """Return when an employee of the desk approved these words on a task of this run."""
    try:
        key = UUID(task_id)
    except ValueError:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT answer, closed_at FROM orch_task WHERE id = %s AND instance_id = %s"
            " AND kind = 'work' AND state = 'done' AND %s = ANY(roles)"
            " AND starts_with(closed_by, 'employee:')",
            [key, instance_id, DESK],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    answer = json.loads(row[0])
    is_so = answer.get("verdict") == "approve" and answer.get("text") == reply
    return row[1] if is_so and reply else None
