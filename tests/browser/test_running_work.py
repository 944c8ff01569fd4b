"""Operations watches a run on its drawing and steers it; the page follows without reload."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import SignedIn
from tests.browser.customer import is_live, say

WHY = "The customer asked us on the phone to wait."


@pytest.fixture
def asked(signed_in: SignedIn) -> Callable[[], Page]:
    """Let a customer ask for a payment that waits for them; open its run as operations."""

    def opened(**options: object) -> Page:
        anna, omar = signed_in("anna"), signed_in("omar", **options)
        say(anna, "pay Bob Jansen 12.34 euro for lunch")
        omar.goto("/workspace/running/")
        with omar.expect_response(lambda answer: answer.request.method == "POST"):
            omar.get_by_label("Search").fill("12.34")
        omar.locator("#running a.cover-row").last.click()
        expect(omar.get_by_role("heading", name="Step by step")).to_be_visible()
        return omar

    return opened


def do(page: Page, link: str, button: str, *, reason: str = WHY) -> None:
    page.get_by_role("link", name=link, exact=True).click()
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=button).click()


def test_a_run_is_shown_on_its_drawing_with_its_logo(asked: Callable[..., Page]) -> None:
    omar = asked()

    expect(omar.locator("#drawing .djs-shape.is-active")).to_have_count(1)
    expect(omar.locator("#drawing .djs-shape.is-done").first).to_be_attached()
    expect(omar.locator("#drawing .bjs-powered-by")).to_be_visible()
    expect(omar.locator("#run-now")).to_contain_text("Confirm the payment")


def test_a_run_is_held_released_and_ended_by_keyboard(asked: Callable[..., Page]) -> None:
    omar = asked()

    omar.get_by_role("link", name="Hold", exact=True).focus()
    omar.keyboard.press("Enter")
    expect(omar.get_by_role("heading", name="Hold this run?")).to_be_focused()
    omar.keyboard.press("Tab")
    omar.keyboard.type(WHY)
    omar.keyboard.press("Tab")
    omar.keyboard.press("Enter")
    expect(omar.locator("#run-now")).to_contain_text("Held")

    do(omar, "Release", "Release it")
    expect(omar.locator("#run-now")).to_contain_text("Running")
    do(omar, "End", "End it")
    expect(omar.locator("#run-now")).to_contain_text("Ended by hand")
    expect(omar.get_by_role("link", name="Hold", exact=True)).to_have_count(0)
    expect(omar.locator("#run-history")).to_contain_text(f"Ended by a person: {WHY}")


def test_without_a_reason_nothing_is_done(asked: Callable[..., Page], complaints) -> None:
    omar = asked()

    omar.get_by_role("link", name="End", exact=True).click()
    omar.get_by_label("Reason").fill("          ")
    omar.get_by_role("button", name="End it").click()

    expect(omar.get_by_role("alert")).to_contain_text("Say why")
    expect(omar.locator("#run-now")).to_contain_text("Running")
    complaints.clear()


def test_what_a_colleague_did_is_seen_without_reload(
    asked: Callable[..., Page], signed_in: SignedIn
) -> None:
    omar = asked()
    other = signed_in("omar")
    other.goto(omar.url)
    is_live(other)

    do(omar, "Hold", "Hold it")

    expect(other.locator("#run-now")).to_contain_text("Held")
    do(omar, "Release", "Release it")
    do(omar, "End", "End it")
    expect(other.locator("#run-now")).to_contain_text("Ended by hand")
    expect(other.locator("#drawing .djs-shape.is-active")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_running_work(asked: Callable[..., Page], theme: str) -> None:
    omar = asked(color_scheme=theme)
    run = omar.url
    expect(omar.locator("#drawing .djs-shape").first).to_be_attached()
    shown = (("the run", violations(omar)),)

    for address in (f"{run}?do=cancel", "/workspace/running/", "/workspace/running/?standing=held"):
        omar.goto(address)
        shown += ((address, violations(omar)),)

    assert [found for found in shown if found[1]] == []


@pytest.mark.parametrize("width", [320, 390, 1024])
def test_employee_pages_are_no_wider_than_the_screen(
    asked: Callable[..., Page], signed_in: SignedIn, width: int
) -> None:
    screen = {"viewport": {"width": width, "height": 800}}
    omar, carla = asked(**screen), signed_in("carla", **screen)
    carla.goto("/console/")
    decision = carla.locator("#decisions a.cover-row").first.get_attribute("href")
    pages = [(omar, omar.url)]
    pages += [
        (omar, f"/workspace/{part}") for part in ("", "cases/", "running/", "customers/?q=an")
    ]
    pages += [(carla, f"/console/{part}") for part in ("", "log/", "rules/", "connections/")]
    pages += [(carla, "/console/models/"), (carla, decision)]

    for page, address in pages:
        page.goto(address)
        assert (address, page.evaluate("document.documentElement.scrollWidth")) == (address, width)


def test_running_work_is_not_for_other_roles(signed_in: SignedIn, complaints) -> None:
    for username in ("eva", "carla", "anna"):
        page = signed_in(username)

        answer = page.goto("/workspace/running/")

        assert (username, answer and answer.status) == (username, 403)
    complaints.clear()
