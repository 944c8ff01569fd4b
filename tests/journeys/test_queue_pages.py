"""Operations changes a queue on its page: seen before it is asked, refused beside the field."""

from uuid import uuid4

import pytest

from orchestration.public import queue_changes, queue_setting
from tests.journeys.test_hostile_browser import flows, signed_in

PAGE = "/workspace/machinery/queues/default/"
SAID = {"cap": "5", "share": "2", "why": "The card processor asks us to slow down."}


@pytest.fixture
def omar(bank):
    return signed_in("omar")


def test_nothing_is_asked_until_it_was_seen(bank, omar):
    before = flows()

    seen = omar.post(PAGE, SAID)

    assert seen.status_code == 200
    assert "No limit → 5" in seen.content.decode()
    assert "1 → 2" in seen.content.decode()
    assert (flows(), queue_changes(principal=bank.employees["omar"])) == (before, ())


def test_a_change_that_was_seen_is_asked_for_once(bank, omar):
    said = {**SAID, "step": "ask", "change_id": str(uuid4())}

    answers = [omar.post(PAGE, said) for _ in range(2)]

    assert [each.status_code for each in answers] == [302, 302]
    (change,) = queue_changes(principal=bank.employees["omar"])
    assert (str(change.asked.id), change.asked.standing) == (said["change_id"], "asked")
    assert (change.after.cap, change.after.share) == (5, 2)
    assert queue_setting(queue="default", principal=bank.employees["omar"]).cap is None
    shown = omar.get(answers[0].url).content.decode()
    assert f"Case {change.asked.case_number} decides" in shown


@pytest.mark.parametrize("step", ["", "ask"])
@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("cap", "-1", "Give a number from 1 to 10,000"),
        ("cap", "0", "Give a number from 1 to 10,000"),
        ("cap", "10001", "Give a number from 1 to 10,000"),
        ("cap", "1.5", "Give a whole number"),
        ("cap", "٣", "Give a whole number"),
        ("cap", "9" * 5_000, "Give a whole number"),
        ("share", "", "Give a whole number"),
        ("share", "0", "Give a number from 1 to 100"),
        ("share", "101", "Give a number from 1 to 100"),
        ("why", "   ", "Say why"),
    ],
)
def test_a_refusal_stands_beside_its_field_and_loses_nothing(omar, step, field, typed, words):
    before = flows()

    answer = omar.post(PAGE, {**SAID, field: typed, "step": step, "change_id": str(uuid4())})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page.partition(f'id="{field}-error"')[2][:400]
    kept = "share" if field == "cap" else "cap"
    assert f'name="{kept}"' in page
    assert f'value="{SAID[kept]}"' in page
    assert flows() == before


def test_what_is_so_already_is_not_asked_for(omar):
    answer = omar.post(PAGE, {**SAID, "cap": "", "share": "1"})

    assert answer.status_code == 422
    assert "This is what is in force already." in answer.content.decode()


@pytest.mark.parametrize("username", ["eva", "fatima", "carla"])
def test_a_queue_is_for_operations_only(bank, username):
    other = signed_in(username)
    before = flows()

    read = other.get(PAGE)
    asked = other.post(PAGE, {**SAID, "step": "ask", "change_id": str(uuid4())})

    assert (read.status_code, asked.status_code, flows()) == (403, 403, before)


def test_a_queue_nobody_has_is_not_there(omar):
    assert omar.get("/workspace/machinery/queues/nowhere/").status_code == 404
    assert omar.post("/workspace/machinery/queues/nowhere/", SAID).status_code == 404
