"""A compliance officer holds and erases on the console; operations agrees, or nothing happens."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from orchestration.public import TaskFilters, complete, subject_changes, tasks
from sentinel.public import erasures, legal_holds, subject_seal, subject_standing
from tests.journeys.test_hostile_browser import flows, signed_in

PAGE, CHANGE = "/console/privacy/", "/console/privacy/change/"


@pytest.fixture
def carla(bank):
    subject_seal(subject=bank.anna.id)
    return signed_in("carla")


@pytest.fixture
def said(bank):
    return {"what": "forget", "subject": bank.anna.id, "reason": "Asked for it by letter"}


def asked(browser, said):
    return browser.post(CHANGE, {**said, "step": "ask", "change_id": str(uuid4())})


def answered(who, verdict):
    (task,) = tasks(principal=who, filters=TaskFilters(kind="approval"))
    at = datetime.now(UTC)
    complete(task_id=task.id, principal=who, answer={"verdict": verdict}, comment="Looked", at=at)


def is_forgotten(bank):
    return subject_standing(subject=bank.anna.id).forgotten_at is not None


def test_an_empty_register_says_so_and_names_what_stays(carla):
    shown = carla.get(PAGE).content.decode()

    assert "Nobody is on hold" in shown
    assert "Nobody was forgotten" in shown
    assert "duty to keep books" in shown


def test_who_has_nothing_sealed_still_has_a_report(bank):
    carla = signed_in("carla")

    shown = carla.get(f"{PAGE}?customer={bank.anna.id}").content.decode()

    assert "Nothing is sealed for this customer" in shown
    assert f"/console/privacy/{bank.customer_id}/" in shown
    assert "That is no id" in carla.get(f"{PAGE}?customer=anna").content.decode()


def test_nothing_is_asked_until_it_was_seen(bank, carla, said):
    before = flows()

    seen = carla.post(CHANGE, said)

    assert seen.status_code == 200
    assert f"Erase for ever what is sealed for {bank.anna.id}" in seen.content.decode()
    assert flows() == before
    assert not is_forgotten(bank)


def test_what_operations_agrees_to_is_erased(bank, carla, said):
    answer = asked(carla, said)
    waiting = is_forgotten(bank)
    answered(bank.employees["omar"], "approve")

    assert answer.status_code == 302
    assert not waiting
    assert is_forgotten(bank)
    assert [each.subject for each in erasures()] == [bank.anna.id]
    shown = carla.get(f"{answer.url}&customer={bank.anna.id}").content.decode()
    assert "Forgotten" in shown
    assert "Their key was destroyed" in shown


def test_what_nobody_agrees_to_erases_nothing(bank, carla, said):
    asked(carla, said)
    answered(bank.employees["omar"], "reject")

    (change,) = subject_changes(principal=bank.employees["carla"])
    assert change.standing == "refused"
    assert not is_forgotten(bank)


def test_a_hold_stands_on_the_page_stops_an_erasure_and_is_ended(bank, carla, said):
    asked(carla, {**said, "what": "hold", "reason": "File 2026-114"})
    answered(bank.employees["omar"], "approve")

    refused = carla.post(CHANGE, said)
    assert refused.status_code == 422
    assert "A legal hold is in force" in refused.content.decode()
    assert "File 2026-114" in carla.get(PAGE).content.decode()
    (hold,) = legal_holds()
    asked(carla, {"what": "release", "hold": str(hold.id), "reason": "Closed"})
    answered(bank.employees["omar"], "approve")
    assert [each.is_standing for each in legal_holds()] == [False]
    assert carla.post(CHANGE, said).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"subject": "everybody"}, "String should match"),
        ({"subject": f"customer:{uuid4()}"}, "Nothing is held under this person"),
        ({"reason": ""}, "at least 1 character"),
        ({"what": "hold", "until": "2026-13-01"}, "Give a day"),
        ({"what": "hold", "until": "2020-01-01"}, "It would end before it begins"),
        ({"what": "release", "hold": "x"}, "valid UUID"),
        ({"what": "release", "hold": str(uuid4())}, "There is no such legal hold"),
    ],
)
def test_a_refusal_says_why_and_asks_nobody(carla, said, wrong, words):
    before = flows()

    answer = carla.post(CHANGE, {**said, **wrong})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert flows() == before


@pytest.mark.parametrize("name", ["anna", "omar", "eva"])
def test_personal_data_are_compliance_s_to_hold_and_erase(bank, said, name):
    browser = signed_in(name)
    before = flows()

    assert browser.get(PAGE).status_code in {302, 403, 404}
    assert asked(browser, said).status_code in {302, 403, 404}
    assert flows() == before
