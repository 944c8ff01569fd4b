"""Makes the people who may sign in, and keeps their first passwords where only the owner reads."""

import os
import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from pydantic import TypeAdapter

from interaction.models import CUSTOMER, EMPLOYEE, User
from sentinel.public import current_entity

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LENGTH = 4, 5


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody who shall be able to sign in; a customer has a customer id, an employee roles."""

    username: str
    display_name: str
    person_id: UUID
    customer_id: UUID | None = None
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a person of the sample bank signs in."""

    entity: str
    username: str
    password: str
    display_name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StaffMember:
    """An employee who may sign in: under which name, which person, with which roles of record."""

    principal_id: str
    display_name: str
    person_id: str
    roles: tuple[str, ...]


def staff_members() -> tuple[StaffMember, ...]:
    """Return the employees of this legal entity who may sign in, by name."""
    found = User.objects.filter(principal_kind=EMPLOYEE, is_active=True).order_by("display_name")
    return tuple(
        StaffMember(
            f"employee:{each.person_id}", each.display_name, str(each.person_id), tuple(each.roles)
        )
        for each in found
    )


def person_of_record(*, principal_id: str) -> StaffMember | None:
    """Return who signs in under a name, as a customer or an employee, or nobody."""
    kind, _, key = principal_id.partition(":")
    try:
        named = {"customer_id" if kind == CUSTOMER else "person_id": UUID(key)}
    except ValueError:
        return None
    found = User.objects.filter(principal_kind=kind, is_active=True, **named).first()
    if found is None:
        return None
    roles = tuple(found.roles) if kind == EMPLOYEE else ()
    return StaffMember(principal_id, found.display_name, str(found.person_id), roles)


def random_password() -> str:
    """Return a password of about 98 bits in groups that can be read aloud."""
    return "-".join(
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )


def create_people(
    *, people: Sequence[NewPerson], new_password: Callable[[], str] = random_password
) -> tuple[SignIn, ...]:
    """Let people sign in to this legal entity; somebody who already can is left alone.

    Returns the sign-ins that were made now; all of them stand in settings.SIGN_IN_FILE.
    """
    taken = set(
        User.objects.filter(username__in=[each.username for each in people]).values_list(
            "username", flat=True
        )
    )
    made = tuple(_made(each, new_password()) for each in people if each.username not in taken)
    if made:
        _keep(made)
    return made


def _made(person: NewPerson, password: str) -> SignIn:
    is_customer = person.customer_id is not None
    roles = person.roles or (("customer",) if is_customer else ())
    user = User(
        username=person.username.casefold(),
        display_name=person.display_name,
        person_id=person.person_id,
        principal_kind=CUSTOMER if is_customer else EMPLOYEE,
        customer_id=person.customer_id,
        roles=list(roles),
    )
    user.set_password(password)
    user.save(force_insert=True)
    return SignIn(current_entity(), user.username, password, person.display_name, roles)


_STORED: TypeAdapter[tuple[SignIn, ...]] = TypeAdapter(tuple[SignIn, ...])


def sign_ins() -> tuple[SignIn, ...]:
    """Return the sign-ins of the sample bank as they were made; none where the file is absent."""
    path = Path(settings.SIGN_IN_FILE)
    return _STORED.validate_json(path.read_bytes()) if path.exists() else ()


def _keep(made: Sequence[SignIn]) -> None:
    path = Path(settings.SIGN_IN_FILE)
    names = {(each.entity, each.username) for each in made}
    kept = [each for each in sign_ins() if (each.entity, each.username) not in names]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp makes the draft readable by its owner alone (0600); the rename puts it there whole.
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_STORED.dump_json((*kept, *made), indent=1))
    os.replace(draft, path)
