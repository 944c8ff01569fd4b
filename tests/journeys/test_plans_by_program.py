"""A customer's program proposes a plan: what does not fit is refused where it stands."""

import json
from dataclasses import replace
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client

import orchestration.public
from orchestration.durable import store
from orchestration.plain import plain_mapping
from orchestration.planning import rows, running
from tests.journeys.test_hostile_browser import signed_in
from tests.journeys.test_plans import open_card, pay, plan_card

ADDRESS = "/api/v1/plans"
AMOUNT = {"value": {"minor_units": 2_500, "currency": "EUR"}}
PAYEE = {"value": {"name": "Hendriks Vastgoed B.V.", "iban": "NL91ABNA0417164300"}}
PAY = {"id": "rent", "kind": "pay", "inputs": {"amount": AMOUNT, "payee": PAYEE}}
LOOK = {"id": "look", "kind": "balance"}


def posted(browser, said):
    body = said if isinstance(said, bytes) else json.dumps(said)
    return browser.post(ADDRESS, body, content_type="application/json")


def kept():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM orch_plan), (SELECT count(*) FROM orch_instance)"
        )
        return cursor.fetchone()


def test_a_plan_is_checked_and_shown_and_nothing_of_it_is_begun(bank):
    browser = signed_in("anna")
    when = {"found": {"task": "look", "output": "balance"}, "operator": "above", "minor_units": 1}

    answer = posted(browser, {"tasks": [{**PAY, "when": when}, LOOK]})

    assert answer.status_code == 201, answer.content
    assert kept() == (1, 0)
    page = browser.get("/app/chat/").content.decode()
    assert "Check these steps" in page
    assert f"card-{answer.json()['plan']}" in page


@pytest.mark.parametrize(
    ("tasks", "code", "place"),
    [
        ([], "no_tasks", "tasks"),
        ([LOOK, {**PAY, "after": ["rent"]}], "cycle", "tasks[1]"),
        ([{**PAY, "after": ["ghost"]}], "unknown_task", "tasks[0].after[0]"),
        ([{**PAY, "kind": "fly"}], "unknown_kind", "tasks[0].kind"),
        ([{**PAY, "inputs": {"amount": AMOUNT}}], "input_missing", "tasks[0].inputs.payee"),
        (
            [
                LOOK,
                {
                    **PAY,
                    "inputs": {
                        "amount": AMOUNT,
                        "payee": {"found": {"task": "look", "output": "balance"}},
                    },
                },
            ],
            "type_mismatch",
            "tasks[1].inputs.payee",
        ),
        ([{**PAY, "more": 1}], "malformed", "tasks[0].more"),
        ([{**LOOK, "id": 7}], "malformed", "tasks[0].id"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_at_its_place(bank, tasks, code, place):
    answer = posted(signed_in("anna"), {"tasks": tasks})

    assert answer.status_code == 422
    said = answer.json()
    assert said["code"] == "plan_refused"
    assert [(each["code"], each["place"]) for each in said["faults"]] == [(code, place)]
    assert kept() == (0, 0)


def test_a_step_that_is_not_permitted_is_refused_before_anything_begins(bank):
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM core_card WHERE party_id <> %s LIMIT 1", [bank.customer_id])
        (strangers,) = cursor.fetchone()
    block = {"id": "b", "kind": "card_block", "inputs": {"card": {"value": str(strangers)}}}

    answer = posted(signed_in("anna"), {"tasks": [LOOK, block]})

    assert answer.status_code == 422
    (fault,) = answer.json()["faults"]
    assert (fault["code"], fault["place"]) == ("not_permitted", "tasks[1]")
    assert kept() == (0, 0)


def test_only_a_customer_in_a_session_proposes_plans(bank):
    plan = {"tasks": [LOOK]}

    assert posted(Client(), plan).status_code == 403
    assert posted(signed_in("omar"), plan).status_code == 403
    assert posted(signed_in("anna", checks_csrf=True), plan).status_code == 403
    assert posted(signed_in("anna"), b"[1]").status_code == 400
    assert posted(signed_in("anna"), b"[" * 100_000).status_code == 400
    assert kept() == (0, 0)


FIRST = {"id": "first", "kind": "pay", "inputs": {"amount": {"ask": True}, "payee": PAYEE}}
SECOND = {
    "id": "second",
    "kind": "pay",
    "inputs": {"amount": {"found": {"task": "first", "output": "amount"}}, "payee": PAYEE},
}


def planned(bank, *tasks):
    """A plan of a program, shown in a conversation."""
    chat = bank.chat()
    orchestration.public.propose_plan(
        principal=chat.principal,
        conversation_id=chat.id,
        plan={"tasks": list(tasks)},
        at=bank.clock.now(),
    )
    return chat


def variables_of(instance_id):
    return plain_mapping(store.read_instance(instance_id).state.variables)


def steps_of(chat):
    return rows.read_plan(plan_card(chat).id).steps


def test_a_step_takes_over_what_was_really_paid_and_who_said_so(bank):
    asked = {**FIRST, "inputs": {"amount": AMOUNT, "payee": PAYEE}}
    chat, before = planned(bank, asked, SECOND), bank.balance()
    chat.answers(plan_card(chat), answer="confirm")
    chat.says("no, 20 euro")

    pay(bank, chat)

    first, second = steps_of(chat)
    assert (first.state, second.state) == ("done", "running")
    assert bank.balance() == before - 2_000
    paid, next_one = variables_of(first.instance_id), variables_of(second.instance_id)
    assert next_one["amount"] == paid["amount"] == {"minor_units": 2_000, "currency": "EUR"}
    assert next_one["sources"]["amount"] == paid["sources"]["amount"]
    assert next_one["sources"]["amount"]["provenance"] == "customer_typed"


def test_an_amount_that_was_asked_for_is_found_by_the_step_after_it(bank):
    chat = planned(bank, FIRST, SECOND)
    chat.answers(plan_card(chat), answer="confirm")
    chat.says("30 euro")

    pay(bank, chat)

    first, second = steps_of(chat)
    assert (first.state, second.state) == ("done", "running")
    assert variables_of(second.instance_id)["amount"]["minor_units"] == 3_000


def test_what_an_earlier_step_did_not_find_leaves_the_step_out(bank):
    look = {**LOOK, "after": ["second"]}
    chat = planned(bank, {**FIRST, "inputs": {"amount": AMOUNT, "payee": PAYEE}}, SECOND, look)
    chat.answers(plan_card(chat), answer="confirm")
    # It was done, and nothing was kept of what it found.
    rows.set_step(plan_card(chat).id, "first", "done", {})

    reply = chat.answers(open_card(chat, "confirm_payment"), answer="cancel")

    first, second, last = steps_of(chat)
    assert (first.state, second.state, last.state) == ("done", "stopped", "stopped")
    assert "what it needs did not come of an earlier step" in reply.text
    assert plan_card(chat).state == "done"


def test_a_plan_that_cannot_go_on_ends_and_the_others_are_followed(bank):
    broken, sound = (planned(bank, PAY, LOOK) for _ in range(2))
    for chat in (broken, sound):
        chat.answers(plan_card(chat), answer="confirm")
        orchestration.public.cancel(
            instance_id=steps_of(chat)[0].instance_id,
            by="employee:1",
            reason="asked to",
            at=bank.clock.now(),
        )
    no_longer_offered(plan_card(broken).id, "balance")

    assert running.follow_plans_once() == 2

    assert [each.state for each in steps_of(sound)] == ["cancelled", "done"]
    first, second = steps_of(broken)
    assert (first.state, second.state) == ("cancelled", "failed")
    assert second.outputs == {"code": "KeyError"}
    card = plan_card(broken)
    assert (card.state, card.details["plan_state"]) == ("done", "broken")
    assert card.details["broken_by"] == "KeyError"
    assert "broken_by" not in plan_card(sound).details
    assert running.follow_plans_once() == 0
    broken.says("tell me my balance")
    assert len(broken.cards("balance")) == 1


def test_a_broken_plan_says_on_the_page_that_it_stopped_and_why(bank):
    browser = signed_in("anna")
    plan_id = UUID(posted(browser, {"tasks": [PAY, LOOK]}).json()["plan"])
    chat = replace(bank.chat(), id=rows.read_plan(plan_id).conversation_id)
    chat.answers(plan_card(chat), answer="confirm")
    first = steps_of(chat)[0].instance_id
    orchestration.public.cancel(
        instance_id=first, by="employee:1", reason="asked to", at=bank.clock.now()
    )
    no_longer_offered(plan_id, "balance")

    running.follow_plans_once()

    page = browser.get("/app/chat/").content.decode()
    slip = page[page.index(f'id="card-{plan_id}"') :].partition("</ol>")
    assert "Stopped" in slip[0]
    assert "It stopped because something broke: KeyError." in slip[2]


def test_a_person_who_proposes_plan_after_plan_is_asked_to_wait_and_nobody_else(bank):
    anna, other = signed_in("anna"), signed_in("bob")
    assert posted(anna, {"tasks": []}).status_code == 422
    # Their minute is counted where every process sees it, and begins late enough to last here.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_plan_count SET count = 60, began_at = began_at + interval '1 hour'"
            " WHERE principal_id = %s",
            [bank.anna.id],
        )
        assert cursor.rowcount == 1

    last = posted(anna, {"tasks": []})

    assert (last.status_code, last.json()) == (429, {"code": "too_many_plans"})
    assert int(last["Retry-After"]) > 60
    assert posted(other, {"tasks": []}).status_code == 422
    assert kept() == (0, 0)


def no_longer_offered(plan_id, kind):
    """Have a plan hold a kind of task that the bank has taken out since."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_plan SET tasks = replace(tasks, %s, %s) WHERE id = %s",
            [f'"kind": "{kind}"', '"kind": "gone"', plan_id],
        )
