"""A new version of a flow: proposed by operations, compared and agreed to by compliance."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import SignedIn
from tests.rings import SOURCE

FLOW = "/workspace/flows/block_card/"
WHY = "Say plainly what the processor does."
MORE = """
    <scriptTask id="note_done" name="Note that it is done" scriptFormat="feel">
      <extensionElements><frontline:script result="is_noted"/></extensionElements>
      <incoming>f5</incoming>
      <outgoing>f5b</outgoing>
      <script>true</script>
    </scriptTask>
    <sequenceFlow id="f5b" sourceRef="note_done" targetRef="end_blocked"/>
    <sequenceFlow id="f5" sourceRef="stop" targetRef="note_done"/>"""
SHAPE = (
    '<bpmndi:BPMNShape id="note_done_di" bpmnElement="note_done">'
    '<dc:Bounds x="760" y="80" width="120" height="80"/></bpmndi:BPMNShape>'
)
FLOW_LINE = '<sequenceFlow id="f5" sourceRef="stop" targetRef="end_blocked"/>'


def first_drawing() -> str:
    """The drawing that is built in: what runs in the bank changes from test to test."""
    return (SOURCE / "apps/journeys/cards/block_card.bpmn").read_text(encoding="utf-8")


def first_scenarios() -> dict[str, Any]:
    """Return the scenarios that are built in."""
    told = (SOURCE / "apps/journeys/cards/block_card.scenario.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(told)
    return found


def with_one_more_step(drawing: str, name: str) -> str:
    head, end, tail = drawing.partition('<endEvent id="end_blocked"')
    changed = head + end + tail.replace("<incoming>f5<", "<incoming>f5b<", 1)
    changed = changed.replace(FLOW_LINE, MORE)
    changed = changed.replace("<bpmndi:BPMNShape", f"{SHAPE}<bpmndi:BPMNShape", 1)
    return changed.replace('name="Stop it at the card processor"', f'name="{name}"')


def propose(
    page: Page, drawing: str, *, why: str = WHY, scenarios: str = "", given_up: str = ""
) -> None:
    page.goto(f"{FLOW}propose/")
    file = {"name": "block_card.bpmn", "mimeType": "application/xml", "buffer": drawing.encode()}
    page.get_by_label("Drawing").set_input_files(file)
    if scenarios:
        told = {"name": "s.json", "mimeType": "application/json", "buffer": scenarios.encode()}
        page.get_by_label("Changed scenarios").set_input_files(told)
    page.get_by_label("Scenarios given up").fill(given_up)
    page.get_by_label("Why").fill(why)
    page.get_by_role("button", name="Propose it").click()


def test_a_version_is_proposed_compared_agreed_and_rolled_back(signed_in: SignedIn) -> None:
    omar, carla = signed_in("omar"), signed_in("carla")
    doubtful = first_drawing().replace("<frontline:stays/>", "", 1)
    propose(omar, with_one_more_step(doubtful, "Stop it everywhere"))
    expect(omar.get_by_role("status").first).to_contain_text("Asked for")
    expect(omar.locator("#flow-now")).to_contain_text("Waits for approval")

    carla.get_by_role("link", name="To approve").first.click()
    carla.get_by_role("button", name="Claim").first.click()
    carla.get_by_role("link", name="Compare the drawings").click()
    expect(carla.locator(".differences")).to_contain_text("(script task) was added")
    expect(carla.locator(".notice.caution")).to_contain_text("at block, block_card.bpmn, line")
    expect(carla.locator(".side-by-side .bjs-powered-by")).to_have_count(2)
    expect(carla.locator(".djs-shape.is-added")).to_have_count(1)
    expect(carla.locator(".difference.added")).to_have_text("+ added")
    expect(carla.locator(".djs-shape.is-changed")).to_have_count(4)
    carla.get_by_role("link", name="Open the case that decides").click()
    carla.get_by_label("Comment", exact=False).first.fill("I compared both drawings.")
    carla.get_by_role("button", name="Approve").focus()
    carla.keyboard.press("Enter")
    expect(carla.locator("#case-tasks")).to_contain_text("Done")

    rule = omar.locator("#flow-now tr", has_text="The rule")
    expect(rule).to_contain_text("Version 2")
    omar.get_by_role("link", name="Roll back to version 1").focus()
    omar.keyboard.press("Enter")
    omar.get_by_label("Why").fill("It said too little.")
    omar.get_by_role("button", name="Ask to roll back").click()
    expect(omar.locator("#flow-now")).to_contain_text("Waits for approval")


def test_a_drawing_that_cannot_run_is_refused_at_its_line(signed_in: SignedIn, complaints) -> None:
    omar = signed_in("omar")
    omar.goto(FLOW)
    before = omar.locator("#flow-now tr").count()

    propose(omar, first_drawing().replace(FLOW_LINE, ""))

    refused = omar.get_by_role("alert")
    expect(refused).to_contain_text("nothing was proposed")
    expect(refused).to_contain_text("line ")
    expect(omar.get_by_label("Why")).to_have_value(WHY)
    omar.goto(FLOW)
    expect(omar.locator("#flow-now tr")).to_have_count(before)
    complaints.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_flows(signed_in: SignedIn, theme: str) -> None:
    omar = signed_in("omar", color_scheme=theme)
    propose(omar, with_one_more_step(first_drawing(), f"Stop it, {theme}"))
    shown = [("the flow", violations(omar))]
    compare = omar.get_by_role("link", name="Compare what").first.get_attribute("href") or ""
    version = omar.get_by_role("link", name="The drawing").get_attribute("href") or ""
    digest = version.split("/")[-2]

    pages = ("/workspace/flows/", f"{FLOW}propose/", compare, f"{FLOW}share/?version={digest}")
    for address in (*pages, f"{FLOW}move/?old={digest}", "/workspace/people/"):
        omar.goto(address)
        if "compare" in address:
            expect(omar.locator(".djs-shape.is-changed").first).to_be_attached()
        shown.append((address, violations(omar)))

    assert [found for found in shown if found[1]] == []


def test_a_flow_shows_its_drawing(signed_in: SignedIn) -> None:
    omar = signed_in("omar")

    omar.goto(FLOW)

    expect(omar.locator('#drawing [data-element-id="end_blocked"]').first).to_be_visible()
    expect(omar.get_by_role("button", name="Where it stands")).to_have_count(0)
    omar.get_by_role("button", name="Larger").click()
    expect(omar.get_by_role("heading", name="Versions")).to_be_visible()


def test_flows_are_no_wider_than_a_phone(signed_in: SignedIn) -> None:
    omar = signed_in("omar", viewport={"width": 390, "height": 800})
    omar.goto(FLOW)
    compare = omar.get_by_role("link", name="Compare").first.get_attribute("href") or ""

    for address in (FLOW, "/workspace/flows/", f"{FLOW}propose/", compare, "/workspace/people/"):
        omar.goto(address)
        assert (address, omar.evaluate("document.documentElement.scrollWidth")) == (address, 390)


def test_flows_are_for_those_who_answer_for_them(signed_in: SignedIn, complaints) -> None:
    for username, expected in (("eva", 403), ("anna", 403), ("carla", 200)):
        page = signed_in(username)
        answer = page.goto("/workspace/flows/")
        assert (username, answer and answer.status) == (username, expected)
    answer = page.goto(f"{FLOW}propose/")
    assert answer
    assert answer.status == 403
    complaints.clear()
