"""A fraud analyst breaks glass from a page; everybody sees it, and compliance concludes it."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from orchestration.public import TaskFilters, complete, tasks
from sentinel.public import emergencies, running_emergencies
from tests.journeys.test_hostile_browser import flows, signed_in

PAGE, BEGIN, END = "/console/emergency/", "/console/emergency/begin/", "/console/emergency/end/"
SAID = {
    "kinds": ["accounts.set_status"],
    "minutes": "15",
    "reason": "Operations cannot be reached and an account is being emptied",
}


@pytest.fixture
def fatima(bank):
    return signed_in("fatima")


def broken(browser, **changes):
    asked = {**SAID, **changes, "step": "ask", "change_id": str(uuid4())}
    return browser.post(BEGIN, asked)


def reviewed(bank, name, verdict):
    who = bank.employees[name]
    (task,) = tasks(principal=who, filters=TaskFilters(kind="approval"))
    at = datetime.now(UTC)
    complete(task_id=task.id, principal=who, answer={"verdict": verdict}, comment="Seen", at=at)


def test_nothing_begins_before_it_was_seen_in_words(fatima):
    before = flows()

    form = fatima.get(BEGIN).content.decode()
    seen = fatima.post(BEGIN, SAID)

    assert "accounts.set_status" in form
    assert "limits.set" not in form
    assert "Break glass over accounts.set_status for 15 minutes" in seen.content.decode()
    assert (flows(), emergencies()) == (before, ())


def test_it_begins_is_told_on_every_page_and_can_be_ended(bank, fatima):
    answer = broken(fatima)

    (standing,) = running_emergencies()
    shown = fatima.get(answer.url).content.decode()
    assert "Running" in shown
    assert SAID["reason"] in shown
    assert "Another person reviews it" in shown
    carla = signed_in("carla")
    for browser, page in ((carla, "/console/"), (signed_in("eva"), "/workspace/"), (carla, PAGE)):
        assert "glass is broken over" in browser.get(page).content.decode()
    end = {"emergency": str(standing.id), "reason": "Over", "change_id": str(uuid4())}
    assert fatima.post(END, end).status_code == 302
    assert running_emergencies() == ()
    assert "glass is broken over" not in carla.get("/console/").content.decode()


@pytest.mark.parametrize(
    ("verdict", "words"), [("approve", "Justified"), ("reject", "Not justified")]
)
def test_compliance_concludes_the_review_from_its_queue(bank, fatima, verdict, words):
    broken(fatima)

    assert tasks(principal=bank.employees["fatima"], filters=TaskFilters(kind="approval")) == ()
    reviewed(bank, "carla", verdict)

    (found,) = emergencies()
    assert (found.is_justified, found.is_running) == (verdict == "approve", False)
    assert found.reviewer == bank.employees["carla"].id
    shown = signed_in("carla").get(PAGE).content.decode()
    assert words in shown
    assert "Owed a review" not in shown


@pytest.mark.parametrize("step", ["", "ask"])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kinds": []}, "Choose at least one"),
        ({"kinds": ["limits.set"]}, "kept for two people"),
        ({"kinds": ["payments.transfer"]}, "No rule in force says"),
        ({"minutes": "61"}, "less than or equal to 60"),
        ({"minutes": "1e1"}, "greater than or equal to 1"),
        ({"reason": "urgent"}, "at least 20 characters"),
    ],
)
def test_a_refusal_says_why_and_begins_nothing(fatima, step, wrong, words):
    before = flows()

    answer = fatima.post(BEGIN, {**SAID, **wrong, "step": step, "change_id": str(uuid4())})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert (flows(), emergencies()) == (before, ())


def test_a_second_one_is_refused_while_one_runs(fatima):
    broken(fatima)

    answer = broken(fatima)

    assert answer.status_code == 422
    assert "is running already" in answer.content.decode()
    assert len(emergencies()) == 1


@pytest.mark.parametrize("name", ["anna", "eva", "petra"])
def test_it_is_not_for_others(bank, name):
    browser = signed_in(name)

    assert [browser.get(PAGE).status_code, browser.get(BEGIN).status_code] == [403, 403]
    assert broken(browser).status_code == 403
    assert browser.post(END, {"emergency": str(uuid4()), "reason": "x"}).status_code == 403
    assert emergencies() == ()


def test_an_end_of_what_is_unknown_changes_nothing(fatima):
    broken(fatima)

    nonsense = fatima.post(END, {"emergency": "x", "reason": "y", "change_id": str(uuid4())})
    unknown = {"emergency": str(uuid4()), "reason": "y", "change_id": str(uuid4())}
    answer = fatima.post(END, unknown)

    assert nonsense.status_code == 422
    assert "There is no such emergency" in fatima.get(answer.url).content.decode()
    assert len(running_emergencies()) == 1
    assert fatima.post(END, {**unknown, "change_id": "x"}).status_code == 404
