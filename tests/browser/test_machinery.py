"""Operations looks at triggers, queues, feeds and effects, and pauses a trigger with a reason."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import SignedIn
from tests.browser.customer import say

PAGES = (
    "triggers/",
    "triggers/flagged_transaction/posted/",
    "queues/",
    "queues/default/",
    "effects/",
)
WHY = "The fraud desk asked us to wait."


def _at(page: Page, part: str) -> Page:
    page.goto(f"/workspace/machinery/{part}")
    return page


def test_a_trigger_is_found_and_shows_what_it_begins(signed_in: SignedIn) -> None:
    omar = _at(signed_in("omar"), "triggers/")

    with omar.expect_response(lambda answer: answer.request.method == "POST"):
        omar.get_by_label("Search").fill("unusual")

    expect(omar.locator("#triggers tbody tr")).to_have_count(1)
    expect(omar.locator("#triggers")).to_contain_text("Each transfer in accounts")
    omar.locator("#triggers a.cover-row").click()
    expect(omar.get_by_role("heading", level=1)).to_have_text("Unusual payment: posted")
    _at(omar, "triggers/?kind=webhook")
    expect(omar.locator("#triggers")).to_contain_text("No trigger matches")


def test_a_trigger_is_paused_with_a_reason_and_let_go_on(
    signed_in: SignedIn, complaints: list[str]
) -> None:
    omar = _at(signed_in("omar"), "triggers/block_card/report/")

    omar.get_by_role("link", name="Pause").click()
    omar.get_by_label("Reason").fill("     ")
    omar.get_by_role("button", name="Pause it").click()
    expect(omar.get_by_role("alert")).to_contain_text("Say why")
    omar.get_by_label("Reason").fill(WHY)
    omar.get_by_role("button", name="Pause it").click()
    expect(omar.locator("#trigger-now")).to_contain_text("Paused")
    expect(omar.locator("#trigger-now")).to_contain_text(WHY)
    expect(omar.locator("#trigger-now")).to_contain_text("Omar Haddad")

    omar.get_by_role("link", name="Let it go on").click()
    omar.get_by_role("button", name="Let it go on").click()
    expect(omar.locator("#trigger-now")).to_contain_text("On")
    complaints.clear()


def test_queues_and_feeds_show_how_they_stand(signed_in: SignedIn) -> None:
    omar = _at(signed_in("omar"), "queues/")

    expect(omar.locator("#figures")).to_contain_text("Default")
    expect(omar.locator("#figures")).to_contain_text("Data change")


def test_a_queue_is_changed_only_after_a_second_person(
    signed_in: SignedIn, complaints: list[str]
) -> None:
    omar, nadia = _at(signed_in("omar"), "queues/"), signed_in("nadia")

    omar.get_by_role("link", name="Change the queue default").click()
    omar.get_by_label("At most at once").fill("-1")
    omar.get_by_label("Reason").fill(WHY)
    omar.get_by_role("button", name="See what it would change").click()
    expect(omar.get_by_role("alert")).to_contain_text("Give a number from 1 to 10,000")
    expect(omar.get_by_label("Reason")).to_have_value(WHY)
    omar.get_by_label("At most at once").fill("500")
    omar.get_by_role("button", name="See what it would change").click()
    expect(omar.locator("dl.facts")).to_contain_text("No limit → 500")
    omar.get_by_role("button", name="Ask a second person").click()
    expect(omar.get_by_role("status").first).to_contain_text("Asked for")
    expect(omar.locator("#queue-changes")).to_contain_text("Waits for approval")
    expect(omar.locator("#figures tbody tr").first).to_contain_text("No limit")

    _at(nadia, "queues/").get_by_role("link", name="Open case").first.click()
    nadia.get_by_role("button", name="Claim").first.click()
    expect(nadia.locator("main")).to_contain_text("at most 500 at once")
    nadia.get_by_label("Comment", exact=False).first.fill("It is what they asked for.")
    nadia.get_by_role("button", name="Approve").focus()
    nadia.keyboard.press("Enter")
    expect(nadia.locator("#case-tasks")).to_contain_text("Done")

    expect(omar.locator("#queue-changes")).to_contain_text("Made")
    expect(omar.locator("#queue-changes")).to_contain_text("Nadia")
    expect(omar.locator("#figures tbody tr").first).to_contain_text("500")
    complaints.clear()


def test_a_run_is_changed_by_hand_only_after_a_second_person(
    signed_in: SignedIn, complaints: list[str]
) -> None:
    anna, omar, nadia = signed_in("anna"), signed_in("omar"), signed_in("nadia")
    say(anna, "pay Bob Jansen 13.57 euro for lunch")
    omar.goto("/workspace/running/")
    with omar.expect_response(lambda answer: answer.request.method == "POST"):
        omar.get_by_label("Search").fill("13.57")
    omar.locator("#running a.cover-row").last.click()

    omar.get_by_role("link", name="Change by hand").click()
    omar.get_by_label("Variables to correct").fill("no object")
    omar.get_by_label("Reason").fill(WHY)
    omar.get_by_role("button", name="Ask a second person").click()
    expect(omar.get_by_role("alert")).to_contain_text("not a JSON object")
    omar.get_by_label("Variables to correct").fill('{"remittance": "dinner"}')
    omar.get_by_role("button", name="Ask a second person").click()
    expect(omar.locator("#run-history")).to_be_attached()

    nadia.goto("/workspace/")
    expect(nadia.get_by_text("put a case right by hand").first).to_be_visible()
    complaints.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_machinery(signed_in: SignedIn, theme: str) -> None:
    omar = signed_in("omar", color_scheme=theme)

    shown = [(part, violations(_at(omar, part))) for part in PAGES]
    shown.append(("asked", violations(_at(omar, f"{PAGES[1]}?do=pause"))))

    assert [found for found in shown if found[1]] == []


@pytest.mark.parametrize("width", [320, 390])
def test_the_machinery_is_no_wider_than_the_screen(signed_in: SignedIn, width: int) -> None:
    omar = signed_in("omar", viewport={"width": width, "height": 800})

    for part in PAGES:
        _at(omar, part)
        measured = omar.evaluate("document.documentElement.scrollWidth")
        assert (part, measured) == (part, width)


def test_the_machinery_is_not_for_other_roles(signed_in: SignedIn, complaints: list[str]) -> None:
    for username in ("eva", "fatima", "anna"):
        page = signed_in(username)
        for part in PAGES:
            answer = page.goto(f"/workspace/machinery/{part}")
            assert (username, part, answer and answer.status) == (username, part, 403)
    complaints.clear()
