"""Talking to the bank: answers stream in, cards are answered once, and it works without scripts."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import SignedIn
from tests.browser.customer import balance, code_of, is_live, say


def test_a_question_is_answered_with_a_card(signed_in: SignedIn) -> None:
    page = signed_in("anna")

    answer = say(page, "what is my balance?")

    expect(answer.get_by_role("heading", name="Balance")).to_be_visible()
    expect(answer).to_contain_text("Savings account")
    expect(page.locator("#announcer")).to_contain_text("account")


def test_a_payment_is_confirmed_proved_and_made_once(signed_in: SignedIn) -> None:
    page = signed_in("anna")
    before = balance(page)
    say(page, "pay Sophie 120 euro for the tickets")
    page.get_by_role("button", name="Pay € 120.00").dblclick()
    code = page.get_by_label("Six digits from your authenticator")
    expect(code).to_be_focused()

    code.fill("000000")
    page.get_by_role("button", name="Confirm € 120.00").click()
    expect(page.locator("#thread")).to_contain_text("attempts left")
    assert balance(page) == before
    code.fill(code_of(page, "Anna de Vries"))
    page.get_by_role("button", name="Confirm € 120.00").click()

    expect(page.get_by_role("heading", name="Receipt")).to_have_count(1)
    expect(page.locator(".holdings li").first.locator(".figure-large")).not_to_have_text(before)
    page.goto("/app/payments/")
    expect(page.locator("main li", has_text="Sophie van Dijk")).to_have_count(1)


def test_a_cancelled_payment_moves_nothing(signed_in: SignedIn) -> None:
    page = signed_in("anna")
    before = balance(page)
    say(page, "pay Bob 17 euro")

    page.get_by_role("button", name="Cancel").last.click()

    expect(page.locator("#thread .slip").last).to_contain_text("Cancelled")
    assert balance(page) == before


def test_a_second_page_shows_what_the_first_one_did(signed_in: SignedIn) -> None:
    page = signed_in("anna")
    other = page.context.new_page()
    other.goto("/app/")
    is_live(other)

    say(page, "block my card")

    expect(other.locator("#thread .turn.own").last).to_contain_text("block my card")


def test_a_message_that_is_too_long_is_refused_and_given_back(signed_in: SignedIn) -> None:
    page = signed_in("anna")
    is_live(page)
    page.get_by_label("Message").fill("pay " * 1_500)
    page.get_by_label("Message").press("Enter")

    expect(page.locator("[data-refused]")).to_contain_text("too long")
    assert page.get_by_label("Message").input_value().startswith("pay pay")


def test_markup_in_a_message_is_shown_as_text(signed_in: SignedIn) -> None:
    page = signed_in("anna")

    say(page, "<img src=x onerror=alert(1)> <b>hello</b>")

    own = page.locator("#thread .turn.own").last
    expect(own).to_contain_text("<img src=x onerror=alert(1)> <b>hello</b>")
    expect(own.locator("img, b")).to_have_count(0)


def test_a_file_that_is_no_pdf_is_refused(signed_in: SignedIn, complaints: list[str]) -> None:
    page = signed_in("anna")
    is_live(page)
    page.locator("#composer-file").set_input_files(
        {"name": "invoice.pdf", "mimeType": "application/pdf", "buffer": b"MZ not a document"}
    )
    page.get_by_label("Message").fill("pay this")
    page.get_by_label("Message").press("Enter")

    expect(page.locator("[data-refused]")).to_contain_text("not a PDF")
    # The browser reports every refused request, this one too.
    complaints[:] = [each for each in complaints if "422" not in each]


def test_the_conversation_works_without_scripts(signed_in: SignedIn) -> None:
    page = signed_in("anna", java_script_enabled=False)
    page.goto("/app/chat/")

    page.locator("#composer-text").fill("what is my balance?")
    page.get_by_role("button", name="Send", exact=True).click()

    expect(page.locator("#thread .slip").last).to_contain_text("Savings account")


def test_a_payment_form_without_scripts_is_the_same_flow(signed_in: SignedIn) -> None:
    page = signed_in("anna", java_script_enabled=False)
    page.goto("/app/payments/new/")
    page.get_by_role("radio", name=re.compile("Bob Jansen")).check()
    page.locator("#amount").fill("12,34")
    page.locator("#remittance").fill("Coffee")
    page.get_by_role("button", name="Check the payment").click()

    card = page.locator("main .slip").first
    expect(card).to_contain_text("Bob Jansen")
    card.get_by_role("button", name="Pay € 12.34").click()

    expect(page.locator("main")).to_contain_text("Receipt")


def test_a_wrong_form_says_what_is_wrong_and_keeps_what_was_typed(
    signed_in: SignedIn, complaints: list[str]
) -> None:
    page = signed_in("anna")
    page.goto("/app/payments/new/?payee=new")
    page.get_by_label("Name of the account holder").fill("Zoë Peeters")
    page.get_by_label("IBAN", exact=True).fill("NL91ABNA0417164301")
    page.get_by_label("Amount").fill("1e3")
    page.get_by_role("button", name="Check the payment").click()

    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_count(2)
    expect(page.get_by_label("Name of the account holder")).to_have_value("Zoë Peeters")
    complaints[:] = [each for each in complaints if "422" not in each]


def test_a_page_left_open_after_signing_out_says_nothing_more(signed_in: SignedIn) -> None:
    page = signed_in("anna")
    is_live(page)
    other = page.context.new_page()
    other.goto("/app/")
    other.get_by_role("button", name="Sign out").first.click()
    expect(other).to_have_url(re.compile("/sign-in/"))

    page.get_by_label("Message").fill("what is my balance?")
    page.get_by_label("Message").press("Enter")

    expect(page).to_have_url(re.compile("/sign-in/"))
