"""`manage.py flow fork`: a walk on from a real run, for who may see it, with nothing written."""

import io
import sys
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from interaction.people import NewPerson, create_people
from orchestration.durable.store import read_instance
from tests.authority import NL, found_bank
from tests.layers.orchestration.conftest import employee, flows
from tests.layers.orchestration.flows import SCRIPTS

__all__ = ["employee", "flows"]
PASSWORD = "quiet-harbour-lantern"
PEOPLE = (("omar", "operations"), ("olga", "process_owner"), ("eva", "adviser"))

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(entity, flows, settings, tmp_path, monkeypatch):
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
    return flows.started(flows.published(SCRIPTS, opens_case="at_start"), amount=21)


@pytest.fixture
def said(monkeypatch):
    def told(run, *words, who="omar", typed=""):
        out = io.StringIO()
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        by = ("--entity", NL.entity, "--as", who)
        call_command("flow", "fork", str(run), *words, *by, stdout=out, no_color=True)
        return out.getvalue()

    return told


def test_a_walk_from_a_run_names_its_origin_and_leaves_the_run(run, said):
    row = read_instance(run)

    told = said(run, "--at", "0", typed='variables total\nanswer check {"done": {}}\npath\n')

    assert told.startswith(f"A fork of the run {run} (p, case ")
    assert "as it stood after event 0 of 0 to 0, in version 1." in told
    assert "total = 42" in told
    assert "It is over: completed." in told
    assert read_instance(run) == row


def test_what_cannot_be_forked_is_refused_in_words(run, said):
    with pytest.raises(CommandError, match="has no event 7; there are 0 to 0"):
        said(run, "--at", "7")
    with pytest.raises(CommandError, match="There is no scenario 'None such'"):
        said(run, "--scenario", "None such")
    with pytest.raises(CommandError, match=r"There is no run .* that you may read"):
        said(uuid4())


def test_a_fork_is_for_those_who_may_try_flows_out_and_see_the_case(run, said):
    with pytest.raises(CommandError, match=r"There is no run .* that you may read"):
        said(run, who="olga")
    with pytest.raises(CommandError, match="not for your role"):
        said(run, who="eva")


def test_a_move_that_cannot_be_made_ends_a_piped_walk_with_1(run, said):
    with pytest.raises(SystemExit) as ended:
        said(run, typed="step\n")
    assert ended.value.code == 1
