"""The guided tour keeps its word: every page it leads to is there, every command can be given."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.test import Client
from lxml import html

from deploy.home import SOURCE

STEPS = ("invoice", "calls back", "second factor", "Pull the plug", "checks the record", "the past")


@pytest.fixture
def tour(bank):
    answer = Client().get("/tour/")
    assert answer.status_code == 200
    return html.fromstring(answer.content).xpath("//main")[0]


def test_the_tour_takes_every_step_of_the_story(tour):
    headings = [each.text_content() for each in tour.xpath('.//ol[@class="steps"]/li/h2')]

    assert len(headings) == len(STEPS)
    assert all(words in heading for words, heading in zip(STEPS, headings, strict=True)), headings
    assert "What this does not prove" in [each.text_content() for each in tour.xpath(".//h2")]


def test_the_tour_names_the_three_people_and_where_they_sign_in(tour):
    people = tour.xpath('.//section[@aria-labelledby="people"]//a/@href')

    assert people == [f"/sign-in/?as={name}" for name in ("anna", "omar", "carla")]


def test_every_page_the_tour_leads_to_is_there(tour):
    visitor = Client()
    places = set(tour.xpath(".//a/@href"))
    assert {"/app/chat/", "/workspace/", "/console/log/", "/simulators/phone/"} <= places

    for place in places:
        answer = visitor.get(place)

        # What belongs to somebody asks who is there.
        assert answer.status_code in {200, 302}, place
        assert answer.status_code == 200 or "/sign-in/" in answer.url, place


def test_the_invoice_of_the_tour_is_a_pdf(tour):
    assert Client().get("/tour/invoice.pdf").content.startswith(b"%PDF-")


def test_every_command_the_tour_gives_exists(tour):
    said = [each.text_content() for each in tour.xpath('.//*[@class="mono"]')]
    targets = re.findall(r"^([a-z-]+):", (SOURCE / "Makefile").read_text(), re.MULTILINE)
    made = [words.removeprefix("make ") for words in said if words.startswith("make ")]
    programs = [Path(words.split()[0]).name for words in said if words.startswith(".venv/")]

    assert set(made) == {"run", "tamper"}
    assert set(made) <= set(targets)
    assert "tamper" in get_commands()
    assert programs == ["frontline-verify"]
