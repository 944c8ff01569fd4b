"""Making the people of the sample bank."""

import json
import stat
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from interaction.models import User
from interaction.people import NewPerson, create_people, random_password, sign_ins

pytestmark = pytest.mark.django_db

ANNA = NewPerson("anna", "Anna de Vries", UUID(int=2), UUID(int=1))
OMAR = NewPerson("omar", "Omar Haddad", UUID(int=3), roles=("operations",))


@pytest.fixture(autouse=True)
def _file(settings, tmp_path) -> None:
    settings.SIGN_IN_FILE = tmp_path / "var" / "sign-in.json"


def test_people_can_sign_in_with_the_passwords_that_were_kept(entity: str) -> None:
    made = create_people(people=[ANNA, OMAR])

    assert [each.username for each in made] == ["anna", "omar"]
    for each in made:
        user = User.objects.get(username=each.username)
        assert user.check_password(each.password)
        assert user.password.startswith("argon2")
    assert sign_ins() == made


def test_the_file_is_readable_by_its_owner_only(entity: str, settings) -> None:
    create_people(people=[ANNA])

    assert stat.S_IMODE(settings.SIGN_IN_FILE.stat().st_mode) == 0o600
    assert json.loads(settings.SIGN_IN_FILE.read_text())[0]["username"] == "anna"


def test_people_are_made_once(entity: str) -> None:
    first = create_people(people=[ANNA])

    second = create_people(people=[ANNA, OMAR])

    assert [each.username for each in second] == ["omar"]
    assert sign_ins() == (*first, *second)
    assert User.objects.get(username="anna").check_password(first[0].password)


def test_passwords_are_long_and_differ() -> None:
    passwords = {random_password() for _ in range(100)}

    assert len(passwords) == 100
    assert {len(each) for each in passwords} == {23}


def test_the_database_refuses_a_customer_without_a_customer_id(entity: str) -> None:
    user = User(username="x", display_name="X", person_id=UUID(int=9), principal_kind="customer")

    with pytest.raises(IntegrityError), transaction.atomic():
        user.save(force_insert=True)
    assert not User.objects.exists()
