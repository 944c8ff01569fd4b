"""Models read a letter, each answer is checked, a person approves the reply, nothing is paid."""

import json

import pytest
from django.db import connection

import intelligence.public
import interaction.public
import nexus.public
import orchestration.public
from interaction.delivery import run_delivery_once
from tests.letters import (
    ANNA,
    BALANCE,
    LOST,
    PAY,
    STRANGER,
    answer,
    mailbox,
    nodes,
    post,
    runs,
    spoken,
    talking,
    values,
    work,
)

__all__ = ["post", "talking"]


def test_a_letter_is_classified_read_drafted_approved_and_answered(bank, talking, post):
    before = len(mailbox(bank))

    post(BALANCE)

    (run,) = runs()
    assert nodes(run) == [
        *("letter_came", "known", "classify", "triage", "route", "extract", "asks_payment"),
        *("facts", "draft", "review"),
    ]
    (task,) = work(bank)
    assert (task.kind, task.priority) == ("review_reply", 0)
    drafted = task.form["properties"]["text"]["default"]
    state = nexus.public.customer_state(customer_id=bank.customer_id)
    assert all(account.name in drafted for account in state.accounts)
    assert spoken() == []

    answer(bank, task, verdict="approve", text=drafted)

    (run,) = runs()
    assert (run.status, nodes(run)[-1]) == ("completed", "end_answered")
    sent = [each[:2] for each in mailbox(bank)[before:]]
    assert sent == [(bank.anna.id, "case_closed")]
    assert spoken() == [drafted]
    assert "EUR" not in mailbox(bank)[-1][2]


def test_the_chain_leaves_a_record_of_every_model(bank, talking, post):
    post(BALANCE)

    (run,) = runs()
    calls = intelligence.public.calls_of(case_id=run.case_id)
    assert [(each.call.capability, each.call.version) for each in calls] == [
        ("intent.understand", "1"),
        ("letters.read", "1"),
        ("letters.reply", "1"),
    ]
    assert all(len(each.call.digest) == len(each.call.input_digest) == 64 for each in calls)
    assert all(each.call.latency_us >= 0 and each.call.outcome == "answered" for each in calls)
    kept = values(run)
    named = [kept[name]["reference"] for name in ("meaning", "slots", "drafted")]
    assert named == [str(each.id) for each in calls]
    assert "Dear Sir" not in repr(calls)


def test_what_the_colleague_changed_is_what_the_customer_reads(bank, talking, post):
    post(BALANCE)
    (task,) = work(bank)
    words = "Dear Ms de Vries, you find it in the app under {accounts}."

    answer(bank, task, verdict="approve", text=words)

    assert spoken() == [words]
    run_delivery_once()
    thread = interaction.public.current_thread(principal=bank.anna, at=bank.clock.now())
    assert words in [each.said.text for each in thread.entries if each.said]


def test_a_draft_that_is_returned_is_answered_by_hand_and_sent_to_nobody(bank, talking, post):
    before = len(mailbox(bank))
    post(BALANCE)
    (task,) = work(bank)

    answer(bank, task, verdict="return", text=task.form["properties"]["text"]["default"])

    (run,) = runs()
    assert nodes(run)[-1] == "by_hand"
    (task,) = work(bank)
    answer(bank, task, outcome="called", why="Called on the number on record.")
    (run,) = runs()
    assert (run.status, nodes(run)[-1]) == ("completed", "end_by_hand")
    assert (len(mailbox(bank)), spoken()) == (before, [])


def test_a_stranger_goes_to_a_person_and_no_record_of_a_customer_is_read(bank, talking, post):
    post(BALANCE, STRANGER)

    (run,) = runs()
    (task,) = work(bank)
    assert nodes(run)[-1] == "by_hand"
    assert {"extract", "facts", "draft"}.isdisjoint(nodes(run))
    assert run.customer_id is None
    assert "tell them nothing" in task.summary
    kept = json.dumps(values(run))
    state = nexus.public.customer_state(customer_id=bank.customer_id)
    assert not any(account.iban in kept for account in state.accounts)


@pytest.mark.parametrize(
    "sender",
    [
        f"{ANNA}, {STRANGER}",
        f'"{ANNA}" <{STRANGER}>',
        f"{STRANGER} ({ANNA})",
        "anna@customers.example@elsewhere.example",
        "%@customers.example",
        "",
    ],
)
def test_a_sender_who_only_looks_like_a_customer_is_a_stranger(bank, talking, post, sender):
    post(BALANCE, sender)

    (run,) = runs()
    assert (run.customer_id, nodes(run)[-1]) == (None, "by_hand")


def test_an_address_that_two_customers_share_is_nobodys(bank, talking, post):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE nexus_node SET attributes = jsonb_set(attributes, '{email}', %s::jsonb)"
            " WHERE kind = 'party'",
            [json.dumps(ANNA)],
        )

    post(BALANCE)

    (run,) = runs()
    assert (run.customer_id, nodes(run)[-1]) == (None, "by_hand")


def test_the_answer_never_goes_to_the_address_the_letter_came_from(bank, talking, post):
    """Whoever borrows a customer's address learns nothing: the customer is told, signed in."""
    post(BALANCE)
    (task,) = work(bank)

    answer(bank, task, verdict="approve", text=task.form["properties"]["text"]["default"])

    assert all(ANNA not in str(each) for each in mailbox(bank))


def test_a_letter_that_asks_to_pay_pays_nothing_and_names_the_rule(bank, talking, post):
    before, money = bank.transfers(), bank.balance()

    post(PAY)

    (run,) = runs()
    (task,) = work(bank)
    assert (task.kind, task.priority) == ("payment_asked", 1)
    assert "iban-from-document-needs-call-back" in task.summary
    kept = values(run)
    assert kept["amount"] == {"minor_units": 125_000, "currency": "EUR"}
    assert {each["provenance"] for each in kept["sources"].values() if each} == {"document"}
    case = orchestration.public.case(
        case_id=task.case_id, principal=bank.employees["omar"], at=bank.clock.now()
    )
    shown = {item.name: item.source_words for item in case.evidence}
    assert shown["creditor_iban"] == shown["amount"] == "Read from the document"
    answer(bank, task, outcome="told", why="Told to order it in the app.")
    assert (bank.transfers(), bank.balance()) == (before, money)
    assert nodes(runs()[0])[-1] == "end_payment"


def test_a_lost_card_comes_before_what_came_earlier(bank, talking, post):
    post(BALANCE)
    post(LOST)

    first, second = work(bank)
    assert (first.kind, first.priority) == ("by_hand", 2)
    assert "Call the customer" in first.summary
    assert second.kind == "review_reply"
    assert first.due_at < second.due_at


def test_a_lost_card_of_a_stranger_comes_before_nothing(bank, talking, post):
    post(BALANCE)
    post(LOST, sender=STRANGER)
    post(LOST)

    first, *others = work(bank)
    (strange,) = [each for each in others if "nobody is known by this address" in each.summary]
    assert (first.priority, strange.kind, strange.priority) == (2, "by_hand", 0)
    assert "Call the customer" in first.summary
    assert first.due_at < strange.due_at
