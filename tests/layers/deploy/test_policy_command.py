"""Proposals are listed, published by a second person against the report, and gone back on."""

import json
from datetime import UTC, datetime
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from deploy.rulebook import shipped_bundles
from interaction.people import NewPerson, create_people
from sentinel.policy.bundles import Bundle
from sentinel.public import bundles, install_genesis, legal_entity, propose_bundle
from tests.authority import NL, employee

PASSWORD = "quiet-harbour-lantern"
PEOPLE = (("omar", "operations"), ("carla", "compliance_officer"))

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def proposed(settings, tmp_path, monkeypatch):
    """A bank in which somebody proposed other words for the rules on cards."""
    settings.SIGN_IN_FILE = tmp_path / "sign-in.json"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setenv("FRONTLINE_PASSWORD", PASSWORD)
    install_genesis(entity=NL, bundles=shipped_bundles(), at=datetime.now(UTC))
    with legal_entity(entity=NL.entity):
        people = [
            NewPerson(name, name, UUID(int=number), roles=(role,))
            for number, (name, role) in enumerate(PEOPLE, 1)
        ]
        create_people(people=people, new_password=lambda: PASSWORD)
        old = cards().content
        cedar = old.cedar.replace("may block any card.", "may block cards.")
        bundle = Bundle(old.model_copy(update={"cedar": cedar}))
        propose_bundle(bundle=bundle, maker=employee("process_owner"), reason="Plainer words")
        yield bundle


def cards():
    return next(each for each in shipped_bundles() if each.content.area == "cards")


def said(*arguments):
    out = StringIO()
    call_command("policy", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def by(name):
    return ("--entity", NL.entity, "--as", name)


def in_force():
    return next(each.digest for each in bundles() if each.name == "cards")


def test_a_proposal_is_published_against_its_report_and_gone_back_on(proposed):
    (found,) = said("list")
    shown = said("show", found["id"])

    with pytest.raises(CommandError, match="report_differs"):
        call_command("policy", "publish", found["id"], "--report", "0" * 64, *by("carla"))
    said("publish", found["id"], "--report", found["report_digest"], *by("carla"))
    then = in_force()
    back = said("rollback", cards().digest, "--reason", "It was plainer", *by("omar"))
    said("publish", back["id"], "--report", back["report_digest"], *by("carla"))

    assert shown["report"]["widening"]["verdict"] == "none"
    assert (found["outcome"], back["kind"]) == ("open", "rollback")
    assert then == proposed.digest
    assert in_force() == cards().digest


def test_who_may_not_publish_is_refused_with_a_code():
    (found,) = said("list")

    with pytest.raises(CommandError):
        call_command(
            "policy", "publish", found["id"], "--report", found["report_digest"], *by("omar")
        )
    with pytest.raises(CommandError, match="proposal_unknown"):
        call_command("policy", "show", str(uuid4()))

    assert in_force() == cards().digest


def test_a_proposal_is_simulated_and_compared_in_shadow():
    (found,) = said("list")

    simulated = said("simulate", found["id"], "--days", "1")
    said("shadow", found["id"], *by("omar"))
    compared = said("compare")

    assert (simulated["replayed"], simulated["flips"]) == (0, {})
    assert compared == {"compared": 1}
    assert said("list")[0]["shadow"] == [0, 0]
