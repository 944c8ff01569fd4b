"""A file of cards that operations hands in: blocked here and at the processor, item by item."""

from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

import grand_central.public
import nexus.public
import orchestration.public
from deploy.sample.people import customers_of
from deploy.sample.story import MERIDIAN_NL
from tests.banks import wait_until
from tests.journeys.test_hostile_browser import signed_in
from tests.processor import Processor
from tests.sample_bank import CUSTOMERS, SEED


@pytest.fixture
def processor(tmp_path, settings) -> Iterator[Processor]:
    started = Processor(tmp_path).start()
    started.configure(settings)
    yield started
    started.kill()


def cards_of(bank):
    people = customers_of(MERIDIAN_NL, CUSTOMERS, SEED)
    states = [nexus.public.customer_state(customer_id=each.party_id) for each in people]
    return [str(card.card_id) for state in states for card in state.cards][:3]


def handed_in(browser, content, kind="block_card/cards"):
    file = SimpleUploadedFile("leak.csv", content, content_type="text/csv")
    return browser.post("/workspace/files/", {"kind": kind, "file": file})


def blocked():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_card WHERE status = 'blocked'")
        return cursor.fetchone()[0]


def test_cards_in_a_file_are_blocked_here_and_at_the_processor(bank, processor):
    cards, before = cards_of(bank), blocked()
    browser = signed_in("omar")
    rows = [*(f"{card},stolen" for card in cards), "nonsense,stolen"]

    answer = handed_in(browser, "\n".join(["card_id,reason", *rows]).encode())

    assert answer.status_code == 302
    page = answer.headers["Location"]

    def is_over():
        orchestration.public.run_batches_once()
        orchestration.public.run_due_once()
        orchestration.public.carry_effects_once()
        grand_central.public.ask_outside_once()
        return f"{len(cards)} done" in browser.get(page).content.decode()

    assert wait_until(is_over, 40), browser.get(page).content.decode()
    assert blocked() == before + len(cards)
    assert [processor.acts(card) for card in cards] == [["stop"]] * len(cards)
    failures = browser.get(f"{page}failures.csv")
    assert failures.headers["Content-Type"].startswith("text/csv")
    assert failures.content.decode().splitlines()[1:] == [
        "5,nonsense,refused,item_refused,card_id is not written as ^[0-9a-f-]{36}$"
    ]
    part = browser.get(f"{page}?state=refused", headers={"HX-Request": "true"}).content.decode()
    assert "nonsense" in part
    assert cards[0] not in part
    assert "<html" not in part


def test_a_file_that_cannot_be_read_is_refused_in_words_and_begins_nothing(bank):
    browser = signed_in("omar")

    answer = handed_in(browser, b"card_id,reason\na,stolen\na,stolen\n")

    assert answer.status_code == 422
    assert "Nothing was begun<" in answer.content.decode()
    assert "No files yet" in answer.content.decode()
    assert handed_in(browser, b"").status_code == 422
    assert handed_in(browser, b"x", kind="no/thing").status_code == 422


def steered(browser, page, move, reason="It is late."):
    return browser.post(f"{page}steer/", {"do": move, "reason": reason})


def test_a_long_file_is_listed_page_by_page_by_state_and_by_name(bank):
    browser = signed_in("omar")
    rows = [f"{number:08d}-0000-0000-0000-000000000000,stolen" for number in range(250)]
    rows += [f"wrong-{number},stolen" for number in range(3)]
    page = handed_in(browser, "\n".join(["card_id,reason", *rows]).encode()).headers["Location"]

    first = browser.get(page).content.decode()

    assert first.count("<tr>") == 1 + 100
    assert "after=101" in first
    second = browser.get(f"{page}?after=101").content.decode()
    assert f"{100:08d}-" in second
    assert f"{99:08d}-" not in second
    last = browser.get(f"{page}?after=201").content.decode()
    assert last.count("<tr>") == 1 + 53
    assert "Show the next" not in last
    refused = browser.get(f"{page}?state=refused").content.decode()
    assert refused.count("<tr>") == 1 + 3
    # What is looked for stands in no address.
    found = browser.post(page, {"q": "00000249", "state": ""})
    assert found.status_code == 302
    assert "00000249" not in found.headers["Location"]
    shown = browser.get(found.headers["Location"]).content.decode()
    assert shown.count("<tr>") == 1 + 1
    assert "No item of this name" in browser.post(page, {"q": "zzz"}, follow=True).content.decode()


def test_a_file_is_held_let_go_on_and_stopped_with_a_reason_that_is_shown(bank):
    browser = signed_in("omar")
    content = b"card_id,reason\n00000000-0000-0000-0000-000000000001,stolen\n"
    page = handed_in(browser, content).headers["Location"]

    asked = browser.get(f"{page}?do=pause").content.decode()
    assert "Hold the rest of this file?" in asked
    assert "Begin the failed anew" not in asked
    assert steered(browser, page, "pause", "no").status_code == 422
    assert steered(browser, page, "nothing").status_code == 404
    assert steered(browser, page, "pause", "The core is closed.").status_code == 302

    held = browser.get(page).content.decode()
    assert "The core is closed." in held
    assert ">Held<" in held
    orchestration.public.run_batches_once()
    refused = steered(browser, page, "pause")
    assert refused.status_code == 422
    assert "It is held already." in refused.content.decode()
    assert steered(browser, page, "resume").status_code == 302
    assert steered(browser, page, "stop").status_code == 302
    orchestration.public.run_batches_once()
    stopped = browser.get(page).content.decode()
    assert "1 stopped" in stopped
    assert steered(browser, page, "restart").status_code == 422


def test_nobody_else_steers_a_file(bank):
    content = b"card_id,reason\n00000000-0000-0000-0000-000000000001,stolen\n"
    page = handed_in(signed_in("omar"), content).headers["Location"]

    assert steered(signed_in("eva"), page, "stop").status_code == 403
    assert signed_in("eva").get(f"{page}failures.csv").status_code == 403

    assert "1</span>" in signed_in("omar").get(f"{page}?state=waiting").content.decode()


def test_only_operations_sees_and_hands_in_files(bank):
    assert handed_in(signed_in("eva"), b"card_id,reason\na,b\n").status_code == 403
    assert signed_in("anna").get("/workspace/files/").status_code in {302, 403}
