"""A person's data by category, with purposes, recipients and the logic of decisions (GDPR 15)."""

import json
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from interaction.conversation import Message, receive_message
from interaction.public import access_report, current_thread
from tests.authority import forgotten
from tests.journeys.test_hostile_browser import signed_in

SAID = "please send quetzal feathers"


@pytest.fixture
def anna(bank):
    at = bank.clock.now()
    here = current_thread(principal=bank.anna, at=at).conversation_id
    receive_message(
        principal=bank.anna, conversation_id=here, message=Message(SAID, (), "sent-1"), at=at
    )
    chat = bank.chat()
    (card,) = [
        card
        for card in chat.says("pay 25 euro to Hendriks for the rent").cards
        if card.kind == "confirm_payment"
    ]
    chat.answers(card, answer="confirm")
    return bank.anna


def page_of(bank):
    return f"/console/privacy/{bank.customer_id}/"


def asked_for(bank):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM sentinel_record WHERE kind = 'access'"
            " AND position(%s in convert_from(body, 'UTF8')) > 0",
            [f"access_report:{bank.customer_id}"],
        )
        return cursor.fetchone()[0]


def test_the_report_says_what_is_held_why_and_who_saw_it(bank, anna):
    asked_by = bank.employees["carla"]

    access_report(customer_id=bank.customer_id, asked_by=asked_by, at=bank.clock.now())
    report = access_report(customer_id=bank.customer_id, asked_by=asked_by, at=bank.clock.now())

    named = {each.name: each for each in report.categories}
    assert {"Who you are", "Accounts", "Bookings", "What was said"} <= set(named)
    assert any(SAID in value for row in named["What was said"].rows for value in row)
    for each in report.categories:
        assert each.source, each.name
        assert each.purpose, each.name
        assert each.retention, each.name
    assert "payments" in dict(report.purposes)
    assert asked_by.id in dict(report.recipients)
    assert {each.principal_id for each in report.accesses} == {asked_by.id}
    (paying,) = {each.action_kind for each in report.decisions}
    assert paying == "payments.transfer"
    assert report.automated
    assert all(each.logic and all(each.logic) for each in report.decisions)


def test_compliance_reads_it_downloads_it_and_both_are_on_record(bank, anna):
    carla = signed_in("carla")

    shown = carla.get(page_of(bank))
    file = carla.get(f"{page_of(bank)}?as=json")

    assert SAID in shown.content.decode()
    assert "taken by rules alone" in shown.content.decode()
    said = json.loads(file.content)
    assert file["Content-Disposition"].startswith("attachment")
    assert said["customer_id"] == str(bank.customer_id)
    assert said["stores"]["kept"]
    assert asked_for(bank) == 2


@pytest.mark.parametrize("name", ["anna", "omar", "eva"])
def test_nobody_else_reads_it(bank, anna, name):
    assert signed_in(name).get(page_of(bank)).status_code in {302, 403, 404}
    assert asked_for(bank) == 0


def test_about_a_stranger_there_is_nothing(bank):
    assert signed_in("carla").get(f"/console/privacy/{uuid4()}/").status_code == 404
    with pytest.raises(CommandError, match="Nobody is known"):
        call_command("access_report", f"customer:{uuid4()}")
    with pytest.raises(CommandError, match="A subject is"):
        call_command("access_report", "anna")


def test_by_command_it_is_json_and_on_record(bank, anna):
    out = StringIO()

    call_command("access_report", anna.id, stdout=out)

    assert json.loads(out.getvalue())["entity"] == "meridian-nl"
    assert asked_for(bank) == 1


def test_of_who_was_forgotten_it_says_so_and_holds_no_word(bank, anna):
    forgotten(anna.id)

    shown = signed_in("carla").get(page_of(bank)).content.decode()

    assert "This person was forgotten" in shown
    assert SAID not in shown


def test_a_customer_sees_their_own_and_no_colleague_by_name(bank, anna):
    browser, carla = signed_in("anna"), bank.employees["carla"]
    access_report(customer_id=bank.customer_id, asked_by=carla, at=bank.clock.now())

    shown = browser.get("/app/my-data/").content.decode()
    file = json.loads(browser.get("/app/my-data/?as=json").content)

    assert SAID in shown
    assert "given name: Anna" in shown
    assert "{&quot;" not in shown
    assert carla.id not in shown
    assert (file["customer_id"], file["accesses"]) == (str(bank.customer_id), [])
    assert dict(file["recipients"])["employee"] == 1
    assert asked_for(bank) == 3
    assert "/app/my-data/" in browser.get("/security/").content.decode()


@pytest.mark.parametrize("name", ["carla", "omar"])
def test_who_is_no_customer_has_no_data_page(bank, name):
    assert signed_in(name).get("/app/my-data/").status_code in {302, 403, 404}
