"""`manage.py flows`: a release beside the bank, and a proposal that somebody else agrees to."""

import json
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from deploy.management.commands.flows import _words
from interaction.people import NewPerson, create_people
from orchestration import journeys
from orchestration.durable.publication import publish
from orchestration.public import ReleasedFlow, proposals_of, publish_journeys
from tests.authority import NL, found_bank
from tests.layers.orchestration.flows import HEAD, SCRIPTS

PASSWORD = "quiet-harbour-lantern"
PEOPLE = (("omar", "operations"), ("carla", "compliance_officer"))
BY_OMAR = ("--entity", NL.entity, "--as", "omar", "--reason", "It came with the release.")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def people(entity, settings, tmp_path, monkeypatch):
    settings.SIGN_IN_FILE = tmp_path / "sign-in.json"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setenv("FRONTLINE_PASSWORD", PASSWORD)
    found_bank()
    create_people(
        people=[
            NewPerson(name, name, UUID(int=number), roles=(role,))
            for number, (name, role) in enumerate(PEOPLE, 1)
        ],
        new_password=lambda: PASSWORD,
    )


def said(*arguments):
    out = StringIO()
    try:
        call_command("flows", *arguments, stdout=out)
    except CommandError as refused:
        return refused.returncode, out.getvalue(), str(refused)
    return 0, out.getvalue(), ""


def test_a_bank_of_this_release_has_nothing_to_ask_for():
    publish_journeys()

    code, words, _ = said("list")

    assert code == 0
    assert "meridian-nl  send_money: same, version 1 (" in words
    assert said("list", "--quiet") == (0, "", "")


def test_what_is_new_is_listed_ends_with_one_and_is_proposed():
    (change,) = (each for each in journeys.flow_sources() if each.process == "change_flow")
    publish(change)

    code, words, refusal = said("list", "--quiet", "--entity", NL.entity)
    assert code == 1
    assert "meridian-nl  send_money: new in this release (" in words
    assert "change_flow" not in words
    assert "flows propose NAME" in refusal

    code, words, _ = said("propose", "send_money", *BY_OMAR)
    assert (code, words[:21]) == (0, "proposed  send_money;")
    assert len(proposals_of(process="send_money")) == 1


def test_what_deserves_a_look_is_said_with_the_proposal(settings, tmp_path):
    drawing = f'{HEAD}<process id="p" isExecutable="true">{SCRIPTS}</process></definitions>'
    (tmp_path / "p.bpmn").write_text(drawing)
    content = {"drawing": "p.bpmn", "title": "A", "summary": "", "purpose": "servicing"}
    journey = {"journey": "test", "flows": {"p": content}}
    (tmp_path / "journey.json").write_text(json.dumps(journey))
    (change,) = (each for each in journeys.flow_sources() if each.process == "change_flow")
    publish(change)
    settings.JOURNEYS = [tmp_path]
    journeys.journeys.cache_clear()

    code, words, _ = said("propose", "p", *BY_OMAR)
    journeys.journeys.cache_clear()

    assert code == 0
    assert "warning   p.bpmn:" in words
    assert "double: The activity has no name, so nobody can be told what it does." in words
    assert words.rstrip().endswith("(name_missing)")


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        (
            ReleasedFlow("p", "b" * 64, "a" * 64, 1, "rolled_back", 2),
            "p: rolled back to version 1 (aaaaaaaaaaaa), bbbbbbbbbbbb of this release"
            " was version 2",
        ),
        (
            ReleasedFlow("p", "b" * 64, "a" * 64, 1, "newer"),
            "p: this release has newer (bbbbbbbbbbbb), version 1 (aaaaaaaaaaaa) is in force",
        ),
    ],
)
def test_a_rollback_is_told_from_a_newer_release(flow, words):
    assert _words(flow) == words


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (("send_money", *BY_OMAR), "send_money: This is what runs already."),
        (("no_such_flow", *BY_OMAR), "no_such_flow: there is no published flow no_such_flow."),
        (("send_money", *BY_OMAR[:3], "carla", *BY_OMAR[4:]), "proposed by operations"),
        (("send_money", *BY_OMAR[:5], " "), "Say why"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_words(arguments, refusal):
    publish_journeys()

    code, words, told = said("propose", *arguments)

    assert (code, words) == (1, "")
    assert refusal in told
    assert proposals_of(process="send_money") == ()
