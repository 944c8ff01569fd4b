"""Every page: no complaint of axe in either theme, nothing cut off, all by keyboard."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import SignedIn
from tests.browser.customer import is_live, say

FRONT = ("/", "/sign-in/", "/tour/", "/simulators/phone/", "/design/", "/design/?dense=1")
APP = (
    "/app/",
    "/app/payments/",
    "/app/payments/new/",
    "/app/payees/",
    "/app/cards/",
    "/app/chat/",
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_front_pages(context, theme: str) -> None:
    page = context(color_scheme=theme).new_page()

    for address in FRONT:
        page.goto(address)

        assert (address, violations(page)) == (address, [])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_app(signed_in: SignedIn, theme: str) -> None:
    page = signed_in("anna", color_scheme=theme)
    account = page.locator(".holdings a").first.get_attribute("href")
    say(page, "what is my balance?")

    for address in (*APP, account):
        page.goto(address)

        assert (address, violations(page)) == (address, [])


@pytest.mark.parametrize("width", [320, 390, 768, 1024])
def test_nothing_is_wider_than_the_screen(signed_in: SignedIn, width: int) -> None:
    page = signed_in("anna", viewport={"width": width, "height": 800})

    for address in (*FRONT, *APP):
        page.goto(address)

        assert (address, page.evaluate("document.documentElement.scrollWidth")) == (address, width)


def test_the_skip_link_is_first_and_leads_to_the_content(signed_in: SignedIn) -> None:
    page = signed_in("anna")
    page.goto("/app/payees/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()


def test_the_palette_opens_narrows_and_goes_by_keyboard(signed_in: SignedIn) -> None:
    page = signed_in("anna")

    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to or do")).to_be_focused()
    page.keyboard.type("lost")
    expect(page.get_by_role("option", name="Cards")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")

    page.wait_for_url("**/app/cards/")


def test_escape_closes_the_palette_and_gives_the_focus_back(signed_in: SignedIn) -> None:
    page = signed_in("anna")
    link = page.get_by_role("link", name="All payments").or_(
        page.get_by_role("link", name="Pay", exact=True)
    )
    link.first.focus()

    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")

    expect(link.first).to_be_focused()


def test_the_focus_goes_back_though_news_came_while_the_palette_was_open(
    signed_in: SignedIn,
) -> None:
    page = signed_in("anna")
    is_live(page)
    page.wait_for_load_state("networkidle")
    link = page.locator("#live .holdings a").first
    link.focus()
    link.evaluate("(before) => { before.dataset.stood = 'before' }")

    page.keyboard.press("Control+k")
    page.evaluate("window.htmx.trigger('#live', 'news')")
    expect(page.locator("[data-stood]")).to_have_count(0)
    page.keyboard.press("Escape")

    expect(link).to_be_focused()


def test_on_a_phone_the_conversation_is_a_sheet_that_escape_closes(signed_in: SignedIn) -> None:
    page = signed_in("anna", viewport={"width": 390, "height": 844})
    chat = page.locator(".tab-bar").get_by_role("link", name="Chat")

    chat.click()
    expect(page.get_by_label("Message")).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.locator("#dock")).to_be_hidden()
    expect(chat).to_be_focused()


def test_a_chosen_theme_stays(signed_in: SignedIn) -> None:
    page = signed_in("anna", color_scheme="light")

    page.get_by_role("button", name="Light or dark").first.click()
    page.goto("/app/cards/")

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_search_and_category_narrow_an_account(signed_in: SignedIn) -> None:
    page = signed_in("anna")
    page.locator(".holdings a").first.click()
    rows = page.locator("#bookings .rows > li")
    expect(rows.first).to_be_visible()

    page.get_by_label("Search").fill("Hendriks")
    expect(rows.filter(has_not_text="Hendriks")).to_have_count(0)
    expect(rows.first).to_contain_text("Hendriks")
    page.get_by_label("Search").fill("no such booking")

    expect(page.locator("#bookings")).to_contain_text("Nothing found")


def test_another_customers_account_is_not_there(signed_in: SignedIn, complaints: list[str]) -> None:
    page = signed_in("anna")

    page.goto("/app/accounts/00000000-0000-4000-8000-000000000001/")

    expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()
    expect(page.get_by_text("Reference")).to_be_visible()
    complaints[:] = [each for each in complaints if "404" not in each]


def test_an_address_that_leads_nowhere_leads_back_to_ones_own_pages(
    signed_in: SignedIn, complaints: list[str]
) -> None:
    page = signed_in("omar")

    page.goto("/workspace/nothing-here/")

    expect(page.get_by_text("You are signed in as Omar Haddad")).to_be_visible()
    expect(page.get_by_role("link", name="Sign in")).to_have_count(0)
    page.get_by_role("link", name="Go to your pages").click()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    complaints[:] = [each for each in complaints if "404" not in each]


def test_an_employee_does_not_open_a_customers_pages(
    signed_in: SignedIn, complaints: list[str]
) -> None:
    page = signed_in("omar")

    page.goto("/app/")

    expect(page.get_by_role("heading", name="This page is not for you")).to_be_visible()
    complaints[:] = [each for each in complaints if "403" not in each]


def test_a_wrong_password_says_the_same_for_known_and_unknown_names(
    context, complaints: list[str]
) -> None:
    said = []
    for username in ("anna", "nobody-here"):
        page = context().new_page()
        page.goto("/sign-in/")
        page.get_by_label("Name").fill(username)
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        said.append(page.get_by_role("alert").inner_text())

    assert said[0] == said[1]
    complaints[:] = [each for each in complaints if "401" not in each]
