"""What a customer does on their pages, in words."""

import re

from playwright.sync_api import Locator, Page, expect


def is_live(page: Page) -> None:
    """Wait until the page hears news."""
    expect(page.locator("body")).to_have_attribute("data-line-state", "open")


def say(page: Page, words: str) -> Locator:
    """Send a message and return the bank's answer once it is complete."""
    is_live(page)
    turns = page.locator("#thread .turn:not(.own)")
    before = turns.count()
    page.get_by_label("Message").fill(words)
    page.get_by_label("Message").press("Enter")
    expect(page.locator("#thread .turn.is-streaming")).to_have_count(0)
    expect(turns).not_to_have_count(before)
    return turns.last


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
