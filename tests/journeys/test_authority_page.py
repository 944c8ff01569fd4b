"""A compliance officer reads and changes who may decide what; operations agrees, or nothing is."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from orchestration.public import TaskFilters, authority_changes, complete, tasks
from sentinel.public import authorities
from tests.journeys.test_hostile_browser import flows, signed_in

PAGE, CHANGE = "/console/authority/", "/console/authority/change/"


@pytest.fixture
def carla(bank):
    return signed_in("carla")


@pytest.fixture
def said(bank):
    return {
        "what": "mandate",
        "holder": f"employee:{bank.employees['eva'].person_id}",
        "powers": "act",
        "kinds": "payments.transfer",
        "cap": "2500.00",
        "currency": "EUR",
        "reason": "As agreed with the desk",
    }


def answered(who, verdict):
    (task,) = tasks(principal=who, filters=TaskFilters(kind="approval"))
    at = datetime.now(UTC)
    complete(task_id=task.id, principal=who, answer={"verdict": verdict}, comment="Looked", at=at)


def standing():
    return authorities(at=datetime.now(UTC))


def test_an_empty_register_says_that_the_rules_alone_decide(carla):
    shown = carla.get(PAGE).content.decode()

    assert "No authority is written down" in shown
    assert "approve:payments.transfer" in shown


def test_nothing_is_asked_until_it_was_seen(carla, said):
    before = flows()

    seen = carla.post(CHANGE, said)

    assert seen.status_code == 200
    assert "up to 2500.00 EUR" in seen.content.decode()
    assert (flows(), standing()) == (before, ())


def test_what_operations_agrees_to_stands_on_the_page_and_can_be_ended(bank, carla, said):
    asked = {**said, "step": "ask", "change_id": str(uuid4())}

    answers = [carla.post(CHANGE, asked) for _ in range(2)]
    waiting = standing()
    answered(bank.employees["omar"], "approve")

    assert [each.status_code for each in answers] == [302, 302]
    assert "A second person looks at it" in carla.get(answers[0].url).content.decode()
    assert waiting == ()
    (row,) = standing()
    assert (row.holder, row.standing, row.cap.as_decimal()) == (said["holder"], "stands", "2500.00")
    shown = carla.get(PAGE).content.decode()
    assert "2500.00 EUR" in shown
    assert "Eva Mulder" in shown
    end = {"what": "revoke", "authority": str(row.id), "reason": "over"}
    carla.post(CHANGE, {**end, "step": "ask", "change_id": str(uuid4())})
    answered(bank.employees["omar"], "approve")
    assert [each.standing for each in standing()] == ["ended"]
    assert "Nothing matches" in carla.get(PAGE).content.decode()
    assert "Ended" in carla.get(f"{PAGE}?standing=all&q=eva&kind=payments").content.decode()


def test_what_nobody_agrees_to_changes_nothing(bank, carla, said):
    carla.post(CHANGE, {**said, "step": "ask", "change_id": str(uuid4())})

    answered(bank.employees["omar"], "reject")

    (change,) = authority_changes(principal=bank.employees["carla"])
    assert (change.standing, standing()) == ("refused", ())


@pytest.mark.parametrize("step", ["", "ask"])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"holder": "everybody"}, "String should match"),
        ({"holder": f"employee:{uuid4()}"}, "Nobody signs in under this name"),
        ({"kinds": "made.up"}, "There is no such kind of action"),
        ({"cap": "1e3"}, "Give an amount such as 2500.00"),
        ({"cap": "0.125"}, "Give an amount such as 2500.00"),
        ({"valid_until": "2020-01-01"}, "is over already"),
        ({"valid_until": "2026-13-01"}, "Give a day"),
        ({"reason": ""}, "String should have at least 1 character"),
        ({"what": "role", "role": "king"}, "There is no such role"),
    ],
)
def test_a_refusal_says_why_and_loses_nothing(carla, said, step, wrong, words):
    before = flows()

    answer = carla.post(CHANGE, {**said, **wrong, "step": step, "change_id": str(uuid4())})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert said["reason"] in answer.content.decode() or "reason" in wrong
    assert (flows(), standing()) == (before, ())


@pytest.mark.parametrize("name", ["anna", "omar", "eva"])
def test_the_console_is_for_compliance(bank, said, name):
    browser = signed_in(name)

    assert browser.get(PAGE).status_code == 403
    assert browser.post(CHANGE, {**said, "step": "ask"}).status_code == 403
    assert standing() == ()


def test_what_is_no_change_is_not_there(carla, said):
    assert carla.post(CHANGE, {**said, "what": "everything"}).status_code == 404
    assert carla.post(CHANGE, {**said, "step": "ask", "change_id": "x"}).status_code == 404
