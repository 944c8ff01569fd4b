"""Invents the customers of a legal entity, the same for the same seed."""

import unicodedata
from dataclasses import dataclass
from datetime import date
from random import Random
from uuid import UUID

from deploy.sample import names
from deploy.sample.merchants import EMPLOYERS, LANDLORDS
from deploy.sample.story import (
    LANDLORD_IBAN,
    LANDLORD_NAME,
    MERIDIAN_NL,
    RENT_MINOR_UNITS,
    SampleBank,
    elsewhere_iban,
    elsewhere_phone,
    sample_id,
)
from grand_central.public import iban_of

# username, given name, family name, monthly salary and rent in minor units
_OF_THE_STORY = (
    ("anna", "Anna", "de Vries", 385_000),
    ("bob", "Bob", "Jansen", 312_000),
    ("sophie", "Sophie", "van Dijk", 341_000),
)


@dataclass(frozen=True, slots=True)
class Customer:
    """An invented customer with the two accounts and the habits of a life. Minor units."""

    party_id: UUID
    username: str
    given_name: str
    family_name: str
    birth_date: date
    street: str
    postal_code: str
    city: str
    country: str
    current_id: UUID
    current_iban: str
    savings_id: UUID
    savings_iban: str
    opened_on: date
    employer: str
    salary: int
    landlord: str
    landlord_iban: str
    rent: int
    opening: int

    @property
    def name(self) -> str:
        """The name on the accounts."""
        return f"{self.given_name} {self.family_name}"

    @property
    def email(self) -> str:
        """An address nobody can have."""
        return f"{self.username}@customers.example"

    @property
    def phone(self) -> str:
        """A number nobody can have."""
        return elsewhere_phone(self.country, self.party_id)


def customers_of(bank: SampleBank, count: int, seed: int) -> tuple[Customer, ...]:
    """Return the customers of a bank; those of the story come first in the first bank."""
    taken: set[str] = set()
    return tuple(_customer(bank, number, seed, taken) for number in range(count))


def _customer(bank: SampleBank, number: int, seed: int, taken: set[str]) -> Customer:
    chance = Random(f"{seed}|{bank.entity}|{number}")  # noqa: S311 - invented people, no secret
    is_of_story = bank is MERIDIAN_NL and number < len(_OF_THE_STORY)
    if is_of_story:
        username, given, family, salary = _OF_THE_STORY[number]
    else:
        given, family = _name(bank, chance)
        username = _username(given, family, taken)
        salary = chance.randrange(215_000, 545_000, 500)
    taken.add(username)
    is_annas = is_of_story and number == 0
    landlord = LANDLORD_NAME if is_annas else chance.choice(LANDLORDS)
    party = sample_id(bank.entity, seed, "party", number)
    city, street, postal = _address(bank, chance)
    return Customer(
        party_id=party,
        username=username,
        given_name=given,
        family_name=family,
        birth_date=date(chance.randint(1950, 2004), chance.randint(1, 12), chance.randint(1, 28)),
        street=street,
        postal_code=postal,
        city=city,
        country=bank.country,
        current_id=sample_id(party, "current"),
        current_iban=_own_iban(bank, seed, number, 1),
        savings_id=sample_id(party, "savings"),
        savings_iban=_own_iban(bank, seed, number, 2),
        opened_on=date(chance.randint(2014, 2022), chance.randint(1, 12), chance.randint(1, 28)),
        employer=chance.choice(EMPLOYERS),
        salary=salary,
        landlord=landlord,
        landlord_iban=LANDLORD_IBAN if is_annas else elsewhere_iban("landlord", landlord),
        rent=RENT_MINOR_UNITS if is_annas else salary * chance.randint(22, 32) // 10_000 * 100,
        opening=chance.randrange(180_000, 620_000, 1_000),
    )


def _name(bank: SampleBank, chance: Random) -> tuple[str, str]:
    if chance.random() < 0.22:
        return (
            chance.choice(names.GIVEN_NAMES_INTERNATIONAL),
            chance.choice(names.FAMILY_NAMES_INTERNATIONAL),
        )
    if bank.country == "BE" or chance.random() < 0.1:
        return chance.choice(names.GIVEN_NAMES_BELGIAN), chance.choice(names.FAMILY_NAMES_BELGIAN)
    return chance.choice(names.GIVEN_NAMES_DUTCH), chance.choice(names.FAMILY_NAMES_DUTCH)


def _username(given: str, family: str, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", f"{given}.{family}".casefold().replace("\u0131", "i"))
    name = "".join(each for each in plain if each.isascii() and (each.isalnum() or each == "."))
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}{number}"
    return free


def _address(bank: SampleBank, chance: Random) -> tuple[str, str, str]:
    if bank.country == "BE":
        city, postal = chance.choice(names.PLACES_BELGIAN)
        return city, f"{chance.choice(names.STREETS_BELGIAN)} {chance.randint(1, 180)}", postal
    city, district = chance.choice(names.PLACES_DUTCH)
    letters = "".join(chance.choice("ABCDEFGHJKLMNPRSTVWXZ") for _ in range(2))
    postal = f"{district}{chance.randint(10, 99)} {letters}"
    return city, f"{chance.choice(names.STREETS_DUTCH)} {chance.randint(1, 180)}", postal


def _own_iban(bank: SampleBank, seed: int, number: int, which: int) -> str:
    length = 10 if bank.country == "NL" else 7
    account = (seed % 1_000) * 10_000 + number * 10 + which + 1_000
    return iban_of(country=bank.country, bank_code=bank.bank_code, account=f"{account:0{length}d}")
