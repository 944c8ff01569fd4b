"""The workspace and the console: no complaint of axe, all by keyboard, found by search."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import SignedIn
from tests.browser.customer import is_live, say

CONSOLE = tuple(f"/console/{part}" for part in ("", "log/", "rules/", "connections/", "models/"))


def open_case(signed_in: SignedIn) -> tuple[Page, Page]:
    """Let a customer ask for a person, so that a case and a task stand there; return both pages."""
    anna, eva = signed_in("anna"), signed_in("eva")
    eva.goto("/workspace/")
    is_live(eva)
    say(anna, "I want to talk to a person")
    expect(eva.locator("tr[data-task]").first).to_be_visible()
    return anna, eva


def find_customer(eva: Page, words: str) -> Locator:
    """Search for Anna and return the link to her."""
    eva.goto("/workspace/customers/")
    eva.get_by_label(re.compile("Name, town")).press_sequentially(words)
    anna = eva.get_by_role("link", name="Anna de Vries")
    expect(anna).to_be_visible()
    return anna


def test_queue_fills_by_itself_and_opens_by_keyboard(signed_in: SignedIn) -> None:
    _, eva = open_case(signed_in)

    eva.locator("h1").click()
    eva.keyboard.press("j")
    expect(eva.locator("tr[data-task] .cover-row").first).to_be_focused()
    eva.keyboard.press("Enter")

    expect(eva).to_have_url(re.compile("/workspace/cases/"))
    expect(eva.get_by_role("heading", name="What happened")).to_be_visible()


def test_claimed_task_is_mine_and_can_be_given_back(signed_in: SignedIn) -> None:
    _, eva = open_case(signed_in)

    eva.locator("tr[data-task]").first.get_by_role("button", name=re.compile("Claim")).click()
    eva.wait_for_url(re.compile("/workspace/cases/"))
    eva.get_by_role("button", name="Give back to the queue").first.click()
    eva.wait_for_url(re.compile(r"/workspace/$"))

    first = eva.locator("tr[data-task]").first
    expect(first.get_by_role("button", name=re.compile("Claim"))).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_workspace(signed_in: SignedIn, theme: str) -> None:
    open_case(signed_in)
    eva = signed_in("eva", color_scheme=theme)
    eva.goto("/workspace/cases/")
    case = eva.locator("#cases a").first.get_attribute("href")
    find_customer(eva, "anna")
    customer = eva.locator("#found a").first.get_attribute("href")
    addresses = ("/workspace/", "/workspace/cases/", "/workspace/customers/", case, customer)

    for address in addresses:
        eva.goto(address)

        assert (address, violations(eva)) == (address, [])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_console(signed_in: SignedIn, theme: str) -> None:
    carla = signed_in("carla", color_scheme=theme)
    carla.goto("/console/")
    decision = carla.locator("#decisions a.cover-row").first.get_attribute("href")

    for address in (*CONSOLE, decision):
        carla.goto(address)

        assert (address, violations(carla)) == (address, [])


def test_customers_are_found_as_one_types(signed_in: SignedIn) -> None:
    eva = signed_in("eva")
    eva.goto("/workspace/customers/")

    eva.get_by_label(re.compile("Name, town")).press_sequentially("Vries")
    eva.get_by_role("link", name="Anna de Vries").click()

    expect(eva.get_by_role("heading", name="Anna de Vries")).to_be_visible()
    expect(eva.get_by_role("heading", name="Accounts")).to_be_visible()


def test_a_search_is_found_again_by_going_back_and_its_words_are_in_no_address(
    signed_in: SignedIn,
) -> None:
    eva = signed_in("eva")
    asked: list[str] = []
    eva.on("request", lambda request: asked.append(request.url))

    find_customer(eva, "Vries").click()
    expect(eva.get_by_role("heading", name="Anna de Vries")).to_be_visible()
    eva.go_back()

    expect(eva.get_by_role("link", name="Anna de Vries")).to_be_visible()
    expect(eva.get_by_label(re.compile("Name, town"))).to_have_value("Vries")
    assert re.search(r"/workspace/customers/\?s=[\w-]{12}$", eva.url)
    assert [url for url in asked if "vries" in url.lower()] == []


def test_customer_is_shown_as_of_a_day(signed_in: SignedIn) -> None:
    eva = signed_in("eva")
    find_customer(eva, "anna").click()
    now = eva.locator("tbody .amount").first.inner_text()

    eva.get_by_label("As of").fill("2025-06-30")
    eva.get_by_role("button", name="Show").click()

    expect(eva.get_by_text("As it was then")).to_be_visible()
    assert eva.locator("tbody .amount").first.inner_text() != now


def test_decisions_are_filtered_explained_and_checked(signed_in: SignedIn) -> None:
    carla = signed_in("carla")
    carla.goto("/console/?days=")
    carla.get_by_label("Action").select_option("bank.open")
    expect(carla.locator("#decisions tbody tr")).to_have_count(1)

    carla.locator("#decisions a.cover-row").click()
    carla.get_by_role("button", name="Check the proof").click()

    expect(carla.locator("#proof")).to_contain_text("Verified")
    expect(carla.locator("#proof")).to_contain_text("frontline-verify")


def test_the_plot_follows_the_filters_and_its_table_says_the_same(signed_in: SignedIn) -> None:
    carla = signed_in("carla")
    carla.goto("/console/?days=1")
    expect(carla.locator("#plot canvas")).to_be_visible()
    everything = carla.locator("#plot-title").inner_text()

    carla.get_by_label("Action").select_option("bank.open")

    expect(carla.locator("#plot-title")).to_have_text("1 decision")
    assert everything != "1 decision"
    expect(carla.locator("#plot canvas")).to_be_visible()
    carla.get_by_text("The same as a table").click()
    counts = carla.locator("#plot-table tbody td:last-child").all_inner_texts()
    assert sum(int(count) for count in counts) == 1


def test_a_stretch_of_the_plot_is_a_filter_for_the_keyboard_too(signed_in: SignedIn) -> None:
    carla = signed_in("carla")
    carla.goto("/console/?days=1&kind=bank.open")
    carla.get_by_text("The same as a table").click()

    carla.locator("#plot-table tbody tr:not(.none) a").first.focus()
    carla.keyboard.press("Enter")

    expect(carla.get_by_role("link", name="Whole period")).to_be_visible()
    expect(carla.locator("#decisions tbody tr")).to_have_count(1)


def test_filter_that_matches_nothing_says_so(signed_in: SignedIn) -> None:
    carla = signed_in("carla")

    carla.goto("/console/?rule=no-such-rule")

    expect(carla.get_by_text("No decision matches")).to_be_visible()


def test_nobody_enters_through_another_door(signed_in: SignedIn, complaints: list[str]) -> None:
    for username, address in (
        ("anna", "/workspace/"),
        ("anna", "/console/"),
        ("omar", "/console/"),
        ("omar", "/app/"),
        ("carla", "/app/"),
    ):
        page = signed_in(username)

        answer = page.goto(address)

        assert (username, address, answer and answer.status) == (username, address, 403)
    complaints.clear()
