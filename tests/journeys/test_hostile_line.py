"""Who may open a WebSocket, and what of: asked with other sites' pages and other people's."""

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.test import Client

from deploy.asgi import application
from tests.journeys.test_hostile_browser import signed_in

REFUSED, NOBODY, FORBIDDEN = 1000, 4401, 4403
OURS = "http://localhost"


def closed_with(address: str, *, browser: Client, origin: str | None) -> int | None:
    """Open a line and return the code it is closed with, or None where it stays open."""

    async def opened() -> int | None:
        cookie = browser.cookies.get(settings.SESSION_COOKIE_NAME)
        headers = [(b"host", b"localhost")]
        if cookie is not None:
            headers.append((b"cookie", f"{cookie.key}={cookie.value}".encode()))
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        scope = {"type": "websocket", "path": address, "query_string": b"", "headers": headers}
        line = ApplicationCommunicator(application, {**scope, "subprotocols": []})
        await line.send_input({"type": "websocket.connect"})
        answer = await line.receive_output(timeout=20)
        if answer["type"] == "websocket.accept" and await line.receive_nothing(timeout=1):
            await line.send_input({"type": "websocket.disconnect", "code": 1000})
            await line.wait(timeout=20)
            return None
        closed = answer if answer["type"] == "websocket.close" else await line.receive_output()
        return closed.get("code", REFUSED)

    return async_to_sync(opened)()


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://localhost:8001",
        "null",
        "",
        None,
    ],
)
def test_a_page_of_another_site_opens_no_line(bank, origin):
    assert closed_with("/ws/app/", browser=signed_in("anna"), origin=origin) == REFUSED


@pytest.mark.parametrize("address", ["/ws/app/", "/ws/workspace/", "/ws/console/"])
def test_nobody_hears_nothing(bank, address):
    assert closed_with(address, browser=Client(), origin=OURS) == NOBODY


@pytest.mark.parametrize(
    ("username", "address"),
    [
        ("anna", "/ws/workspace/"),
        ("anna", "/ws/console/"),
        ("omar", "/ws/app/"),
        ("omar", "/ws/console/"),
    ],
)
def test_nobody_hears_what_is_for_others(bank, username, address):
    assert closed_with(address, browser=signed_in(username), origin=OURS) == FORBIDDEN


@pytest.mark.parametrize(
    ("username", "address"),
    [("anna", "/ws/app/"), ("omar", "/ws/workspace/"), ("carla", "/ws/console/")],
)
def test_everybody_hears_their_own(bank, username, address):
    assert closed_with(address, browser=signed_in(username), origin=OURS) is None
