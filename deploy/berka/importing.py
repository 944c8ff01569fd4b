"""Imports the data set through the bank's one path to an effect; a second run repeats nothing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import grand_central.public
from deploy.berka.comparing import Comparison, compare
from deploy.berka.ordering import in_order
from deploy.berka.reading import BerkaBooking, BerkaFiles, BrokenRow, read_berka
from deploy.sample.batches import Mandate, Say, chunked, post_chunk, send
from deploy.sample.story import SampleBank, sample_id
from grand_central.public import AccountItem, PartyItem, PostingItem

CURRENCY = "CZK"
SAID_EVERY = 10
_ACCOUNTS_AT_ONCE = 250
# symbol of the file -> (category, words)
_SYMBOLS = {
    "SIPO": ("housing", "Household"),
    "UROK": ("interest", "Interest"),
    "SLUZBY": ("fees", "Statement fee"),
    "SANKC. UROK": ("fees", "Penalty interest"),
    "DUCHOD": ("pension", "Old-age pension"),
    "POJISTNE": ("insurance", "Insurance"),
    "UVER": ("loan", "Loan payment"),
}
_OPERATIONS = {
    "VKLAD": ("cash", "Cash deposit"),
    "VYBER": ("cash", "Cash withdrawal"),
    "VYBER KARTOU": ("cash", "Withdrawal by card"),
    "PREVOD NA UCET": ("transfer", "Transfer to another bank"),
    "PREVOD Z UCTU": ("transfer", "Transfer from another bank"),
}
# The bank's own accounts on the other side of a booking, by the symbol of the file.
_OTHER_SIDES = {"UROK": "expense", "SLUZBY": "income", "SANKC. UROK": "income"}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What the import did: `left` bookings the ledger refused, `broken` rows of the files."""

    bookings: int
    posted_now: int
    accounts: int
    broken: tuple[BrokenRow, ...]
    left: tuple[BrokenRow, ...]
    comparison: Comparison


def import_berka(*, folder: Path, bank: SampleBank, at: datetime, say: Say) -> ImportReport:
    """Import the accounts that have bookings, and their bookings, into an open bank.

    Raises:
        FileMissing: the folder does not hold the data set.
        grand_central.public.CoreRefused: the core refused a whole batch.
    """
    files = read_berka(folder=folder)
    say(f"{len(files.bookings)} bookings read, {len(files.broken)} rows broken")
    mandate = Mandate("import", bank.entity, at)
    ordered = in_order(files.bookings)
    accounts = _open(mandate, bank, files, ordered)
    say(f"{len(accounts)} accounts are open")
    items = [_item(booking, accounts[booking.account], bank) for booking in ordered]
    posted = _post(mandate, items, say)
    left = _left(ordered, items)
    return ImportReport(
        bookings=len(ordered),
        posted_now=posted,
        accounts=len(accounts),
        broken=files.broken,
        left=left,
        comparison=_compare(ordered, items, accounts),
    )


def _open(
    mandate: Mandate, bank: SampleBank, files: BerkaFiles, ordered: Sequence[BerkaBooking]
) -> dict[int, UUID]:
    """Open the accounts that have bookings, with the overdraft they are seen to have had."""
    lowest: dict[int, int] = defaultdict(int)
    held: dict[int, int] = defaultdict(int)
    for booking in ordered:
        held[booking.account] += booking.amount
        lowest[booking.account] = min(lowest[booking.account], held[booking.account])
    numbers = sorted(lowest)
    send(mandate, "parties.register", [_party(bank, number) for number in numbers])
    own = [_own(bank, kind, at) for at, kind in enumerate(("clearing", "income", "expense"))]
    send(mandate, "accounts.open", own)
    opening = [_account(bank, number, files, -lowest[number]) for number in numbers]
    send(mandate, "accounts.open", opening)
    return {number: item.id for number, item in zip(numbers, opening, strict=True)}


def _party(bank: SampleBank, number: int) -> PartyItem:
    """Return the owner of an account; the data set names nobody, and neither do we."""
    return PartyItem(
        id=sample_id(bank.entity, "berka", "party", number),
        kind="person",
        name=f"Berka client {number}",
        given_name="Berka",
        family_name=f"client {number}",
        birth_date=None,
        email="",
        phone="",
        street="",
        postal_code="",
        city="",
        country="CZ",
        segment="imported",
    )


def _own(bank: SampleBank, kind: str, number: int) -> AccountItem:
    return AccountItem(
        id=sample_id(bank.entity, "berka", kind),
        iban=_iban(bank, 8_000_000_000 + number),
        code=20 + number,
        currency=CURRENCY,
        kind=kind,
        name=f"{bank.name} {kind} {CURRENCY}",
        holder_name=bank.name,
        party_id=None,
        flags=0,
        opened_on=date(1993, 1, 1),
    )


def _account(bank: SampleBank, number: int, files: BerkaFiles, overdraft: int) -> AccountItem:
    return AccountItem(
        id=sample_id(bank.entity, "berka", "account", number),
        iban=_iban(bank, 9_000_000_000 + number),
        code=10,
        currency=CURRENCY,
        kind="customer_current",
        name=f"Berka account {number}",
        holder_name=f"Berka client {number}",
        party_id=sample_id(bank.entity, "berka", "party", number),
        flags=1,
        opened_on=files.opened[number],
        overdraft_limit=overdraft,
    )


def _iban(bank: SampleBank, account: int) -> str:
    return grand_central.public.iban_of(
        country=bank.country, bank_code=bank.bank_code, account=str(account)
    )


def _item(booking: BerkaBooking, account: UUID, bank: SampleBank) -> PostingItem:
    other = sample_id(bank.entity, "berka", _OTHER_SIDES.get(booking.symbol, "clearing"))
    category, words = _SYMBOLS.get(
        booking.symbol, _OPERATIONS.get(booking.operation, ("other", "Booking"))
    )
    is_out = booking.amount < 0
    counter = f"{booking.bank}/{booking.counter_account}" if booking.bank else ""
    return PostingItem(
        id=sample_id(bank.entity, "berka", "booking", booking.number),
        debit=account if is_out else other,
        credit=other if is_out else account,
        amount=abs(booking.amount),
        currency=CURRENCY,
        booking=booking.on,
        value=booking.on,
        remittance=words,
        name="",
        iban=counter,
        category=category,
    )


def _post(mandate: Mandate, items: Sequence[PostingItem], say: Say) -> int:
    """Post what the ledger does not hold yet, and say how far it is."""
    posted, done = 0, 0
    for number, chunk in enumerate(chunked(items), 1):
        held = grand_central.public.transfers_held(ids=[item.id for item in chunk])
        missing = [item for item in chunk if item.id not in held]
        if missing:
            post_chunk(mandate, missing)
        posted, done = posted + len(missing), done + len(chunk)
        if number % SAID_EVERY == 0 or done == len(items):
            say(f"{done} of {len(items)} bookings")
    return posted


def _left(ordered: Sequence[BerkaBooking], items: Sequence[PostingItem]) -> tuple[BrokenRow, ...]:
    """Return the bookings the ledger does not hold although they were sent."""
    held = grand_central.public.transfers_held(ids=[item.id for item in items])
    return tuple(
        BrokenRow("trans.asc", booking.line, "the ledger refused it")
        for booking, item in zip(ordered, items, strict=True)
        if item.id not in held
    )


def _compare(
    ordered: Sequence[BerkaBooking], items: Sequence[PostingItem], accounts: dict[int, UUID]
) -> Comparison:
    numbers = {item.id: booking.number for booking, item in zip(ordered, items, strict=True)}
    by_account: dict[UUID, list[BerkaBooking]] = defaultdict(list)
    for booking in ordered:
        by_account[accounts[booking.account]].append(booking)
    balances: dict[UUID, dict[int, int]] = defaultdict(dict)
    wanted = sorted(by_account)
    for at in range(0, len(wanted), _ACCOUNTS_AT_ONCE):
        chunk = wanted[at : at + _ACCOUNTS_AT_ONCE]
        for line in grand_central.public.statements_of(account_ids=chunk):
            if line.transfer_id in numbers:
                balances[line.account_id][numbers[line.transfer_id]] = line.balance
    return compare(by_account, balances)
