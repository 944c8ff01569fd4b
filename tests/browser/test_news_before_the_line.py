"""News between the making of a page and the opening of its line is not missed."""

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import SignedIn
from tests.browser.customer import is_live, say

LINE = re.compile(r"/ws/(app|workspace)/")


def _made_but_silent(page: Page, address: str) -> list[Route]:
    """Make a page whose script, and so its line, comes only when it is let; no news ever does."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/live*.js", hold)
    page.route_web_socket(LINE, lambda _line: None)
    page.goto(address, wait_until="commit")
    expect(page.locator("#running")).to_be_attached()
    return held


def test_what_happened_before_the_line_opened_is_shown_on_its_first_opening(
    signed_in: SignedIn,
) -> None:
    anna, omar = signed_in("anna"), signed_in("omar")
    held = _made_but_silent(omar, "/workspace/running/")
    say(anna, "pay Bob Jansen 17.89 euro for tickets")
    assert "17.89" not in omar.locator("#running").inner_text()

    held[0].continue_()

    expect(omar.locator("#running")).to_contain_text("17.89")


def test_the_first_opening_leaves_alone_what_somebody_is_writing(signed_in: SignedIn) -> None:
    omar = signed_in("omar")
    held = _made_but_silent(omar, "/workspace/running/")
    asked: list[str] = []
    omar.locator("#running").evaluate(
        "part => part.append(Object.assign(document.createElement('textarea'), {id: 'written'}))"
    )
    omar.locator("#written").fill("half a sentence")
    omar.on("request", lambda request: asked.append(request.url))

    held[0].continue_()
    is_live(omar)
    omar.evaluate("() => new Promise((done) => setTimeout(done, 300))")

    expect(omar.locator("#written")).to_have_value("half a sentence")
    assert [url for url in asked if url.endswith("/workspace/running/")] == []


def test_news_takes_nothing_away_that_somebody_has_asked_for(signed_in: SignedIn) -> None:
    carla = signed_in("carla")
    carla.goto("/console/?days=")
    is_live(carla)
    held: list[Route] = []
    filtered = re.compile(r"kind=bank\.open")

    def hold_first(route: Route) -> None:
        if held:
            route.continue_()
        held.append(route)

    carla.route(filtered, hold_first)
    with carla.expect_request(filtered):
        carla.get_by_label("Action").select_option("bank.open")
    with carla.expect_response(lambda answer: not filtered.search(answer.url)):
        carla.evaluate("window.htmx.trigger('#decisions', 'news')")
    held[0].continue_()

    expect(carla.locator("#decisions tbody tr")).to_have_count(1)
