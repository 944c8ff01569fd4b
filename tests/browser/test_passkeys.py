"""Passkeys in a real browser: added by their owner, a payment confirmed, an approval signed."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.bank import BankProcess, RunningBank
from tests.browser.conftest import SignedIn, require_chromium
from tests.browser.customer import balance, code_of, is_live
from tests.browser.story import LANDLORD, call_back, drop_invoice

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="session")
def bank() -> Iterator[RunningBank]:
    """A bank of its own: who has a passkey approves otherwise than the people of other tests."""
    require_chromium()
    process = BankProcess()
    try:
        yield process.start()
    finally:
        process.stop()


def with_device(page: Page) -> None:
    """Give a browser a device that can hold passkeys."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


def add_passkey(page: Page, name: str, owner: str = "") -> None:
    page.goto("/security/")
    with_device(page)
    page.get_by_label("Name of the device").fill(name)
    if owner:
        page.get_by_label("Six digits from your authenticator").fill(code_of(page, owner))
    page.get_by_role("button", name="Add this device").click()
    expect(page.get_by_text("not used yet")).to_be_visible()


def remove_passkey(page: Page) -> None:
    page.goto("/security/")
    page.get_by_text("Remove", exact=True).click()
    page.locator("details").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No passkeys yet")).to_be_visible()


def test_payment_and_approval_are_signed_with_passkeys(
    signed_in: SignedIn, bank: RunningBank
) -> None:
    site = {"base_url": bank.address.replace("127.0.0.1", "localhost")}
    anna, omar = signed_in("anna", **site), signed_in("omar", **site)
    add_passkey(anna, "Anna's laptop", "Anna de Vries")
    add_passkey(omar, "Key at the desk")
    anna.goto("/app/")
    with_balance = balance(anna)

    drop_invoice(anna)
    anna.get_by_role("button", name=re.compile("^Pay €")).last.click()
    expect(anna.locator("#thread .slip.refusal")).to_be_visible()
    omar.goto("/workspace/")
    is_live(omar)
    call_back(omar)
    omar.get_by_role("button", name="Claim this task").click()
    expect(omar.get_by_text("Your passkey signs this approval")).to_be_visible()
    omar.locator("#case-tasks").get_by_label("Comment").fill("The landlord confirmed it.")
    omar.get_by_role("button", name="Approve").click()
    anna.get_by_role("button", name="Use my passkey").click()

    receipt = anna.locator("#thread .slip.receipt", has_text=LANDLORD)
    expect(receipt).to_have_count(1)
    expect(anna.locator(".holdings li").first.locator(".figure-large")).not_to_have_text(
        with_balance
    )
    remove_passkey(omar)


def test_address_without_a_name_says_that_it_has_no_passkeys(
    signed_in: SignedIn, complaints: list[str]
) -> None:
    page = signed_in("nadia")
    page.goto("/security/")

    page.get_by_role("button", name="Add this device").click()

    expect(page.get_by_role("alert")).to_contain_text("Open the bank under localhost")
    # The browser says of every refusal that it was one.
    assert [each for each in complaints if "409" not in each] == []
    complaints.clear()
