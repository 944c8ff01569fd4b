"""The story to its end: the plug is pulled during the payment, and then the past is changed."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from orchestration.durable.faults import VARIABLE
from tests.banks import wait_until
from tests.browser.bank import BankProcess, RunningBank
from tests.browser.conftest import SignedIn, require_chromium
from tests.browser.customer import balance, is_live
from tests.browser.story import (
    AMOUNT,
    LANDLORD,
    approve,
    call_back,
    drop_invoice,
    fill_in_code,
)

TAMPERED = 1
# Who had gone on from the code is dead; the sweep looks again at what waits every 20 seconds.
TAKEN_UP_AGAIN_MS = 90_000
WHILE_AWAY = ("Failed to load resource", "htmx:")
# Of the one payment of this story: what the core booked, and what the bank knows of it.
EFFECTS = """
SELECT (SELECT count(*) FROM ledger_transfer WHERE amount = 125000 AND posted_at > %(since)s),
  (SELECT count(*) FROM nexus_transaction t JOIN ledger_transfer l
     ON l.id = t.transfer_id AND l.debit_account = t.account_id
   WHERE l.amount = 125000 AND l.posted_at > %(since)s)
"""


@pytest.fixture(scope="session")
def process() -> Iterator[BankProcess]:
    """Give a bank of this story's own, since it is killed and falsified."""
    require_chromium()
    process = BankProcess()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def bank(process: BankProcess) -> RunningBank:
    """Start it so that its pages are killed once the code of the payment was taken."""
    return process.start(**{VARIABLE: "after_step_up:1"})


def _until_the_code(anna: Page, omar: Page) -> None:
    """Take the first two steps, up to the code that pays."""
    drop_invoice(anna)
    anna.get_by_role("button", name=f"Pay {AMOUNT}").click()
    expect(anna.locator("#thread .slip.refusal")).to_be_visible()
    call_back(omar)
    approve(omar)
    fill_in_code(anna)


def _pull_the_plug(process: BankProcess, anna: Page) -> None:
    """Confirm; the process dies at that moment, then all the others; start the bank again."""
    anna.get_by_role("button", name=f"Confirm {AMOUNT}").click(no_wait_after=True)
    assert wait_until(lambda: "web ended (signal 9)" in process.said())
    process.kill()
    process.start()


def _copied_checkpoint(carla: Page) -> str:
    """Copy the checkpoint from the console once everything that happened is under it."""
    carla.goto("/console/log/")
    waiting = carla.locator("#log-health .measures div", has_text="Waiting to be numbered")
    expect(waiting.locator("dd")).to_have_text("0")
    return carla.locator("#log-health .short").inner_text()


def _evidence(carla: Page, folder: Path) -> Path:
    """Download all evidence from the console, as an outsider is handed it."""
    carla.goto("/console/log/")
    expect(carla.locator("main")).to_contain_text("What this does not prove")
    with carla.expect_download() as download:
        carla.get_by_role("link", name="Download all evidence").click()
    path = folder / "evidence-log.zip"
    download.value.save_as(path)
    return path


def _verified(bundle: Path, checkpoint: str) -> subprocess.CompletedProcess[str]:
    verifier = Path(sys.executable).with_name("frontline-verify")
    return subprocess.run(
        [verifier, bundle, "--checkpoint", checkpoint], capture_output=True, text=True, check=False
    )


def test_the_story_to_its_end(
    process: BankProcess, signed_in: SignedIn, complaints: list[str], tmp_path: Path
) -> None:
    anna, omar, carla = signed_in("anna"), signed_in("omar"), signed_in("carla")
    before, since = balance(anna), process.asked("SELECT clock_timestamp()")[0]
    is_live(omar)
    _until_the_code(anna, omar)

    _pull_the_plug(process, anna)

    # Nobody touches Anna's page: it finds the bank again by itself, and shows one payment.
    receipt = anna.locator("#thread .slip.receipt", has_text=LANDLORD)
    expect(receipt).to_have_count(1, timeout=TAKEN_UP_AGAIN_MS)
    held = anna.locator(".holdings li").first.locator(".figure-large")
    expect(held).not_to_have_text(before, timeout=TAKEN_UP_AGAIN_MS)
    anna.goto("/app/payments/")
    paid = anna.locator("main li", has_text="1,250.00")
    expect(paid).to_have_count(1)
    expect(paid).to_contain_text("Paid")
    assert process.asked(EFFECTS, since=since) == (1, 1)
    # The pages were away for a while, which a browser complains about.
    assert all(words.startswith(WHILE_AWAY) for words in complaints)
    complaints.clear()

    checkpoint = _copied_checkpoint(carla)
    sound = _verified(_evidence(carla, tmp_path), checkpoint)
    assert (sound.returncode, "VERIFIED" in sound.stdout) == (0, True), sound.stdout
    tampered = process.command("tamper", answer="yes\n")
    assert tampered.returncode == 0, tampered.stderr
    falsified = re.search(r"Record (\d+) of \S+ \((\w+), ([0-9a-f-]{36})\)", tampered.stdout)
    assert falsified is not None, tampered.stdout
    assert "cannot find changes to records made after the checkpoint" in tampered.stdout

    found = _verified(_evidence(carla, tmp_path), checkpoint)

    index, kind, record = falsified.groups()
    assert found.returncode == TAMPERED, found.stderr
    assert f"record {index}, {kind}, {record}" in found.stdout
    assert "TAMPERED" in found.stdout
    assert "Not proved: " in found.stdout
