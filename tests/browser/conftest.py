"""A bank, a browser, and people who are signed in; every page is watched for complaints."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.browser.bank import BankProcess, RunningBank
from tests.rings import chromium

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 20_000
DESKTOP = {"width": 1280, "height": 900}
ENTITY = "meridian-nl"

SignedIn = Callable[..., Page]


def require_chromium() -> None:
    """Fail where there is no browser: whoever asks for these tests must hear that none ran."""
    if chromium() is None:
        words = "no Chromium on this machine; install one, or name it in FRONTLINE_CHROMIUM"
        pytest.fail(words, pytrace=False)


@pytest.fixture(scope="session")
def bank() -> Iterator[RunningBank]:
    require_chromium()
    process = BankProcess()
    try:
        yield process.start()
    finally:
        process.stop()


@pytest.fixture(scope="session")
def browser(bank: RunningBank) -> Iterator[Browser]:
    # A machine that is busy answers late; nothing here measures how late.
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about in this test: a test may take back what it expects."""
    return []


@pytest.fixture
def context(
    browser: Browser, bank: RunningBank, complaints: list[str]
) -> Iterator[Callable[..., BrowserContext]]:
    """Open separate browsers, as separate people have; complaints fail the test at its end."""
    opened: list[BrowserContext] = []

    def new(**options: object) -> BrowserContext:
        settings = {"viewport": DESKTOP, "base_url": bank.address, **options}
        made = browser.new_context(**settings)
        made.set_default_timeout(WAIT_MS)
        made.on("weberror", lambda error: complaints.append(f"script: {error.error}"))
        made.on("console", lambda said: _note(complaints, said))
        opened.append(made)
        return made

    yield new
    for each in opened:
        each.close()
    assert complaints == []


def _note(complaints: list[str], said: ConsoleMessage) -> None:
    # Without a network what is vendored is absent, and the pages do without; and a socket that a
    # closing page tears down is no complaint.
    is_vendored = "/static/vendor/" in said.location["url"] or "/static/vendor/" in said.text
    is_expected = is_vendored or "WebSocket" in said.text
    if said.type == "error" and not is_expected:
        complaints.append(said.text)


@pytest.fixture
def signed_in(context: Callable[..., BrowserContext], bank: RunningBank) -> SignedIn:
    """Open a browser in which somebody has signed in."""

    def enter(username: str, **options: object) -> Page:
        page = context(**options).new_page()
        page.goto("/sign-in/")
        page.get_by_label("Bank").select_option(ENTITY)
        page.get_by_label("Name").fill(username)
        page.get_by_label("Password").fill(bank.passwords[ENTITY, username])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda address: "/sign-in/" not in address)
        return page

    return enter
