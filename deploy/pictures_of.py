"""Takes the pictures of the README: the story walked in a browser, on a bank that is running."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZE: ViewportSize = {"width": 1280, "height": 860}
PATIENCE_MS = 20_000


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the bank is, who may sign in, and where pictures go."""

    url: str
    people: Mapping[str, Mapping[str, str]]
    folder: Path
    say: Callable[[str], None]

    def take(self, page: Page, name: str) -> None:
        """Keep what the page shows now, in light and in dark."""
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
            page.screenshot(path=self.folder / f"{name}-{scheme}.png")
        page.emulate_media(color_scheme="light")
        self.say(f"  {name}")


def take_pictures(
    *, url: str, sign_in_file: Path, folder: Path, chromium: str, say: Callable[[str], None]
) -> None:
    """Walk the story with three people signed in and keep a picture of each surface."""
    listed = json.loads(sign_in_file.read_text(encoding="utf-8"))
    people = {person["username"]: person for person in reversed(listed)}
    folder.mkdir(parents=True, exist_ok=True)
    camera = Camera(url, people, folder, say)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            _walk(camera, browser)
        finally:
            browser.close()


def _walk(camera: Camera, browser: Browser) -> None:
    anna, omar = _signed_in(camera, browser, "anna"), _signed_in(camera, browser, "omar")
    _ask_to_pay(camera, anna)
    camera.take(anna, "customer")
    anna.get_by_role("button", name=re.compile("^Pay €")).last.click()
    expect(anna.locator("#thread .slip.refusal").last).to_be_visible()
    omar.goto(f"{camera.url}/workspace/")
    omar.locator("main a", has_text=re.compile("call back", re.IGNORECASE)).first.click()
    omar.get_by_role("button", name="Claim this task").click()
    expect(omar.get_by_role("button", name="Complete")).to_be_visible()
    omar.evaluate("window.scrollTo(0, 0)")
    camera.take(omar, "workspace")
    carla = _signed_in(camera, browser, "carla")
    carla.goto(f"{camera.url}/console/?verdict=deny")
    carla.locator("main a.cover-row").first.click()
    carla.get_by_role("button", name="Check the proof").click()
    expect(carla.locator("#proof")).to_contain_text("Verified")
    carla.evaluate("window.scrollTo(0, 0)")
    camera.take(carla, "console")


def _ask_to_pay(camera: Camera, page: Page) -> None:
    invoice = page.request.get(f"{camera.url}/tour/invoice.pdf").body()
    expect(page.locator("body")).to_have_attribute("data-line-state", "open")
    page.locator("#composer-file").set_input_files(
        {"name": "invoice.pdf", "mimeType": "application/pdf", "buffer": invoice}
    )
    page.get_by_label("Message").fill("pay this")
    page.get_by_label("Message").press("Enter")
    expect(page.get_by_role("button", name=re.compile("^Pay €")).last).to_be_visible()


def _signed_in(camera: Camera, browser: Browser, username: str) -> Page:
    person = camera.people[username]
    page = browser.new_context(viewport=SIZE).new_page()
    page.goto(f"{camera.url}/sign-in/")
    page.locator("select[name=entity]").select_option(person["entity"])
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(person["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/(app|workspace|console)/"))
    return page
