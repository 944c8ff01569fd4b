"""What a restore held goes on when two people of operations say so, and Sentinel's log says who."""

from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from interaction.people import NewPerson, create_people
from orchestration.effects.carrying import carry_effects_once
from orchestration.public import TaskFilters, held_effects, tasks
from sentinel.vocabulary import Principal
from tests.authority import NL
from tests.layers.orchestration.conftest import employee, flows
from tests.layers.orchestration.test_outside_effects import carried, processor, simulator
from tests.layers.orchestration.test_restored_flows import restored, stopping_now

__all__ = ["employee", "flows", "processor", "restored", "simulator"]
PASSWORD = "quiet-harbour-lantern"
PEOPLE = (("omar", "operations"), ("nadia", "operations"), ("carla", "compliance_officer"))
WHY = "Not in their books of today"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def people(settings, tmp_path, monkeypatch, entity):
    settings.SIGN_IN_FILE = tmp_path / "sign-in.json"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setenv("FRONTLINE_PASSWORD", PASSWORD)
    create_people(
        people=[
            NewPerson(name, name, UUID(int=number), roles=(role,))
            for number, (name, role) in enumerate(PEOPLE, 1)
        ],
        new_password=lambda: PASSWORD,
    )


@pytest.fixture
def card():
    return str(uuid4())


@pytest.fixture
def instance_id(flows, processor, restored, card):
    """Have a card stopped, and restore before that was carried out."""
    begun = stopping_now(flows, card)
    restored()
    return begun


def said(*arguments):
    out = StringIO()
    call_command("held", *map(str, arguments), stdout=out)
    return out.getvalue()


def release(instance_id, name, reason=WHY):
    return said("release", instance_id, "--entity", NL.entity, "--as", name, "--reason", reason)


def agree(instance_id, name):
    return said("agree", instance_id, "--entity", NL.entity, "--as", name)


def refused(act, *arguments):
    with pytest.raises(CommandError) as refusal:
        act(*arguments)
    assert refusal.value.returncode == 1
    return str(refusal.value)


def asked(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def still_held(processor, card):
    assert carry_effects_once() == 0
    assert processor.acts(card) == []
    return len(held_effects()) == 1


def test_two_people_let_go_on_what_is_held_and_it_is_on_record(instance_id, processor, card):
    assert f"cards.stop  instance {instance_id} at stop" in said("list")

    assert "manage.py held agree" in release(instance_id, "omar")
    assert "asked to let it go on" in said("list")
    assert still_held(processor, card)
    assert "it goes on" in agree(instance_id, "nadia")

    assert carried(instance_id)
    assert processor.acts(card) == ["stop"]
    assert said("list") == "meridian-nl  nothing is held\n"
    ((request, by_asker),) = asked(
        "SELECT r.id, r.requested_by FROM sentinel_approval_request r"
        " WHERE r.action_kind = 'flows.release_held' AND r.state = 'approved'"
    )
    ((by_approver,),) = asked(
        f"SELECT approver_id FROM sentinel_approval WHERE request_id = '{request}'"
    )
    assert by_asker != by_approver
    logged = asked(
        "SELECT o.kind, o.code FROM sentinel_outcome o JOIN sentinel_decision d"
        " ON d.id = o.decision_id WHERE d.action_kind = 'flows.release_held'"
    )
    assert logged == [("done", "put_right")]


def test_the_same_person_twice_lets_nothing_go_on(instance_id, processor, card):
    release(instance_id, "omar")

    assert "It takes two people of operations" in refused(agree, instance_id, "omar")

    assert still_held(processor, card)
    assert "it goes on" in agree(instance_id, "nadia")


def test_the_same_human_being_under_another_account_is_refused(instance_id, processor, card):
    create_people(
        people=[NewPerson("omar2", "omar2", UUID(int=1), roles=("operations",))],
        new_password=lambda: PASSWORD,
    )
    release(instance_id, "omar")

    assert "It takes two people" in refused(agree, instance_id, "omar2")

    assert still_held(processor, card)


@pytest.mark.parametrize("act", [release, agree])
def test_who_is_not_of_operations_is_refused(instance_id, processor, card, act):
    assert "operations_only" in refused(act, instance_id, "carla")
    assert still_held(processor, card)


def test_a_wrong_password_lets_nothing_go_on(instance_id, processor, card, monkeypatch):
    monkeypatch.setenv("FRONTLINE_PASSWORD", "guessed")

    refused(release, instance_id, "omar")

    assert asked("SELECT count(*) FROM orch_intervention") == [(0,)]
    assert still_held(processor, card)


def test_what_is_not_held_or_not_asked_for_is_refused_in_words(instance_id, processor, card):
    assert "nothing held back" in refused(release, uuid4(), "omar")
    assert "nobody has asked" in refused(agree, instance_id, "nadia")
    assert "10 to 500 characters" in refused(release, instance_id, "omar", "why not")
    assert still_held(processor, card)


def test_what_is_agreed_to_is_exactly_what_was_held_when_it_was_asked(
    instance_id,
    processor,
    card,
):
    release(instance_id, "omar")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orch_effect SET visit = 9 WHERE instance_id = %s", [instance_id])

    assert "overtaken" in refused(agree, instance_id, "nadia")

    assert still_held(processor, card)


def test_who_agrees_sees_what_goes_out(instance_id, employee: Principal):
    release(instance_id, "omar")

    (task,) = tasks(principal=employee, filters=TaskFilters(kind="approval"))

    for seen in ("cards.stop of step stop", "may have been carried out before", WHY):
        assert seen in task.summary
