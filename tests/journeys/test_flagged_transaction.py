"""A payment that stands out is found from the event alone, and people decide what comes of it."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.urls import reverse

import nexus.public
import orchestration.public
import sentinel.public
from deploy.sample.story import elsewhere_iban
from deploy.sample.unusual import make_unusual_payments
from orchestration.core.history import NodeEntered
from orchestration.durable import store, sweeping
from orchestration.plain import plain_mapping
from sentinel.vocabulary import Principal
from tests.journeys.test_hostile_browser import signed_in

STRANGER = elsewhere_iban("stranger", "Visser")
NONE = orchestration.public.TaskFilters()


def pay(bank, chat, euros, words=""):
    """Pay somebody the customer never paid before, from the first word to the booking."""
    bank.clock.later(seconds=61)
    said = f" for {words}" if words else ""
    reply = chat.says(f"pay Joost Visser {STRANGER} {euros} euro{said}")
    card = next(each for each in reply.cards if each.kind == "confirm_payment")
    reply = chat.answers(card, answer="confirm")
    for step_up in [each for each in reply.cards if each.kind == "step_up"]:
        reply = chat.answers(step_up, answer="code", code=chat.code())
    assert [each.kind for each in reply.cards if each.kind == "receipt"] == ["receipt"], reply.text


def follow(bank, offset=timedelta(0)):
    """Let the event travel: into Nexus, to the trigger, through the flow."""
    bank.know()
    while orchestration.public.follow_changes_once():
        pass
    sweeping.sweep(limit=100, clock=lambda: datetime.now(UTC) + offset)


def runs():
    """Return the runs of the flow, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM orch_instance WHERE process = 'flagged_transaction'"
            " ORDER BY started_at, id"
        )
        return [store.read_instance(row[0]) for row in cursor.fetchall()]


def nodes(run):
    return [
        entry.node
        for line in store.history_of(run.id)
        for entry in line.entries
        if isinstance(entry, NodeEntered)
    ]


def alerts(bank, who="fatima"):
    return orchestration.public.tasks(principal=bank.employees[who], filters=NONE)


def suspicious(bank):
    """Return the alert that the third payment in a row to a stranger raises, with the chat."""
    chat = bank.chat()
    for _ in range(3):
        pay(bank, chat, 120)
    follow(bank)
    (task,) = alerts(bank)
    return chat, task


def answer(bank, task, who="fatima", **values):
    principal, at = bank.employees[who], bank.clock.now()
    orchestration.public.claim(task_id=task.id, principal=principal, at=at)
    orchestration.public.complete(
        task_id=task.id, principal=principal, answer=values, comment="", at=at
    )


WHY = "The customer was called and knows"


def account_status(bank):
    bank.know()
    state = nexus.public.customer_state(customer_id=bank.customer_id)
    return next(each.status for each in state.accounts if "current" in each.kind)


def test_a_usual_payment_passes_and_leaves_its_history_and_no_case(bank):
    before = len(orchestration.public.cases(principal=bank.employees["carla"]))
    chat = bank.chat()
    pay(bank, chat, 40, "dinner")

    follow(bank)

    (run,) = runs()
    assert (run.status, nodes(run)) == (
        "completed",
        ["posted", "validate", "score", "assess", "level", "end_low"],
    )
    assert alerts(bank) == ()
    assert len(orchestration.public.cases(principal=bank.employees["carla"])) == before + 1
    assert plain_mapping(run.state.variables)["assessment"]["level"] == "low"


def test_what_stands_out_is_validated_then_scored_then_put_before_the_fraud_desk(bank):
    _chat, task = suspicious(bank)

    first, second, third = runs()
    assert [nodes(each)[-1] for each in (first, second)] == ["end_low", "end_low"]
    told = nodes(third)
    order = [told.index(each) for each in ("validate", "score", "assess", "screening", "review")]
    assert order == sorted(order)
    case = orchestration.public.case(
        case_id=task.case_id, principal=bank.employees["fatima"], at=bank.clock.now()
    )
    assert case.title == "Unusual payment of EUR 120.00 to Joost Visser"
    shown = {item.name: item.value for item in case.evidence}
    assert shown["payee"] == "Paid 2 times before, first on the same day"
    assert {"fraud", "screening", "recent", "share", "amount", "creditor_iban"} <= set(shown)
    assert task.due_at is not None


def test_the_same_events_again_start_nothing(bank):
    suspicious(bank)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orch_stream SET cursor = ''")

    follow(bank)

    assert len(runs()) == 3
    assert len(alerts(bank)) == 1


def test_events_of_before_and_batches_start_nothing(bank):
    follow(bank)

    assert bank.transfers() > 500
    assert runs() == []


def told_of(bank, **changes):
    """Write a line of the feed that tells of a transfer nobody made."""
    said = {
        "transfer_id": str(uuid4()),
        "account_id": str(uuid4()),
        "amount_minor_units": 99_900,
        "currency": "EUR",
        **changes,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO nexus_change (xact, customer_id, topics, posted)"
            " VALUES (%s::text::xid8, %s, '[\"accounts\"]', jsonb_build_array(%s::jsonb))",
            [_later(), bank.customer_id, json.dumps(said)],
        )


def _later():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        return str(int(cursor.fetchone()[0]) - 1)


def test_an_event_that_is_not_as_booked_becomes_an_incident_and_stops_nobody(bank):
    told_of(bank)
    pay(bank, bank.chat(), 40)

    follow(bank)

    wrong, right = sorted(runs(), key=lambda each: each.status == "completed")
    (found,) = orchestration.public.incidents(instance_id=wrong.id, limit=9)
    assert (found.node, found.owner_role) == ("validate", "fraud_analyst")
    assert "transfer_not_as_told" in found.words
    assert nodes(right)[-1] == "end_low"
    assert [each.kind for each in alerts(bank)] == ["incident"]


def test_another_entity_sees_nothing_of_it(bank):
    _chat, task = suspicious(bank)
    farah = Principal(f"employee:{uuid4()}", "employee", "f", "meridian-be", ("fraud_analyst",))

    with sentinel.public.legal_entity(entity="meridian-be"):
        follow(bank)
        assert runs() == []
        assert orchestration.public.tasks(principal=farah, filters=NONE) == ()
        with pytest.raises(orchestration.public.CaseUnknown):
            orchestration.public.case(case_id=task.case_id, principal=farah, at=bank.clock.now())


def test_released_by_the_desk_it_ends_and_the_account_is_as_before(bank):
    _chat, task = suspicious(bank)

    answer(bank, task, verdict="release", why=WHY)

    assert nodes(runs()[-1])[-1] == "end_released"
    assert account_status(bank) == "open"


def test_held_by_the_desk_nothing_more_is_paid_until_it_is_let_go(bank):
    chat, task = suspicious(bank)

    answer(bank, task, verdict="hold", why=WHY)

    assert account_status(bank) == "blocked"
    bank.clock.later(seconds=61)
    (card,) = chat.says("pay Hendriks Vastgoed 30 euro").cards
    assert card.details["debtor_name"] == "Savings account"
    (after,) = alerts(bank)
    answer(bank, after, verdict="release", why=WHY)
    assert account_status(bank) == "open"
    assert nodes(runs()[-1])[-1] == "end_let_go"


def test_a_hold_that_no_analyst_ordered_is_refused(bank):
    at = bank.clock.now()
    state = nexus.public.customer_state(customer_id=bank.customer_id)
    account = str(state.accounts[0].account_id)

    with pytest.raises(orchestration.public.MandateRefused):
        orchestration.public.perform(
            mandate="triggers_flagged_transaction",
            kind="accounts.set_status",
            parameters={"account_id": account, "status": "blocked"},
            resource=f"account:{account}",
            idempotency_key="forged",
            at=at,
        )

    assert account_status(bank) == "open"


def question(chat):
    (card,) = [each for each in chat.cards("request") if each.state == "open"]
    return card


def test_asked_by_the_desk_the_customer_answers_and_the_desk_decides(bank):
    chat, task = suspicious(bank)

    answer(bank, task, verdict="ask", question="Do you know Joost Visser?", why=WHY)

    card = question(chat)
    assert card.details["question"] == "Do you know Joost Visser?"
    reply = chat.answers(card, answer="reply", value="mine", text="He repairs my roof")
    assert "passed on" in reply.text
    follow(bank)
    (again,) = alerts(bank)
    case = orchestration.public.case(
        case_id=again.case_id, principal=bank.employees["fatima"], at=bank.clock.now()
    )
    shown = {item.name: item.value for item in case.evidence}
    assert shown["reply"] == "Yes, I made it: He repairs my roof"


def test_an_answer_without_words_or_by_somebody_else_is_refused(bank):
    chat, task = suspicious(bank)
    answer(bank, task, verdict="ask", question="Do you know Joost Visser?", why=WHY)
    card = question(chat)

    for wrong in ({"text": ""}, {"text": "x" * 501}, {"text": "yes", "value": "other"}):
        with pytest.raises(orchestration.public.CardAnswerRefused):
            chat.answers(card, answer="reply", **{"value": "mine", **wrong})
    with pytest.raises(orchestration.public.NotYourConversation):
        orchestration.public.answer_card(
            conversation_id=chat.id,
            principal=Principal(
                f"customer:{uuid4()}", "customer", "x", bank.anna.entity, ("customer",)
            ),
            card_id=card.id,
            answer={"answer": "reply", "value": "mine", "text": "mine"},
            at=bank.clock.now(),
        )
    assert question(chat).id == card.id


def incomplete(bank):
    """Return the chat of a payment to a stranger, without a purpose, that raises the score."""
    chat = bank.chat()
    pay(bank, chat, 600)
    follow(bank)
    return chat


def test_what_is_missing_is_asked_of_the_customer_and_no_colleague_is_needed(bank):
    chat = incomplete(bank)
    assert alerts(bank) == ()

    reply = chat.answers(question(chat), answer="reply", value="mine", text="A used bicycle")

    assert "all we needed" in reply.text
    assert nodes(runs()[-1])[-1] == "end_explained"
    assert alerts(bank) == ()


def test_a_payment_the_customer_does_not_know_goes_to_the_fraud_desk(bank):
    chat = incomplete(bank)

    chat.answers(question(chat), answer="reply", value="not_mine", text="I paid nobody")
    follow(bank)

    (task,) = alerts(bank)
    assert task.title == "Look at the unusual payment"


def test_a_question_without_an_answer_is_reminded_of_and_then_goes_to_operations(bank):
    chat = incomplete(bank)

    follow(bank, timedelta(hours=25))
    assert question(chat)
    assert "reminded" in nodes(runs()[-1])
    assert alerts(bank, "omar") == ()

    follow(bank, timedelta(hours=73))
    assert [each.state for each in chat.cards("request")] == ["expired"]
    (task,) = alerts(bank, "omar")
    assert task.title == "Reach the customer about a payment"
    answer(bank, task, "omar", outcome="explained", why=WHY)
    assert nodes(runs()[-1])[-1] == "end_explained_by_hand"


def test_not_reached_it_goes_to_the_fraud_desk_after_all(bank):
    incomplete(bank)
    follow(bank, timedelta(hours=73))
    (task,) = alerts(bank, "omar")

    answer(bank, task, "omar", outcome="suspicious", why=WHY)
    follow(bank)

    assert [each.title for each in alerts(bank)] == ["Look at the unusual payment"]


def test_a_desk_that_is_slow_has_its_alert_brought_forward(bank):
    suspicious(bank)

    follow(bank, timedelta(minutes=100))

    (task,) = alerts(bank)
    assert task.is_escalated
    assert UUID(str(task.case_id))


def test_the_payments_of_the_sample_that_stand_out_are_made_once_and_found(bank):
    said = []
    for _ in range(2):
        make_unusual_payments(customer_id=bank.customer_id, at=datetime.now(UTC), say=said.append)

    follow(bank)

    assert len(said) == 1
    assert len(runs()) == 3
    assert [each.title for each in alerts(bank)] == ["Look at the unusual payment"]


def test_the_customer_answers_on_the_page(bank):
    make_unusual_payments(customer_id=bank.customer_id, at=datetime.now(UTC), say=list)
    follow(bank)
    (task,) = alerts(bank)
    answer(bank, task, verdict="ask", question="Do you know Joost Visser?", why=WHY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orch_card WHERE kind = 'request'")
        (card_id,) = cursor.fetchone()
    browser = signed_in("anna")
    address = reverse("customer:answer", args=[card_id])

    page = browser.get(reverse("customer:chat")).content.decode()
    refused = browser.post(address, {"answer": "reply", "value": "mine", "text": " "})
    taken = browser.post(address, {"answer": "reply", "value": "mine", "text": "My\u202e roofer"})

    assert "A question about your payment" in page
    assert "Do you know Joost Visser?" in page
    assert (refused.status_code, taken.status_code) == (400, 302)
    follow(bank)
    case = orchestration.public.case(
        case_id=task.case_id, principal=bank.employees["fatima"], at=bank.clock.now()
    )
    shown = {item.name: item.value for item in case.evidence}
    assert shown["reply"] == "Yes, I made it: My roofer"
