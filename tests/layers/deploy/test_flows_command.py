"""`manage.py flows`: a release beside the bank, and a proposal that somebody else agrees to."""

from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from interaction.people import NewPerson, create_people
from orchestration import journeys
from orchestration.durable.publication import publish
from orchestration.public import proposals_of, publish_journeys
from tests.authority import NL, found_bank

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
