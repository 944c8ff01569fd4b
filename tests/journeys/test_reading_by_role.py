"""Who of the bank may read a case, its documents and a customer, and that it is on record."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection

import interaction.public
import orchestration.public
from deploy.sample.invoice import draw_invoice
from orchestration.durable import sweeping
from orchestration.public import Attachment, NotForYourRole, TaskFilters
from orchestration.worklist.readers import readers
from tests.journeys.test_hostile_browser import signed_in

OTHERS = ("eva", "fatima", "lucas")


@pytest.fixture
def task(bank, tmp_path):
    """A call-back offered to operations, with an invoice beside it."""
    path = tmp_path / "invoice.pdf"
    draw_invoice(path=path, on=bank.clock.now().date())
    invoice = Attachment(uuid4(), "invoice.pdf", "application/pdf", path.read_bytes())
    chat = bank.chat()
    shown = chat.says("pay this", invoice)
    (card,) = [card for card in shown.cards if card.kind == "confirm_payment"]
    chat.answers(card, answer="confirm")
    (found,) = orchestration.public.tasks(
        principal=bank.employees["omar"], filters=TaskFilters(kind="call_back")
    )
    return found


def read(bank, task, who):
    return orchestration.public.case(
        case_id=task.case_id, principal=bank.employees[who], at=bank.clock.now()
    )


def document_of(bank, task):
    return read(bank, task, "omar").documents[0].id


def accesses():
    """Return what the evidence log says was read and refused, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT body FROM sentinel_record WHERE kind = 'access' ORDER BY recorded_at, id"
        )
        found = [json.loads(bytes(body))["content"] for (body,) in cursor.fetchall()]
    return [(each["principal"], each["resource"], each["result"]) for each in found]


def test_those_who_are_offered_a_task_and_those_who_oversee_read_the_case(bank, task):
    assert read(bank, task, "omar").id == task.case_id
    assert read(bank, task, "carla").id == task.case_id
    assert accesses() == [
        (bank.employees["omar"].id, f"case:{task.case_id}", "read"),
        (bank.employees["carla"].id, f"case:{task.case_id}", "read"),
    ]


def test_reading_is_recorded_once_a_day_and_refusal_each_time(bank, task):
    for _ in range(3):
        read(bank, task, "omar")
        with pytest.raises(NotForYourRole):
            read(bank, task, "lucas")

    results = [result for _principal, _resource, result in accesses()]
    assert sorted(results) == ["read", "refused", "refused", "refused"]


@pytest.mark.parametrize("who", OTHERS)
def test_a_case_of_other_roles_is_refused_and_the_refusal_is_on_record(bank, task, who):
    document = document_of(bank, task)
    before = accesses()

    with pytest.raises(NotForYourRole) as refused:
        read(bank, task, who)
    with pytest.raises(NotForYourRole):
        orchestration.public.document_content(
            document_id=document, principal=bank.employees[who], at=bank.clock.now()
        )

    assert refused.value.code == "not_for_your_role"
    assert accesses()[len(before) :] == [
        (bank.employees[who].id, f"case:{task.case_id}", "refused"),
        (bank.employees[who].id, f"document:{document}", "refused"),
    ]
    assert orchestration.public.cases(principal=bank.employees[who]) == ()


def test_a_document_is_read_with_its_case_and_by_its_customer(bank, task):
    document = document_of(bank, task)

    for principal in (bank.employees["omar"], bank.employees["carla"], bank.anna):
        name, media_type, content = orchestration.public.document_content(
            document_id=document, principal=principal, at=bank.clock.now()
        )
        assert (name, media_type, content[:4]) == ("invoice.pdf", "application/pdf", b"%PDF")


def test_who_works_on_a_task_reads_its_case_after_their_role_is_gone(bank, task):
    omar = bank.employees["omar"]
    orchestration.public.claim(task_id=task.id, principal=omar, at=bank.clock.now())
    elsewhere = replace(omar, roles=("underwriter",))

    found = orchestration.public.case(
        case_id=task.case_id, principal=elsewhere, at=bank.clock.now()
    )

    assert found.id == task.case_id


def test_the_list_holds_what_a_person_may_read_and_finds_signs_as_typed(bank, task):
    omar, carla = bank.employees["omar"], bank.employees["carla"]
    bank.chat().says("pay Hendriks Vastgoed 250 euro for the rent")

    assert {row.id for row in orchestration.public.cases(principal=omar)} == {task.case_id}
    assert len(orchestration.public.cases(principal=carla)) == 2
    for sign in ("%", "_", "100%", "\\"):
        assert orchestration.public.cases(principal=carla, search=sign) == ()
    assert len(orchestration.public.cases(principal=carla, search="hendriks")) == 2
    assert len(orchestration.public.cases(principal=carla, customer_id=bank.customer_id)) == 2
    assert orchestration.public.cases(principal=carla, customer_id=uuid4()) == ()


def test_a_sign_in_a_title_is_found_by_that_sign(bank, task):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orch_case SET title = '5%% off_\\now' WHERE id = %s", [task.case_id])

    for sign in ("5%", "%", "f_", "\\n"):
        found = orchestration.public.cases(principal=bank.employees["omar"], search=sign)
        assert (sign, [row.id for row in found]) == (sign, [task.case_id])
    assert orchestration.public.cases(principal=bank.employees["omar"], search="5_") == ()


def customer(bank, who):
    return interaction.public.customer_screen(
        customer_id=bank.customer_id, principal=bank.employees[who], at=bank.clock.now()
    )


@pytest.mark.parametrize("who", ["eva", "omar", "carla"])
def test_roles_that_serve_customers_read_them_without_a_case(bank, who):
    assert customer(bank, who).customer_id == bank.customer_id
    assert accesses() == [(bank.employees[who].id, f"customer:{bank.customer_id}", "read")]


@pytest.mark.parametrize("who", ["fatima", "lucas"])
def test_other_roles_read_a_customer_with_a_case_only(bank, who):
    with pytest.raises(NotForYourRole):
        customer(bank, who)
    with pytest.raises(NotForYourRole):
        interaction.public.customer_bookings(
            customer_id=bank.customer_id, principal=bank.employees[who], at=bank.clock.now()
        )
    found = interaction.public.find_customers(text="anna", principal=bank.employees[who])

    assert found == ()
    assert {result for _who, _what, result in accesses()} == {"refused"}


def test_a_case_opens_its_customer_to_the_role_that_works_on_it(bank, task):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orch_task SET roles = '{fraud_analyst}' WHERE id = %s", [task.id])
    fatima = bank.employees["fatima"]

    found = interaction.public.find_customers(text="vries", principal=fatima)

    assert [each["name"] for each in found] == ["Anna de Vries"]
    assert customer(bank, "fatima").customer_id == bank.customer_id
    with pytest.raises(NotForYourRole):
        customer(bank, "lucas")


def test_pages_of_other_roles_are_not_there(bank, task):
    document = document_of(bank, task)
    lucas, omar = signed_in("lucas"), signed_in("omar")

    for address in (
        f"/workspace/cases/{task.case_id}/",
        f"/workspace/cases/{task.case_id}/drawing.bpmn",
        f"/workspace/documents/{document}/",
        f"/workspace/customers/{bank.customer_id}/",
    ):
        assert (address, lucas.get(address).status_code) == (address, 404)
        assert (address, omar.get(address).status_code) == (address, 200)


def test_every_role_that_reads_is_a_registered_one():
    content = json.loads((settings.BASE_DIR / "sentinel/policy/bank/policy.json").read_bytes())
    known = set(content["registry"]["roles"])

    assert readers().everything | readers().customers <= known
    assert readers().everything


def test_a_notice_stands_in_the_queue_until_it_is_seen(bank, task):
    bank.clock.later(days=9)
    sweeping.sweep(limit=50, clock=bank.clock.now)
    orchestration.public.notify_once(clock=bank.clock.now)
    omar, lucas = signed_in("omar"), signed_in("lucas")
    shown = orchestration.public.notices(principal=bank.employees["omar"])
    address = f"/workspace/notices/{shown[0].id}/seen/"

    assert {each.kind for each in shown} >= {"overdue"}
    assert f'data-notice="{shown[0].id}"' in omar.get("/workspace/").content.decode()
    assert "data-notice" not in lucas.get("/workspace/").content.decode()
    assert lucas.post(address).status_code == 404
    assert omar.post(address).status_code == 302
    assert f'data-notice="{shown[0].id}"' not in omar.get("/workspace/").content.decode()
