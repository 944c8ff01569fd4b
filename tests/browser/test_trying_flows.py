"""Trying flows out: walked through by hand, and by their scenarios before anybody agrees."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import SignedIn
from tests.browser.test_changing_flows import first_drawing, first_scenarios, propose

TRY = "/workspace/flows/send_money/try/"
STORY = "An invoice with a foreign account number is corrected by a call and paid"


def begun(page: Page, story: str = STORY) -> None:
    page.goto(TRY)
    page.get_by_label("Scenario").select_option(label=story)
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#now")).to_contain_text("Look at the payment")


def payments_under_way(page: Page) -> set[str | None]:
    page.goto("/workspace/running/?flow=send_money")
    expect(page.locator("#running")).to_be_visible()
    return {each.get_attribute("href") for each in page.locator("#running a.cover-row").all()}


def test_a_drawing_is_walked_through_without_starting_anything(signed_in: SignedIn) -> None:
    omar = signed_in("omar")
    before = payments_under_way(omar)
    begun(omar)
    expect(omar.locator(".djs-shape.is-active")).to_have_attribute("data-element-id", "preview")
    expect(omar.locator("main")).to_contain_text("Nothing is started for real")

    omar.get_by_role("button", name="Step", exact=True).click()
    expect(omar.locator("tr", has_text="preview").first).to_contain_text("New")
    omar.get_by_role("button", name="Run to the next wait").click()
    expect(omar.locator("#now")).to_contain_text("Confirm the payment")
    expect(omar.locator("#now")).to_contain_text("After ten minutes")
    omar.get_by_role("button", name="Run to the end").click()
    expect(omar.locator("#now")).to_contain_text("Everything came as the scenario expects")
    expect(omar.locator(".djs-connection.is-done").first).to_be_attached()
    expect(omar.locator("tr", has_text="creditor_iban").first).to_contain_text("Changed")

    assert payments_under_way(omar) <= before


def test_a_task_is_answered_and_the_clock_is_let_come(signed_in: SignedIn, complaints) -> None:
    omar = signed_in("omar")
    begun(omar)
    omar.get_by_role("button", name="Run to the next wait").click()
    answer = omar.get_by_label("Answer in its place")
    answer.fill('{"done": ')
    omar.get_by_role("button", name="Answer Confirm the payment").click()
    expect(omar.get_by_role("alert")).to_contain_text("line 1: this is no JSON")
    expect(omar.locator("#now")).to_contain_text("Confirm the payment")

    answer.fill('{"done": {"answer": "cancel"}}')
    omar.get_by_role("button", name="Answer Confirm the payment").click()
    expect(omar.locator("#now")).to_contain_text("It is over")
    expect(omar.locator("#now")).to_contain_text("Not as the scenario expects")
    omar.get_by_role("button", name="Take the last move back").click()
    omar.get_by_role("button", name="Let the clock come").click()
    expect(omar.locator(".told li").first).to_contain_text("It is done")
    expect(omar.locator(".djs-shape.is-done[data-element-id=end_expired]")).to_be_attached()
    omar.get_by_role("button", name="Start again").click()
    expect(omar.locator("#now")).to_contain_text("Look at the payment")
    complaints.clear()


def test_own_data_is_tried_without_a_scenario(signed_in: SignedIn, complaints) -> None:
    omar = signed_in("omar")
    omar.goto("/workspace/flows/block_card/try/")
    omar.get_by_label("Scenario").select_option(value="")
    omar.get_by_label("Your own data").fill("[]")
    omar.get_by_role("button", name="Begin").click()
    expect(omar.get_by_role("alert")).to_contain_text("no JSON object")
    omar.get_by_label("Your own data").fill(
        '{"card_id": "33333333-3333-4333-8333-333333333333", "reason": "lost", "sources": {}}'
    )
    omar.get_by_role("button", name="Begin").click()
    omar.get_by_label("Refusal of Block the card").select_option("core_refused")
    omar.get_by_role("button", name="Refuse Block the card").click()

    expect(omar.locator("#now")).to_contain_text("It is over")
    expect(omar.locator(".djs-shape.is-done[data-element-id=end_core_refused]")).to_be_attached()
    complaints.clear()


def test_a_version_that_fails_its_scenarios_is_not_proposed(
    signed_in: SignedIn, complaints
) -> None:
    omar = signed_in("omar")

    propose(omar, first_drawing().replace('errorCode="denied"', 'errorCode="no"'))

    refused = omar.get_by_role("alert")
    expect(refused).to_contain_text("This flow must pass its scenarios")
    expect(refused).to_contain_text("expected the end 'end_refused', but it failed")
    complaints.clear()


def test_who_agrees_sees_what_came_of_the_scenarios_and_tries_it_out(signed_in: SignedIn) -> None:
    omar = signed_in("omar")
    changed = first_drawing().replace('name="Block the card"', 'name="Block it now"')
    propose(omar, changed, why="Say it shorter.")
    omar.get_by_role("link", name="Compare what").first.click()
    expect(omar.locator("main")).to_contain_text("All pass")
    expect(omar.locator("main")).to_contain_text("they saw 13 of 13 elements")

    omar.get_by_role("link", name="Try it out yourself").click()
    omar.get_by_role("button", name="Begin").click()
    expect(omar.locator("#now")).to_contain_text("Block it now")


def test_who_takes_a_scenario_away_says_why_and_who_agrees_reads_it(
    signed_in: SignedIn, complaints
) -> None:
    omar, name = signed_in("omar"), "A card of somebody else is not blocked"
    changed = first_drawing().replace('name="Block the card"', 'name="Block it at once"')
    weaker = first_scenarios()
    weaker["scenarios"] = [each for each in weaker["scenarios"] if each["name"] != name]
    sent = {"scenarios": json.dumps(weaker), "why": "Say it shorter."}

    propose(omar, changed, **sent)
    refused = omar.get_by_role("alert")
    expect(refused).to_contain_text(f"“{name}”: it is removed")
    complaints.clear()
    propose(omar, changed, given_up=f"{name}: The core refuses it by itself.", **sent)
    omar.get_by_role("link", name="Compare what").first.click()

    expect(omar.locator("main")).to_contain_text("do not hold as they were")
    expect(omar.locator("main")).to_contain_text("Given up because: The core refuses it by itself.")
    for theme in ("light", "dark"):
        omar.emulate_media(color_scheme=theme)
        assert violations(omar) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_a_try_out(signed_in: SignedIn, theme: str) -> None:
    omar = signed_in("omar", color_scheme=theme)
    omar.goto(TRY)
    shown = [("before", violations(omar))]
    begun(omar)
    omar.get_by_role("button", name="Run to the next wait").click()
    expect(omar.locator(".djs-shape.is-active").first).to_be_attached()
    shown.append(("at a wait", violations(omar)))
    omar.get_by_role("button", name="Run to the end").click()
    shown.append(("at the end", violations(omar)))

    assert [found for found in shown if found[1]] == []


def test_a_try_out_is_no_wider_than_a_phone(signed_in: SignedIn) -> None:
    omar = signed_in("omar", viewport={"width": 390, "height": 800})
    begun(omar)
    omar.get_by_role("button", name="Run to the next wait").click()
    expect(omar.locator("#now")).to_contain_text("Confirm the payment")

    assert omar.evaluate("document.documentElement.scrollWidth") == 390


RULES = "/workspace/rules/send_money/payment_rules.dmn/"
LIMIT = "Ruling, rule 3, condition 2"
WORDS = "Ruling, rule 3, result 5"


def looked_through(page: Page) -> None:
    page.get_by_role("button", name="Look it through and run the tests").click()


def test_a_threshold_is_changed_with_tests_and_proposed(signed_in: SignedIn, complaints) -> None:
    omar = signed_in("omar")
    omar.goto("/workspace/rules/")
    omar.get_by_role("link", name="payment_rules.dmn").click()
    omar.get_by_label(LIMIT).fill("> 50000000")
    looked_through(omar)
    expect(omar.locator(".notice")).to_contain_text("1 cell changed; 1 of 18 tests fail")
    expect(omar.locator(".cell.is-changed")).to_have_count(1)
    expect(omar.locator("tr", has_text="expected verdict")).to_contain_text("Fails")

    omar.get_by_label("Why").fill("A lower limit.")
    omar.get_by_role("button", name="Propose the change").click()
    expect(omar.get_by_role("alert")).to_contain_text("One million goes on")

    omar.goto(RULES)
    omar.get_by_label(WORDS).fill('"Please speak with your adviser first."')
    omar.get_by_label("Name of a new test").fill("Two cents go on")
    omar.get_by_label("Decision of a new test").select_option("ruling")
    omar.get_by_label("Inputs of a new test").fill('{"amount_minor_units": 2}')
    omar.get_by_label("Expected of a new test").fill('{"verdict": "go_on"}')
    looked_through(omar)
    expect(omar.locator(".notice")).to_contain_text("1 cell changed; all 19 tests pass")
    omar.get_by_label("Why").fill("Say it kindly.")
    omar.get_by_role("button", name="Propose the change").click()
    expect(omar.get_by_role("status").first).to_contain_text("Asked for")
    omar.get_by_role("link", name="Compare what").first.click()
    expect(omar.locator("main")).to_contain_text("payment_rules.dmn")
    expect(omar.locator("main")).to_contain_text("All pass")
    complaints.clear()


def test_who_does_not_propose_reads_the_rules(signed_in: SignedIn, complaints) -> None:
    carla = signed_in("carla")
    carla.goto(RULES)
    expect(carla.locator("main")).to_contain_text("> 100000000")
    expect(carla.get_by_role("button", name="Propose the change")).to_have_count(0)
    eva = signed_in("eva")
    answer = eva.goto("/workspace/rules/")
    assert answer
    assert answer.status == 403
    complaints.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_rules_and_trials(signed_in: SignedIn, theme: str) -> None:
    omar = signed_in("omar", color_scheme=theme)
    shown = []
    for address in ("/workspace/rules/", RULES, "/workspace/flows/send_money/trial/"):
        omar.goto(address)
        shown.append((address, violations(omar)))
    omar.goto(RULES)
    omar.get_by_label(LIMIT).fill("> 50000000")
    looked_through(omar)
    shown.append(("a draft", violations(omar)))

    assert [found for found in shown if found[1]] == []


def test_a_trial_is_compared_with_the_rest_and_widened(signed_in: SignedIn) -> None:
    omar, carla = signed_in("omar"), signed_in("carla")
    changed = first_drawing().replace('name="Block the card"', 'name="Block it at once"')
    omar.goto("/workspace/flows/block_card/propose/")
    file = {"name": "b.bpmn", "mimeType": "application/xml", "buffer": changed.encode()}
    omar.get_by_label("Drawing").set_input_files(file)
    omar.get_by_label("Share of new work").fill("10")
    omar.get_by_label("Why").fill("Try it with a tenth.")
    omar.get_by_role("button", name="Propose it").click()
    expect(omar.get_by_role("status").first).to_contain_text("Asked for")
    row = omar.locator("#flow-now tr", has_text="Try it with a tenth.")
    number = row.locator(".mono").first.inner_text()
    carla.get_by_role("link", name="To approve").first.click()
    carla.locator("tr", has_text=number).get_by_role("button", name="Claim").click()
    carla.get_by_label("Comment", exact=False).first.fill("A tenth is fine.")
    carla.get_by_role("button", name="Approve").focus()
    carla.keyboard.press("Enter")
    expect(carla.locator("#case-tasks")).to_contain_text("Done")

    omar.goto("/workspace/flows/block_card/")
    omar.get_by_role("link", name="What comes of the trial").click()
    expect(omar.locator("main")).to_contain_text("gets 10 % of new work")
    expect(omar.locator("tr", has_text="Began")).to_contain_text("0")
    assert violations(omar) == []
    omar.get_by_role("link", name="Widen").click()
    expect(omar.get_by_label("Share of new work")).to_have_value("20")
    omar.goto("/workspace/flows/block_card/trial/")
    omar.get_by_role("link", name="Withdraw").click()
    expect(omar.get_by_label("Share of new work")).to_have_value("100")


def test_rules_and_trials_are_no_wider_than_a_phone(signed_in: SignedIn) -> None:
    omar = signed_in("omar", viewport={"width": 390, "height": 800})
    for address in ("/workspace/rules/", RULES, "/workspace/flows/send_money/trial/"):
        omar.goto(address)
        assert (address, omar.evaluate("document.documentElement.scrollWidth")) == (address, 390)
