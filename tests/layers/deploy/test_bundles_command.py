"""Rules that came with a release are put in force by two people, and nothing else puts them."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from deploy import rulebook
from interaction.people import NewPerson, create_people
from sentinel.policy.bundles import Bundle
from sentinel.public import bundles, install_genesis, legal_entity
from tests.authority import NL, count

PASSWORD = "quiet-harbour-lantern"
PEOPLE = (("omar", "operations"), ("nadia", "operations"), ("carla", "compliance_officer"))

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def older_rules(settings, tmp_path, monkeypatch):
    """A bank whose rules for cards are those of an earlier release."""
    settings.SIGN_IN_FILE = tmp_path / "sign-in.json"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setenv("FRONTLINE_PASSWORD", PASSWORD)
    earlier = [older(each) if each.content.area == "cards" else each for each in shipped()]
    start = datetime.now(UTC) - timedelta(days=1)
    install_genesis(entity=NL, bundles=earlier, at=start)
    with legal_entity(entity=NL.entity):
        create_people(
            people=[
                NewPerson(name, name, UUID(int=number), roles=(role,))
                for number, (name, role) in enumerate(PEOPLE, 1)
            ],
            new_password=lambda: PASSWORD,
        )
        yield


def shipped():
    return rulebook.shipped_bundles()


def older(bundle):
    cedar = bundle.content.cedar.replace("may block any card.", "may block cards.")
    assert cedar != bundle.content.cedar
    return Bundle(bundle.content.model_copy(update={"cedar": cedar}))


def said(*arguments):
    out = StringIO()
    call_command("bundles", *arguments, stdout=out)
    return out.getvalue()


def by(name):
    return ("--entity", NL.entity, "--as", name)


def of_cards():
    return next(each.digest for each in bundles() if each.name == "cards")


def test_what_differs_is_named_and_ends_with_one():
    out = StringIO()

    with pytest.raises(CommandError) as refused:
        call_command("bundles", "list", stdout=out)

    assert refused.value.returncode == 1
    assert "bundles propose" in str(refused.value)
    (line,) = out.getvalue().splitlines()
    assert line.startswith("meridian-nl  cards: ")
    assert of_cards()[:12] in line


def test_two_people_put_the_rules_of_the_release_in_force():
    new = next(each.digest for each in shipped() if each.content.area == "cards")

    assert "proposed  cards" in said("propose", *by("omar"))
    assert of_cards() != new
    assert "in force  cards" in said("publish", *by("carla"))

    assert of_cards() == new
    assert "are those of this release" in said("list")
    assert said("list", "--quiet") == ""


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((("publish", "carla"),), "nobody has proposed it yet"),
        ((("propose", "carla"), ("publish", "carla")), "you proposed it"),
        ((("propose", "omar"), ("publish", "nadia")), "takes somebody of the role compliance"),
        ((("propose", "nobody"),), ""),
    ],
)
def test_one_person_or_the_wrong_one_puts_nothing_in_force(steps, words):
    before = count("sentinel_publication")

    *first, (action, name) = steps
    for earlier_action, earlier_name in first:
        said(earlier_action, *by(earlier_name))

    with pytest.raises(CommandError) as refused:
        said(action, *by(name))

    assert words in str(refused.value)
    assert count("sentinel_publication") == before


def test_a_wrong_password_proposes_nothing(monkeypatch):
    monkeypatch.setenv("FRONTLINE_PASSWORD", "wrong")
    before = count("sentinel_bundle")

    with pytest.raises(CommandError):
        said("propose", *by("omar"))

    assert count("sentinel_bundle") == before


def test_an_unknown_legal_entity_is_refused():
    with pytest.raises(CommandError, match="There is no legal entity other-bank"):
        said("propose", "--entity", "other-bank", "--as", "omar")
