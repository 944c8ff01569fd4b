"""The three-minute story: an invoice with the wrong account number, three people, one record."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import SignedIn
from tests.browser.customer import balance, code_of, is_live

LANDLORD = "Hendriks Vastgoed B.V."


def _drop_invoice(page: Page) -> None:
    """Hand the landlord's invoice to the conversation and ask to pay it."""
    invoice = page.request.get("/tour/invoice.pdf")
    assert invoice.ok
    is_live(page)
    page.locator("#composer-file").set_input_files(
        {"name": "invoice.pdf", "mimeType": "application/pdf", "buffer": invoice.body()}
    )
    page.get_by_label("Message").fill("pay this")
    page.get_by_label("Message").press("Enter")


def _call_back(page: Page) -> None:
    """Open the task that just arrived, claim it, and choose the account number on record."""
    page.locator("main a", has_text=re.compile("call back", re.IGNORECASE)).first.click()
    page.get_by_role("button", name="Claim this task").click()
    on_record = page.get_by_text("number on record").locator(".mono")
    page.get_by_label("Number called").fill(on_record.inner_text())
    page.get_by_label("The account number we know").check()
    page.get_by_label("The payee was reached").check()
    page.get_by_label("Spoke to").fill("Ms Hendriks")
    page.get_by_label("Comment").fill("She sent no invoice with another number.")
    page.get_by_role("button", name="Complete").click()


def _approve(page: Page) -> None:
    """Approve what the call-back corrected, with a reason."""
    page.get_by_role("button", name="Claim this task").click()
    page.get_by_label("Comment").fill("The landlord confirmed the number we know.")
    page.get_by_role("button", name="Approve").click()


def test_the_story_of_the_invoice(signed_in: SignedIn) -> None:
    anna, omar = signed_in("anna"), signed_in("omar")
    before = balance(anna)
    is_live(omar)

    _drop_invoice(anna)
    pay = anna.get_by_role("button", name="Pay € 1,250.00")
    document_iban = anna.locator(".slip", has=pay).locator(".iban").first.inner_text()
    pay.click()

    expect(anna.locator("#thread .slip.refusal")).to_be_visible()
    expect(anna.locator("#thread")).to_contain_text("account number on this document")
    assert balance(anna) == before

    # The queue heard of it by itself.
    _call_back(omar)
    _approve(omar)

    # Without anybody touching Anna's page.
    code = anna.get_by_label("Six digits from your authenticator")
    expect(code).to_be_visible()
    card = anna.locator("#thread .slip", has=code)
    expect(card).to_contain_text(f"€ 1,250.00 to {LANDLORD}")
    assert document_iban not in card.inner_text()
    assert balance(anna) == before
    code.fill(code_of(anna, "Anna de Vries"))
    anna.get_by_role("button", name="Confirm € 1,250.00").click()

    receipt = anna.locator("#thread .slip.receipt", has_text=LANDLORD)
    expect(receipt).to_have_count(1)
    assert document_iban not in receipt.inner_text()
    expect(anna.locator(".holdings li").first.locator(".figure-large")).not_to_have_text(before)

    carla = signed_in("carla")
    expect(carla).to_have_url(re.compile("/console/"))
    refusal = carla.locator(
        "main tr, main li", has_text=re.compile("refused|denied", re.IGNORECASE)
    )
    expect(refusal.first).to_be_visible()
