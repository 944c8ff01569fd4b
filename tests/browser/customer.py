"""What a customer does on their pages, in words."""

import re

from playwright.sync_api import Locator, Page, expect


def is_live(page: Page) -> None:
    """Wait until the page hears news."""
    expect(page.locator("body")).to_have_attribute("data-line-state", "open")


def say(page: Page, words: str) -> Locator:
    """Send a message and return the bank's answer once it is complete."""
    is_live(page)
    # A long conversation shows its latest turns only, so they are told by their id, not counted.
    own = page.locator("#thread .turn.own")
    before = own.last.get_attribute("id") if own.count() else None
    page.get_by_label("Message").fill(words)
    page.get_by_label("Message").press("Enter")
    expect(page.locator("#thread .turn.is-streaming")).to_have_count(0)
    expect(own.last).to_have_attribute(
        "id", re.compile(rf"^turn-(?!{(before or 'turn-none')[5:]})")
    )
    return page.locator("#thread .turn:not(.own)").last


def put_away_open_cards(page: Page) -> None:
    """Cancel what an earlier conversation left open; what is said is then a request of its own."""
    is_live(page)
    cancel = page.locator("#thread").get_by_role("button", name="Cancel", exact=True)
    while left := cancel.count():
        cancel.last.click()
        expect(cancel).to_have_count(left - 1)


def code_of(page: Page, name: str) -> str:
    """Read the code a person's simulated phone shows."""
    phone = page.context.new_page()
    phone.goto("/simulators/phone/")
    shown = phone.locator(".phone", has_text=name).first.locator(".code").inner_text()
    phone.close()
    return re.sub(r"\D", "", shown)


def balance(page: Page) -> str:
    """Return the current account's balance as the overview shows it."""
    return page.locator(".holdings li").first.locator(".figure-large").inner_text()
