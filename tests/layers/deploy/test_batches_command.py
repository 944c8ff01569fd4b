"""Files of items at a terminal: told in words and in JSON, steered by people of operations."""

import json
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from interaction.people import NewPerson, create_people
from orchestration.public import batch_figures
from sentinel.public import legal_entity
from tests.authority import NL, found_bank
from tests.layers.orchestration.conftest import employee, flows
from tests.layers.orchestration.test_batches import BODY, EACH, carried, csv_of, loaded

__all__ = ["employee", "flows"]
PASSWORD = "quiet-harbour-lantern"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def people(settings, tmp_path, monkeypatch, entity):
    settings.SIGN_IN_FILE = tmp_path / "sign-in.json"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setenv("FRONTLINE_PASSWORD", PASSWORD)
    found_bank()
    named = (("omar", "operations"), ("eva", "adviser"))
    create_people(
        people=[
            NewPerson(name, name, UUID(int=number), roles=(role,))
            for number, (name, role) in enumerate(named, 1)
        ],
        new_password=lambda: PASSWORD,
    )


def said(*arguments):
    """Return the exit code of the command and what it says."""
    out = StringIO()
    try:
        call_command("batches", *map(str, arguments), stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def steered(move, batch_id, name="omar", reason="The core is back."):
    return said(move, batch_id, "--entity", NL.entity, "--as", name, "--reason", reason)


def refused(*arguments):
    with pytest.raises(CommandError) as refusal:
        steered(*arguments)
    assert refusal.value.returncode == 1
    return str(refusal.value)


def figures(batch_id):
    with legal_entity(entity=NL.entity):
        (view,) = batch_figures(batch_id=batch_id)
    return view


def test_a_script_learns_from_the_exit_code_how_files_stand(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    assert said("list", "--entity", NL.entity) == (0, f"{NL.entity}  no files\n")
    view = loaded(employee, csv_of(("a", 1)))

    assert said("list")[0] == 4
    carried(view.id, employee)
    assert said("list")[0] == 0
    mixed = loaded(employee, csv_of(("b", 1), ("c", 500), ("d", "x")))
    carried(mixed.id, employee)

    assert said("show", view.id, "--entity", NL.entity)[0] == 0
    code, words = said("show", mixed.id, "--entity", NL.entity)
    assert code == 3
    assert "over, 100 %: 3 items; 1 done, 1 failed, 1 refused" in words
    code, lines = said("list", "--json")
    assert code == 3
    told = {each["id"]: each for each in map(json.loads, lines.splitlines())}
    assert told.keys() == {str(view.id), str(mixed.id)}
    ours = told[str(mixed.id)]
    assert (ours["entity"], ours["flow"], ours["batch"]) == (NL.entity, "p", "orders")
    assert (ours["state"], ours["items"], ours["failed"], ours["stopped"]) == ("over", 3, 1, 0)
    assert ours["ended_at"] > ours["made_at"]


def test_what_failed_is_begun_anew_and_nothing_else(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    view = loaded(employee, csv_of(("a", 1), ("b", 500)))
    carried(view.id, employee)

    assert steered("restart", view.id) == (0, "done  restart: 1 items\n")

    stands = figures(view.id)
    assert (stands.done, stands.waiting, stands.failed) == (1, 1, 0)
    assert carried(view.id, employee).failed == 1


def test_a_file_is_held_let_go_on_and_stopped(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    view = loaded(employee, csv_of(("a", 1), ("b", 1)))

    for move, stands in (("pause", "paused"), ("resume", "going"), ("stop", "stopped")):
        assert steered(move, view.id)[0] == 0
        assert figures(view.id).stands == stands
    assert figures(view.id).stopped == 2


def test_what_may_not_be_is_refused_in_words_and_nothing_moves(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    view = loaded(employee, csv_of(("a", 1)))

    assert "operations" in refused("pause", view.id, "eva")
    assert "no run" in refused("pause", uuid4())
    assert "5 to 500" in refused("pause", view.id, "omar", "no")
    assert "not held" in refused("resume", view.id)
    with pytest.raises(CommandError, match="There is no run"):
        said("show", uuid4(), "--entity", NL.entity)

    assert figures(view.id).stands == "going"
