"""Colleagues on one case: handed on by name, commented, a file put in; and who is away."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import SignedIn
from tests.browser.customer import is_live, say
from tests.browser.story import drop_invoice

WORDS = "You know this customer; please look."


@pytest.fixture
def case(signed_in: SignedIn) -> Page:
    """Let a customer ask for a person; open the task it makes as operations or an adviser."""
    anna, eva = signed_in("anna"), signed_in("eva")
    say(anna, "I would like to talk to a person")
    eva.goto("/workspace/")
    eva.locator("#queue a.cover-row").first.click()
    expect(eva.get_by_role("heading", name="Add to the case")).to_be_visible()
    return eva


def test_words_and_files_are_added_and_seen_without_reload(
    case: Page, signed_in: SignedIn, complaints
) -> None:
    other = signed_in("eva")
    other.goto(case.url)
    is_live(other)

    case.get_by_label("Comment for colleagues").fill("The customer called twice.")
    case.get_by_role("button", name="Add comment").click()
    expect(other.locator("#case-history")).to_contain_text("The customer called twice.")

    note = {"name": "call.txt", "mimeType": "text/plain", "buffer": b"Called at noon."}
    case.get_by_label("File").set_input_files(note)
    case.get_by_role("button", name="Attach file").click()
    expect(other.locator("#case-documents")).to_contain_text("call.txt")

    script = {"name": "x.html", "mimeType": "text/html", "buffer": b"<script>"}
    case.get_by_label("File").set_input_files(script)
    case.get_by_role("button", name="Attach file").click()
    expect(case.get_by_role("alert")).to_contain_text("Only PDF, PNG, JPEG and plain text")
    expect(case.locator("#case-documents")).not_to_contain_text("x.html")
    complaints.clear()


def test_a_task_is_handed_on_to_a_colleague_by_keyboard(signed_in: SignedIn) -> None:
    anna, omar, nadia = signed_in("anna"), signed_in("omar"), signed_in("nadia")
    drop_invoice(anna)
    anna.get_by_role("button", name="Pay € 1,250.00").last.click()
    expect(anna.locator("#thread .turn").last.locator(".slip.refusal")).to_be_visible()
    omar.goto("/workspace/")
    omar.locator("main a", has_text=re.compile("call back", re.IGNORECASE)).first.click()
    fold = omar.locator(".hand-on summary").first
    fold.focus()
    omar.keyboard.press("Enter")
    omar.get_by_label("Colleague", exact=True).select_option(index=1)
    omar.get_by_label("Words for them").fill(WORDS)
    omar.get_by_role("button", name="Hand it on").click()

    expect(omar.locator("#case-tasks")).to_contain_text(f"Given to Nadia Kok: handed on: {WORDS}")
    nadia.goto("/workspace/?view=mine")
    expect(nadia.locator("#queue")).to_contain_text("Given to you")


def test_an_absence_is_entered_after_a_confirmation_and_ended(signed_in: SignedIn) -> None:
    omar = signed_in("omar")
    omar.goto("/workspace/people/")
    first = datetime.now(UTC).date() + timedelta(days=30)
    omar.get_by_label("Who").select_option(label="Nadia Kok")
    omar.get_by_label("First day").fill(first.isoformat())
    omar.get_by_label("Last day").fill((first + timedelta(days=6)).isoformat())
    omar.get_by_label("Stands in").select_option(index=1)
    omar.get_by_role("button", name="Go on").click()
    expect(omar.get_by_role("heading", name="Enter this absence?")).to_be_focused()
    expect(omar.locator("#staff [data-absence]")).to_have_count(0)
    assert violations(omar) == []

    omar.get_by_role("button", name="Enter the absence").click()
    expect(omar.locator("#staff [data-absence]")).to_contain_text("Nadia Kok")

    omar.get_by_role("link", name="End it").click()
    omar.get_by_role("button", name="End the absence").click()
    expect(omar.locator("#staff [data-absence]")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_a_case_one_adds_to(case: Page, theme: str) -> None:
    case.emulate_media(color_scheme=theme)

    assert violations(case) == []
