"""Reads the files of the data set; a broken row is reported by file, line and reason."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

_Row = TypeVar("_Row")
ACCOUNTS_FILE, BOOKINGS_FILE = "account.asc", "trans.asc"
_BOOKING_COLUMNS, _ACCOUNT_COLUMNS = 10, 4
# Incoming or outgoing, as the file says it.
_SIGNS = {"PRIJEM": 1, "VYDAJ": -1, "VYBER": -1}


class RowRefused(ValueError):
    """A row of the file cannot be understood; the others can."""

    code = "row_refused"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FileMissing(Exception):
    """A file of the data set is not in the folder, or is not of the data set."""

    code = "file_missing"
    is_retryable = False

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.file = file


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that was left out, and why."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class BerkaBooking:
    """One booking: `amount` is signed, `balance` is the bank's own column; both in haléř."""

    line: int
    number: int
    account: int
    on: date
    amount: int
    balance: int
    operation: str
    symbol: str
    bank: str
    counter_account: str


@dataclass(frozen=True, slots=True)
class BerkaFiles:
    """What the folder held: accounts with their opening date, bookings, and what was broken."""

    opened: dict[int, date]
    bookings: tuple[BerkaBooking, ...]
    broken: tuple[BrokenRow, ...]


def read_berka(*, folder: Path) -> BerkaFiles:
    """Read the accounts and the bookings.

    Raises:
        FileMissing: one of the two files is not there.
    """
    broken: list[BrokenRow] = []
    opened = dict(_good(folder / ACCOUNTS_FILE, _account, broken))
    bookings: list[BerkaBooking] = []
    numbers: set[int] = set()
    for booking in _good(folder / BOOKINGS_FILE, _booking, broken):
        reason = _misfit(booking, opened, numbers)
        if reason:
            broken.append(BrokenRow(BOOKINGS_FILE, booking.line, reason))
        else:
            numbers.add(booking.number)
            bookings.append(booking)
    return BerkaFiles(opened, tuple(bookings), tuple(broken))


def _misfit(booking: BerkaBooking, opened: dict[int, date], numbers: set[int]) -> str:
    if booking.account not in opened:
        return f"account {booking.account} is not in {ACCOUNTS_FILE}"
    if booking.number in numbers:
        return f"booking {booking.number} stands in the file twice"
    return ""


def _good(
    path: Path, read: Callable[[int, Sequence[str]], _Row], broken: list[BrokenRow]
) -> Iterator[_Row]:
    """Yield what could be read of a file, and add the rest to `broken`."""
    for line, row in _rows(path):
        try:
            yield read(line, row)
        except RowRefused as error:
            broken.append(BrokenRow(path.name, line, error.reason))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    if not path.is_file():
        raise FileMissing(path.name)
    with path.open(encoding="latin-1", newline="") as stream:
        reader = csv.reader(stream, delimiter=";")
        next(reader, None)
        for row in reader:
            yield reader.line_num, row


def _account(line: int, row: Sequence[str]) -> tuple[int, date]:
    del line
    if len(row) != _ACCOUNT_COLUMNS:
        raise RowRefused(f"{_ACCOUNT_COLUMNS} columns expected, {len(row)} found")
    return _number(row[0], "account_id"), _date(row[3])


def _booking(line: int, row: Sequence[str]) -> BerkaBooking:
    if len(row) != _BOOKING_COLUMNS:
        raise RowRefused(f"{_BOOKING_COLUMNS} columns expected, {len(row)} found")
    sign = _SIGNS.get(row[3])
    if sign is None:
        raise RowRefused(f"type {row[3][:20]!r} is neither incoming nor outgoing")
    amount = _money(row[5], "amount")
    if amount < 0:
        raise RowRefused("amount is negative")
    return BerkaBooking(
        line=line,
        number=_number(row[0], "trans_id"),
        account=_number(row[1], "account_id"),
        on=_date(row[2]),
        amount=sign * amount,
        balance=_money(row[6], "balance"),
        operation=row[4].strip(),
        symbol=row[7].strip(),
        bank=row[8].strip(),
        counter_account=row[9].strip(),
    )


def _number(text: str, column: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise RowRefused(f"{column} {text[:20]!r} is not a number")
    return int(text)


def _money(text: str, column: str) -> int:
    """Return an amount with exactly two decimals in hundredths; nothing is rounded."""
    whole, point, decimals = text.removeprefix("-").partition(".")
    if not (point and whole.isdigit() and len(decimals) == 2 and decimals.isdigit()):
        raise RowRefused(f"{column} {text[:20]!r} is not an amount with two decimals")
    return (-1 if text.startswith("-") else 1) * int(whole + decimals)


def _date(text: str) -> date:
    try:
        return date(1900 + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError as error:
        raise RowRefused(f"date {text[:20]!r} is not yymmdd") from error
