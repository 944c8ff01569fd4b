"""The steps of the three-minute story, as the people in it take them."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.customer import code_of, is_live

LANDLORD = "Hendriks Vastgoed B.V."
AMOUNT = "€ 1,250.00"


def drop_invoice(page: Page) -> None:
    """Hand the landlord's invoice to the conversation and ask to pay it."""
    invoice = page.request.get("/tour/invoice.pdf")
    assert invoice.ok
    is_live(page)
    page.locator("#composer-file").set_input_files(
        {"name": "invoice.pdf", "mimeType": "application/pdf", "buffer": invoice.body()}
    )
    page.get_by_label("Message").fill("pay this")
    page.get_by_label("Message").press("Enter")


def call_back(page: Page) -> None:
    """Open the task that just arrived, claim it, and choose the account number on record."""
    page.locator("main a", has_text=re.compile("call back", re.IGNORECASE)).first.click()
    page.get_by_role("button", name="Claim this task").click()
    on_record = page.get_by_text("number on record").locator(".mono")
    page.get_by_label("Number called").fill(on_record.inner_text())
    page.get_by_label("The account number we know").check()
    page.get_by_label("The payee was reached").check()
    page.get_by_label("Spoke to").fill("Ms Hendriks")
    page.locator("#case-tasks").get_by_label("Comment").fill(
        "She sent no invoice with another number."
    )
    page.get_by_role("button", name="Complete").click()


def _comment(page: Page) -> Locator:
    """Return the field for words that go with an answer, not the one for colleagues."""
    return page.locator("#case-tasks").get_by_label("Comment")


def approve(page: Page) -> None:
    """Approve what the call-back corrected, with a reason."""
    page.get_by_role("button", name="Claim this task").click()
    page.locator("#case-tasks").get_by_label("Comment").fill(
        "The landlord confirmed the number we know."
    )
    page.get_by_role("button", name="Approve").click()


def fill_in_code(page: Page) -> None:
    """Fill in the code of the customer's phone; confirming it pays."""
    code = page.get_by_label("Six digits from your authenticator")
    expect(code).to_be_visible()
    code.fill(code_of(page, "Anna de Vries"))
