"""The three-minute story: an invoice with the wrong account number, three people, one record."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import SignedIn
from tests.browser.customer import balance, is_live
from tests.browser.story import LANDLORD, approve, call_back, drop_invoice, fill_in_code


def test_the_story_of_the_invoice(signed_in: SignedIn) -> None:
    anna, omar = signed_in("anna"), signed_in("omar")
    before = balance(anna)
    is_live(omar)

    drop_invoice(anna)
    pay = anna.get_by_role("button", name="Pay € 1,250.00")
    document_iban = anna.locator(".slip", has=pay).locator(".iban").first.inner_text()
    pay.click()

    expect(anna.locator("#thread .slip.refusal")).to_be_visible()
    expect(anna.locator("#thread")).to_contain_text("account number on this document")
    assert balance(anna) == before

    # The queue heard of it by itself.
    call_back(omar)
    approve(omar)

    # Without anybody touching Anna's page.
    code = anna.get_by_label("Six digits from your authenticator")
    expect(code).to_be_visible()
    card = anna.locator("#thread .slip", has=code)
    expect(card).to_contain_text(f"€ 1,250.00 to {LANDLORD}")
    assert document_iban not in card.inner_text()
    assert balance(anna) == before
    fill_in_code(anna)
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
