"""Several requests in one message: one card with steps, taken out, confirmed, and followed."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import SignedIn
from tests.browser.customer import balance, code_of, put_away_open_cards, say

SAID = "pay Sophie 12 euro, block my card and tell me my balance"


def plan(page: Page):
    return page.locator(".slip", has=page.locator(".plan")).last


def test_a_plan_is_narrowed_confirmed_and_followed(signed_in: SignedIn) -> None:
    page = signed_in("anna")
    put_away_open_cards(page)
    before = balance(page)
    say(page, SAID)
    expect(plan(page).get_by_role("heading", name="Check these steps")).to_be_visible()
    expect(plan(page).locator("li")).to_have_count(3)

    page.get_by_role("button", name="Take out: Block a card").click()
    expect(plan(page).locator("li").nth(1)).to_have_class("removed")
    page.get_by_role("button", name="Do these steps").click()
    page.get_by_role("button", name="Pay € 12.00").click()
    code = page.get_by_label("Six digits from your authenticator")
    expect(code.or_(page.get_by_role("heading", name="Receipt")).first).to_be_visible()
    if code.count():
        code.fill(code_of(page, "Anna de Vries"))
        page.get_by_role("button", name="Confirm € 12.00").click()

    expect(plan(page).locator("li").first).to_contain_text("Done")
    expect(plan(page).locator("li").last).to_contain_text("Done")
    expect(page.get_by_role("heading", name="Balance", exact=True).last).to_be_visible()
    expect(page.locator(".holdings li").first.locator(".figure-large")).not_to_have_text(before)
    expect(page.locator("#thread")).to_contain_text(re.compile("2 of 3 done"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_a_plan(signed_in: SignedIn, theme: str) -> None:
    page = signed_in("bob", color_scheme=theme)
    say(page, "block my card and tell me my balance")
    expect(plan(page)).to_be_visible()

    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/app/chat/")
    expect(plan(page)).to_be_visible()
    is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not is_wide
    page.get_by_role("button", name="Cancel").last.click()
    expect(page.locator("#thread")).to_contain_text("Nothing of it was done.")
