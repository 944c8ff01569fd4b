"""News that comes while a page is fetching is not lost: what is shown is what is true."""

import json

from playwright.sync_api import Page, Request, Route, WebSocketRoute

from tests.browser.conftest import SignedIn
from tests.browser.customer import is_live

NEWS = json.dumps({"type": "update", "topic": "account"})
# The page gathers what comes at once; after this long it has acted on all it heard.
GATHERED = "() => new Promise((done) => setTimeout(done, 250))"


def _is_part(request: Request) -> bool:
    return request.url.endswith("/app/") and "hx-request" in request.headers


def _line_of(page: Page) -> WebSocketRoute:
    """Load the page again with a hand on its line, on which the test can say something, too."""
    lines: list[WebSocketRoute] = []

    def hold(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    page.route_web_socket("**/ws/app/", hold)
    page.reload()
    is_live(page)
    # What is fetched as the line opens is not what this is about.
    page.wait_for_load_state("networkidle")
    return lines[-1]


def test_news_that_comes_while_a_part_is_fetched_has_it_fetched_again(signed_in: SignedIn) -> None:
    anna = signed_in("anna")
    line, held = _line_of(anna), list[Route]()

    def hold_the_first(route: Route) -> None:
        if _is_part(route.request) and not held:
            held.append(route)
        else:
            route.continue_()

    anna.route("**/app/", hold_the_first)
    with anna.expect_request(_is_part):
        line.send(NEWS)
    line.send(NEWS)
    anna.evaluate(GATHERED)

    with anna.expect_request(_is_part):
        held[0].continue_()
