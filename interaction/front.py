"""What the front door shows: the banks of this installation, and the simulated phones."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

import sentinel.public
from interaction.identity import COMPLIANCE
from interaction.models import CUSTOMER, User
from interaction.people import sign_ins
from sentinel.vocabulary import Principal


@dataclass(frozen=True, slots=True)
class Bank:
    """A legal entity people can sign in to."""

    entity: str
    name: str


@dataclass(frozen=True, slots=True)
class Phone:
    """A simulated phone of a sample customer, with the code its authenticator shows now."""

    bank: str
    display_name: str
    username: str
    code: str


def banks() -> tuple[Bank, ...]:
    """Return the banks of this installation."""
    return tuple(Bank(each.entity, each.name) for each in sentinel.public.legal_entities())


def landing(*, principal: Principal) -> str:
    """Return the address where this person's work is."""
    if principal.kind == "customer":
        return "/app/"
    return "/console/" if COMPLIANCE in principal.roles else "/workspace/"


def phones(*, at: datetime) -> tuple[Phone, ...]:
    """Return the phones of the sample customers who can sign in; none outside a sample bank."""
    if not settings.FRONTLINE_SAMPLE_BANK:
        return ()
    return tuple(phone for bank in banks() for phone in _phones_of(bank, at))


def _phones_of(bank: Bank, at: datetime) -> list[Phone]:
    names = [each.username for each in sign_ins() if each.entity == bank.entity]
    with sentinel.public.legal_entity(entity=bank.entity):
        owners = User.objects.filter(principal_kind=CUSTOMER, username__in=names)
        return [
            Phone(bank.name, user.display_name, user.username, code)
            for user in owners.order_by("username")
            if (code := _code(user, at))
        ]


def _code(user: User, at: datetime) -> str:
    """Return the code of a customer's authenticator, or '' where they have none."""
    try:
        return sentinel.public.authenticator_code(
            principal_id=f"customer:{user.customer_id}", at=at
        )
    except sentinel.public.FactorUnknown:
        return ""
