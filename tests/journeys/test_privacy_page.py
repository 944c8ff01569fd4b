"""A customer objects on a page: the class is left out of what a purpose sees, and it says why."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection

import nexus.public
from tests.journeys.test_hostile_browser import signed_in

PAGE, SAY = "/privacy/", "/privacy/say/"


@pytest.fixture
def told(bank):
    """Something that Anna wrote, as Nexus knows it."""
    nexus.public.record_facts(
        facts=[
            nexus.public.NewFact(
                subject=f"party:{bank.customer_id}",
                name="note",
                value="called",
                valid_from=datetime(2026, 1, 1, tzinfo=UTC),
                source="case:1",
                event_id=uuid4(),
                purpose_class="communication",
            )
        ]
    )


def seen(bank):
    request = nexus.public.ContextRequest(
        subjects=(f"party:{bank.customer_id}",), purpose="servicing"
    )
    return nexus.public.context_for(request=request, snapshot_id=uuid4(), at=datetime.now(UTC))


def says(browser, word, **changes):
    asked = {
        "change_id": str(uuid4()),
        "purpose": "servicing",
        "data_class": "communication",
        "say": word,
    }
    return browser.post(SAY, {**asked, **changes})


def kept():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sentinel_consent")
        return cursor.fetchone()[0]


def test_what_a_customer_objects_to_is_left_out_with_the_reason(bank, told):
    anna = signed_in("anna")
    assert "note" in {item.name for item in seen(bank).items}

    answer = says(anna, "no")
    without = seen(bank)

    assert answer.status_code == 302
    assert "note" not in {item.name for item in without.items}
    assert ("note", "objected") in {(each.name, each.reason) for each in without.omitted}
    assert "Not used" in anna.get(PAGE).content.decode()
    says(anna, "yes")
    assert "note" in {item.name for item in seen(bank).items}


@pytest.mark.parametrize(
    "wrong",
    [
        {"data_class": "identity"},
        {"purpose": "compliance"},
        {"purpose": "made up"},
        {"purpose": ""},
    ],
)
def test_what_does_not_rest_on_their_word_stays(bank, wrong):
    answer = says(signed_in("anna"), "no", **wrong)

    assert answer.status_code == 422
    assert "Nothing has changed" in answer.content.decode()
    assert kept() == 0


def test_a_page_sent_twice_says_it_once(bank):
    anna, change_id = signed_in("anna"), str(uuid4())

    answers = [says(anna, "no", change_id=change_id).status_code for _ in range(2)]

    assert (answers, kept()) == ([302, 302], 1)
    assert says(anna, "no", change_id="x").status_code == 404


@pytest.mark.parametrize("name", ["omar", "carla"])
def test_colleagues_say_nothing_here(bank, name):
    browser = signed_in(name)

    assert browser.get(PAGE).status_code == 403
    assert says(browser, "no").status_code == 403
    assert kept() == 0
