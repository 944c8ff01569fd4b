"""The page of the staff: when each works, changed by who may, and signing off for the day."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from deploy.sample.story import MERIDIAN_NL, sample_id
from orchestration.worklist.calendars import WEEKDAYS
from tests.journeys.test_hostile_browser import signed_in

PAGE = "/workspace/people/"
CHANGE = "/workspace/people/hours/"
WEEKEND = {"saturday": "10:00-14:00", "sunday": "9:00 - 12:00, 13:00\u201317:30"}


def staff_id(username):
    """Return the name under which somebody works the lists."""
    return f"employee:{sample_id(MERIDIAN_NL.entity, 'person', username)}"


def kept():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT principal_id, content, set_by FROM orch_working_hours"
            " ORDER BY principal_id, version"
        )
        return cursor.fetchall()


def row_of(page, username):
    """Return what the table says of one colleague."""
    name = next(each.display_name for each in MERIDIAN_NL.employees if each.username == username)
    return next(row for row in page.split("<tr>") if f'<span class="strong">{name}' in row)


def test_somebody_declares_their_hours_and_the_page_shows_them(bank):
    eva = signed_in("eva")
    form = eva.get(PAGE, {"hours": staff_id("eva")}).content.decode()
    assert 'name="saturday"' in form

    answer = eva.post(CHANGE, {"who": staff_id("eva"), "declared": "yes", **WEEKEND})

    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert kept() == [
        (
            staff_id("eva"),
            '{"saturday": [["10:00", "14:00"]],'
            ' "sunday": [["09:00", "12:00"], ["13:00", "17:30"]]}',
            staff_id("eva"),
        )
    ]
    row = row_of(eva.get(PAGE).content.decode(), "eva")
    assert "Saturday 10:00-14:00" in row
    assert "Sunday 09:00-12:00, 13:00-17:30" in row


def test_who_is_off_is_shown_with_when_they_are_back(bank):
    eva = signed_in("eva")
    other_day = WEEKDAYS[(bank.clock.now() + timedelta(days=3)).weekday()]

    eva.post(CHANGE, {"who": staff_id("eva"), "declared": "yes", other_day: "10:00-14:00"})

    row = row_of(eva.get(PAGE).content.decode(), "eva")
    assert "Off" in row
    assert "until" in row


def test_operations_sets_the_hours_of_others_and_takes_them_back(bank):
    omar = signed_in("omar")
    omar.post(CHANGE, {"who": staff_id("fatima"), "declared": "yes", **WEEKEND})

    omar.post(CHANGE, {"who": staff_id("fatima"), "declared": "", **WEEKEND})

    assert [row[1] for row in kept()][-1] == ""
    assert [row[2] for row in kept()] == [staff_id("omar")] * 2
    assert "Not declared" in row_of(omar.get(PAGE).content.decode(), "fatima")


def test_nobody_sets_the_hours_of_a_colleague(bank):
    eva = signed_in("eva")
    assert 'name="saturday"' not in eva.get(PAGE, {"hours": staff_id("omar")}).content.decode()

    answer = eva.post(CHANGE, {"who": staff_id("omar"), "declared": "yes", **WEEKEND})

    assert answer.status_code == 422
    assert "Only operations or the lead of the team" in answer.content.decode()
    assert kept() == []


@pytest.mark.parametrize("typed", ["nine to five", "10:00-14:00,", "14:00-10:00", "10:00-25:00"])
def test_hours_that_cannot_be_read_stay_in_the_form_with_why(bank, typed):
    eva = signed_in("eva")

    answer = eva.post(
        CHANGE, {"who": staff_id("eva"), "declared": "yes", **WEEKEND, "monday": typed}
    )

    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'name="monday" value="{typed}"' in page
    assert "Give the hours as 09:00-17:00" in page.partition('id="hours-monday-error"')[2][:200]
    assert f'value="{WEEKEND["saturday"]}"' in page
    assert kept() == []


def test_somebody_signs_off_once_and_is_shown_away(bank):
    eva = signed_in("eva")

    first = eva.post("/workspace/people/sign-off/", {"id": str(uuid4())})
    again = eva.post("/workspace/people/sign-off/", {"id": str(uuid4())})

    assert (first.status_code, again.status_code) == (302, 422)
    page = again.content.decode()
    assert "You are away already." in page
    assert "Away" in row_of(page, "eva")
    assert "Sign off for today" not in page


def test_a_sign_off_without_an_id_is_not_there(bank):
    assert signed_in("eva").post("/workspace/people/sign-off/", {"id": "x"}).status_code == 404
