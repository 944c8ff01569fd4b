"""Makes the sample bank: rules in force, books open, people, two years of history, sign-ins."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

import grand_central.public
import interaction.public
import nexus.public
import orchestration.public
import sentinel.public
from deploy import rulebook
from deploy.sample.batches import Mandate, Say, post, send
from deploy.sample.history import Books, friends_of, history_of
from deploy.sample.invoice import draw_invoice
from deploy.sample.merchants import BILLS, EMPLOYERS, HABITS, LANDLORDS
from deploy.sample.people import Customer, customers_of
from deploy.sample.screening import load_lists
from deploy.sample.story import (
    FRIEND_ELSEWHERE_IBAN,
    FRIEND_ELSEWHERE_NAME,
    LANDLORD_IBAN,
    LANDLORD_NAME,
    MERIDIAN_BE,
    MERIDIAN_NL,
    SampleBank,
    elsewhere_iban,
    elsewhere_phone,
    sample_id,
)
from grand_central.public import AccountItem, CardItem, PartyItem, PayeeItem, RegisteredName
from sentinel.vocabulary import Principal

CUSTOMERS_BELGIUM = 5
DESK_HOURS = {
    "zone": "Europe/Amsterdam",
    "hours": {
        day: [["08:00", "18:00"]]
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday")
    },
    "holidays": "ECB",
}
SAMPLE_LIST = Path(__file__).parent / "sample_list.csv"
SIGN_INS_MAX = 5
_CUSTOMER_FLAGS = 1
_INGEST_LIMIT = 2_000


def seed(*, customers: int, number: int, at: datetime, say: Say) -> None:
    """Make the sample bank in both legal entities; what is there already stays as it is.

    Raises:
        grand_central.public.CoreRefused: the core refused one of the batches.
    """
    for bank, count in ((MERIDIAN_NL, customers), (MERIDIAN_BE, CUSTOMERS_BELGIUM)):
        _rules(bank, at, say)
        with sentinel.public.legal_entity(entity=bank.entity):
            orchestration.public.publish_journeys()
            _bank(bank, customers_of(bank, count, number), number, at, say)
    doubts = len(orchestration.public.flow_findings())
    if doubts:
        say(f"{doubts} doubts about the flows published: manage.py flow check")
    draw_invoice(path=Path(settings.SAMPLE_INVOICE_FILE), on=at.date())
    say("sample invoice drawn")


def _rules(bank: SampleBank, at: datetime, say: Say) -> None:
    """Put the first rules of a legal entity in force, once."""
    if sentinel.public.is_genesis_done(entity=bank.entity):
        return
    sentinel.public.install_genesis(
        entity=sentinel.public.LegalEntity(bank.entity, bank.name, bank.country, bank.currency),
        bundles=rulebook.shipped_bundles(),
        at=at,
    )
    say(f"{bank.name}: rules in force")


def _bank(
    bank: SampleBank, people: tuple[Customer, ...], seed: int, at: datetime, say: Say
) -> None:
    mandate = Mandate("seed", bank.entity, at)
    books = _books(bank, mandate)
    _registers(mandate, people, bank)
    say(f"{bank.name}: {len(people)} customers with accounts, cards and payees")
    today = grand_central.public.business_date() or at.date()
    items = [
        item
        for customer in people
        for item in history_of(customer, friends_of(customer, people), books, seed, today)
    ]
    items.sort(key=lambda item: (item.booking or today, item.id))
    post(mandate, items, lambda words: say(f"{bank.name}: {words}"))
    _scheme()
    load_lists(mandate, [(SAMPLE_LIST, "sample", "Sample list, invented names")], is_sample=True)
    _sign_ins(bank, people)
    _staff(bank, at)
    _know(bank, say)


def _books(bank: SampleBank, mandate: Mandate) -> Books:
    opening: dict[str, object] = {
        "name": bank.name,
        "country": bank.country,
        "bank_code": bank.bank_code,
        "currency": bank.currency,
        "business_date": mandate.at.date().isoformat(),
    }
    if grand_central.public.business_date() is None:
        mandate.perform("bank.open", opening, None, "books")
    clearing, equity = _own(bank, "clearing", 1), _own(bank, "equity", 2)
    send(mandate, "accounts.open", [clearing, equity])
    return Books(clearing.id, equity.id, equity.iban, bank.name, bank.currency)


def _own(bank: SampleBank, kind: str, number: int) -> AccountItem:
    length = 10 if bank.country == "NL" else 7
    iban = grand_central.public.iban_of(
        country=bank.country, bank_code=bank.bank_code, account=f"{number:0{length}d}"
    )
    return AccountItem(
        id=sample_id(bank.entity, kind),
        iban=iban,
        code=number,
        currency=bank.currency,
        kind=kind,
        name=f"{bank.name} {kind}",
        holder_name=bank.name,
        party_id=None,
        flags=0,
        opened_on=date(2014, 1, 1),
    )


def _registers(mandate: Mandate, people: Sequence[Customer], bank: SampleBank) -> None:
    send(mandate, "parties.register", [_party(each) for each in people])
    accounts = [account for each in people for account in _accounts(each, bank.currency)]
    send(mandate, "accounts.open", accounts)
    send(mandate, "cards.issue", [_card(each, mandate.at.year) for each in people])
    payees = [payee for each in people for payee in _payees(each, friends_of(each, people))]
    send(mandate, "payees.import", payees)


def _party(customer: Customer) -> PartyItem:
    return PartyItem(
        id=customer.party_id,
        kind="person",
        name=customer.name,
        given_name=customer.given_name,
        family_name=customer.family_name,
        birth_date=customer.birth_date,
        email=customer.email,
        phone=customer.phone,
        street=customer.street,
        postal_code=customer.postal_code,
        city=customer.city,
        country=customer.country,
        segment="retail",
    )


def _accounts(customer: Customer, currency: str) -> tuple[AccountItem, AccountItem]:
    def account(key: UUID, iban: str, kind: str, name: str, code: int) -> AccountItem:
        return AccountItem(
            id=key,
            iban=iban,
            code=code,
            currency=currency,
            kind=kind,
            name=name,
            holder_name=customer.name,
            party_id=customer.party_id,
            flags=_CUSTOMER_FLAGS,
            opened_on=customer.opened_on,
        )

    return (
        account(
            customer.current_id, customer.current_iban, "customer_current", "Current account", 10
        ),
        account(
            customer.savings_id, customer.savings_iban, "customer_savings", "Savings account", 11
        ),
    )


def _card(customer: Customer, year: int) -> CardItem:
    number = sample_id(customer.party_id, "card")
    return CardItem(
        id=number,
        party_id=customer.party_id,
        account_id=customer.current_id,
        last_four=f"{number.int % 10_000:04d}",
        scheme="debit",
        product="Meridian Debit",
        expires_on=date(year + 3, 12, 31),
    )


def _payees(customer: Customer, friends: Sequence[Customer]) -> list[PayeeItem]:
    def elsewhere(name: str, iban: str) -> tuple[str, str, str]:
        return name, iban, elsewhere_phone(customer.country, name)

    known = [elsewhere(customer.landlord, customer.landlord_iban)]
    known += [(friend.name, friend.current_iban, friend.phone) for friend in friends]
    if customer.landlord_iban == LANDLORD_IBAN:
        known.append(elsewhere(FRIEND_ELSEWHERE_NAME, FRIEND_ELSEWHERE_IBAN))
    return [
        PayeeItem(
            id=sample_id(customer.party_id, "payee", iban),
            party_id=customer.party_id,
            name=name,
            iban=iban,
            added_on=max(customer.opened_on, date(2022, 3, 1)),
            is_trusted=False,
            phone=phone,
        )
        for name, iban, phone in known
    ]


def _scheme() -> None:
    """Teach the scheme simulator the names that accounts at other banks carry."""
    shops = {name for habit in HABITS for name in habit.merchants}
    shops |= {name for bill in BILLS for name in bill.merchants}
    known = {elsewhere_iban("shop", name): name for name in shops}
    known |= {elsewhere_iban("employer", name): name for name in EMPLOYERS}
    known |= {elsewhere_iban("landlord", name): name for name in LANDLORDS}
    known[LANDLORD_IBAN] = LANDLORD_NAME
    grand_central.public.teach_scheme(
        names=[
            *(RegisteredName(iban, name, is_organisation=True) for iban, name in known.items()),
            RegisteredName(FRIEND_ELSEWHERE_IBAN, FRIEND_ELSEWHERE_NAME, is_organisation=False),
        ]
    )


def _sign_ins(bank: SampleBank, people: Sequence[Customer]) -> None:
    """Let employees and the first customers sign in, and give those a second factor.

    Keeping a password costs a quarter of a second by design, so not everybody gets one.
    """
    people = people[:SIGN_INS_MAX]
    interaction.public.create_people(
        people=[
            interaction.public.NewPerson(
                username=each.username,
                display_name=each.name,
                person_id=sample_id(bank.entity, "person", each.party_id),
                customer_id=each.party_id,
            )
            for each in people
        ]
        + [
            interaction.public.NewPerson(
                username=each.username,
                display_name=each.display_name,
                person_id=sample_id(bank.entity, "person", each.username),
                roles=(each.role,),
            )
            for each in bank.employees
        ]
    )
    for each in people:
        principal = f"customer:{each.party_id}"
        if not sentinel.public.has_factor(principal_id=principal):
            sentinel.public.enrol_totp(principal_id=principal)


def _staff(bank: SampleBank, at: datetime) -> None:
    """Say who works the lists and when their desks are open."""
    orchestration.public.set_calendar(
        content=DESK_HOURS,
        principal=Principal("system:seed", "system", "system:seed", bank.entity),
        at=at,
    )
    orchestration.public.enlist(
        workers=[
            orchestration.public.NewWorker(
                f"employee:{sample_id(bank.entity, 'person', each.username)}",
                (each.role,),
                each.skills,
                each.capacity,
            )
            for each in bank.employees
        ]
    )


def _know(bank: SampleBank, say: Say) -> None:
    """Let Nexus take in what happened, so that the first screen is complete."""
    taken = 0
    while report := nexus.public.ingest_once(limit=_INGEST_LIMIT).ingested:
        taken += report
        say(f"{bank.name}: {taken} events known")
