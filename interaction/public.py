"""The one door to Interaction: what a person sees, and what they mean."""

from interaction.guards import requires_customer, requires_role
from interaction.identity import (
    Credentials,
    Person,
    SignInRefused,
    TooManyAttempts,
    person_of,
    principal_of,
    sign_in,
    sign_out,
)
from interaction.people import NewPerson, SignIn, create_people, sign_ins
from sentinel.vocabulary import Principal

__all__ = [
    "Credentials",
    "NewPerson",
    "Person",
    "Principal",
    "SignIn",
    "SignInRefused",
    "TooManyAttempts",
    "create_people",
    "person_of",
    "principal_of",
    "requires_customer",
    "requires_role",
    "sign_in",
    "sign_ins",
    "sign_out",
]
