"""Searching without names in addresses: with and without scripts, and only in one's own session."""

import pytest

from tests.journeys.test_hostile_browser import signed_in

PLACES = ("/workspace/customers/", "/workspace/cases/", "/workspace/", "/workspace/running/")
PART = {"HTTP_HX_REQUEST": "true"}


def who_sees(address):
    return "omar" if address == "/workspace/running/" else "carla"


def searched(browser, address, text, **headers):
    return browser.post(address, {"q": text}, **headers)


@pytest.mark.parametrize("address", PLACES)
def test_a_search_without_scripts_leads_to_an_address_without_its_words(bank, address):
    browser = signed_in(who_sees(address))

    answer = searched(browser, address, "de Vries")

    assert answer.status_code == 302
    assert answer.url.startswith(f"{address}?s=")
    assert "Vries" not in answer.url
    assert b'value="de Vries"' in browser.get(answer.url).content


@pytest.mark.parametrize("address", PLACES)
def test_a_part_says_which_address_shows_it_again(bank, address):
    browser = signed_in(who_sees(address))

    answer = searched(browser, address, "de Vries", **PART)

    assert answer.status_code == 200
    assert b"<form" not in answer.content.split(b"<section")[0]
    pushed = answer["HX-Push-Url"]
    assert pushed.startswith(f"{address}?s=")
    assert "Vries" not in pushed
    assert b"<html" in browser.get(pushed, HTTP_HX_HISTORY_RESTORE_REQUEST="true", **PART).content


def test_what_is_found_is_what_was_looked_for(bank):
    eva = signed_in("eva")

    found = eva.get(searched(eva, "/workspace/customers/", "de vries").url)
    nobody = eva.get(searched(eva, "/workspace/customers/", "zzzz").url)

    assert b"Anna de Vries" in found.content
    assert b"Nobody found" in nobody.content


def test_filters_stay_beside_a_search(bank):
    eva = signed_in("eva")

    answer = eva.post("/workspace/", {"q": "rent", "view": "done", "kind": "handoff"}, **PART)
    cleared = eva.post("/workspace/", {"q": "", "view": "done", "kind": ""}, **PART)

    assert answer["HX-Push-Url"].startswith("/workspace/?view=done&kind=handoff&s=")
    assert cleared["HX-Push-Url"] == "/workspace/?view=done"


def test_an_address_means_nothing_to_another_session_nor_later(bank, settings):
    eva, omar = signed_in("eva"), signed_in("omar")
    address = searched(eva, "/workspace/customers/", "de Vries").url

    assert b"Anna de Vries" not in omar.get(address).content

    session = eva.session
    session["searches"] = {n: (text, at - 31 * 60) for n, (text, at) in session["searches"].items()}
    session.save()
    assert b"Anna de Vries" not in eva.get(address).content


def test_words_in_the_address_are_not_looked_for(bank):
    assert b"Anna de Vries" not in signed_in("eva").get("/workspace/customers/?q=vries").content


def test_a_session_keeps_few_searches_and_the_same_one_once(bank):
    eva = signed_in("eva")
    for number in range(30):
        searched(eva, "/workspace/customers/", f"name {number}")
    first = searched(eva, "/workspace/customers/", "name 29").url

    assert searched(eva, "/workspace/customers/", "name 29").url == first
    assert len(eva.session["searches"]) == 20
