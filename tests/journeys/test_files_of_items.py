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
    assert failures.content.decode().splitlines()[1:] == ["5,nonsense,refused,item_refused"]
    part = browser.get(f"{page}?state=refused", headers={"HX-Request": "true"}).content.decode()
    assert "nonsense" in part
    assert cards[0] not in part
    assert "<html" not in part


def test_a_file_that_cannot_be_read_is_refused_in_words_and_begins_nothing(bank):
    browser = signed_in("omar")

    answer = handed_in(browser, b"card_id,reason\na,stolen\na,stolen\n")

    assert answer.status_code == 422
    assert "Nothing was begun." in answer.content.decode()
    assert "No files yet" in answer.content.decode()
    assert handed_in(browser, b"").status_code == 422
    assert handed_in(browser, b"x", kind="no/thing").status_code == 422


def test_only_operations_sees_and_hands_in_files(bank):
    assert handed_in(signed_in("eva"), b"card_id,reason\na,b\n").status_code == 403
    assert signed_in("anna").get("/workspace/files/").status_code in {302, 403}
