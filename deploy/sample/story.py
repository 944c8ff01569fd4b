"""The people and numbers of the guided story, always present in the first legal entity."""

from dataclasses import dataclass
from functools import cache
from uuid import UUID, uuid5

from grand_central.public import iban_of

NAMESPACE = UUID("5b0f5e7e-3a43-4a57-9a5c-2c7a5a3f6d10")
# Banks that do not exist, so that no number belongs to anybody.
ELSEWHERE = ("KADE", "STAD", "DUIN", "MOLN")


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody who works at the bank."""

    username: str
    display_name: str
    role: str
    skills: tuple[str, ...] = ()
    capacity: int = 12


@dataclass(frozen=True, slots=True)
class SampleBank:
    """One legal entity of the sample: its bank, its people."""

    entity: str
    name: str
    country: str
    bank_code: str
    currency: str
    employees: tuple[Employee, ...]


MERIDIAN_NL = SampleBank(
    "meridian-nl",
    "Meridian Bank",
    "NL",
    "MRDN",
    "EUR",
    (
        Employee("eva", "Eva Mulder", "adviser"),
        Employee("omar", "Omar Haddad", "operations", ("dutch", "trade_finance")),
        Employee("nadia", "Nadia Kok", "operations", ("dutch",), 4),
        Employee("fatima", "Fatima Demir", "fraud_analyst"),
        Employee("lucas", "Lucas Brandt", "underwriter"),
        Employee("carla", "Carla Rossi", "compliance_officer"),
        Employee("petra", "Petra Smit", "process_owner"),
    ),
)
MERIDIAN_BE = SampleBank(
    "meridian-be",
    "Meridian Bank België",
    "BE",
    "998",
    "EUR",
    (
        Employee("els", "Els Maes", "adviser"),
        Employee("olivier", "Olivier Lambert", "operations"),
        Employee("farah", "Farah Benali", "fraud_analyst"),
        Employee("luc", "Luc Claes", "underwriter"),
        Employee("chantal", "Chantal Dubois", "compliance_officer"),
    ),
)


def sample_id(*parts: object) -> UUID:
    """Return the id of something of the sample: the same parts, the same id."""
    return uuid5(NAMESPACE, "|".join(map(str, parts)))


@cache
def elsewhere_iban(*parts: object) -> str:
    """Return a valid IBAN at a bank that does not exist."""
    number = sample_id("iban", *parts).int
    return iban_of(
        country="NL",
        bank_code=ELSEWHERE[number % len(ELSEWHERE)],
        account=f"{number % 10**10:010d}",
    )


@cache
def elsewhere_phone(country: str, *parts: object) -> str:
    """Return a mobile number from a range that no operator gives out."""
    number = f"{sample_id('phone', *parts).int % 10**7:07d}"
    if country == "BE":
        return f"+32 40{number[0]} {number[1:3]} {number[3:5]} {number[5:]}"
    return f"+31 6 0{number[:3]} {number[3:]}"


LANDLORD_NAME = "Hendriks Vastgoed B.V."
LANDLORD_IBAN = elsewhere_iban("landlord", LANDLORD_NAME)
FRIEND_ELSEWHERE_NAME = "Anna Bakker"
FRIEND_ELSEWHERE_IBAN = elsewhere_iban("friend", FRIEND_ELSEWHERE_NAME)
# On the invoice of the story: a number that exists, and is not the landlord's.
INVOICE_IBAN = elsewhere_iban("invoice", "not the landlord")
RENT_MINOR_UNITS = 125_000
