"""The import: broken rows named, nothing twice, every balance against the bank's own column."""

import io
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction

import grand_central.public
from deploy.berka.comparing import AFTER_CUT, EQUAL, ROUNDED
from deploy.berka.importing import import_berka
from deploy.berka.ordering import in_order
from deploy.berka.reading import FileMissing, read_berka
from deploy.home import SOURCE
from deploy.sample.batches import Mandate
from deploy.sample.story import MERIDIAN_NL
from sentinel.public import legal_entity
from tests.authority import found_bank

DATA = Path(os.environ.get("FRONTLINE_DATA", Path(__file__).parents[3].parent / "shared" / "data"))
KILLED_ROWS = 12_000
ACCOUNTS = '"account_id";"district_id";"frequency";"date"\n1;1;"M";930101\n2;1;"M";930101\n'
HEADER = (
    '"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";'
    '"bank";"account"\n'
)
GOOD = (
    '10;1;930102;"PRIJEM";"VKLAD";1000.00;1000.00;"";;\n'
    # Out of order within the day: the balances tell which came first.
    '12;1;930103;"VYDAJ";"VYBER";100.00;950.00;"";;\n'
    '11;1;930103;"PRIJEM";"";50.04;1050.00;"UROK";;\n'
    '13;2;930103;"PRIJEM";"PREVOD Z UCTU";10.00;10.00;"DUCHOD";"AB";"123"\n'
    '14;2;930104;"VYDAJ";"VYBER";30.00;-20.00;"";;\n'
    '15;2;930105;"PRIJEM";"VKLAD";5.00;5.00;"";;\n'
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "account.asc").write_text(ACCOUNTS)
    (tmp_path / "trans.asc").write_text(HEADER + GOOD)
    return tmp_path


@pytest.fixture
def bank(entity):
    found_bank()
    open_books(entity)
    return entity


def open_books(entity):
    mandate = Mandate("seed", entity, datetime.now(UTC))
    opening = {
        "name": "Meridian Bank",
        "country": "NL",
        "bank_code": "MRDN",
        "currency": "EUR",
        "business_date": "2026-11-20",
    }
    mandate.perform("bank.open", opening, None, "books")


def run(folder, say=lambda _words: None):
    return import_berka(folder=folder, bank=MERIDIAN_NL, at=datetime.now(UTC), say=say)


def test_bookings_are_posted_and_compared(bank, folder):
    report = run(folder)

    assert (report.bookings, report.posted_now, report.accounts) == (6, 6, 2)
    assert report.comparison.bookings == {EQUAL: 3, ROUNDED: 2, AFTER_CUT: 1}
    assert report.comparison.accounts_explained == 1
    assert report.left == ()
    assert grand_central.public.prove_balances().is_balanced


def test_a_second_run_posts_nothing(bank, folder):
    run(folder)
    before = grand_central.public.prove_balances().sums

    again = run(folder)

    assert again.posted_now == 0
    assert grand_central.public.prove_balances().sums == before


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_invariant_09_an_import_killed_midway_is_taken_up_again(folder, process_environment):
    rows = (
        f'{number};1;{date(1993, 1, 2) + timedelta(days=number // 20):%y%m%d};"PRIJEM";"VKLAD";'
        f'1.00;{number + 1}.00;"";;\n'
        for number in range(KILLED_ROWS)
    )
    (folder / "trans.asc").write_text(HEADER + "".join(rows))
    with legal_entity(entity=MERIDIAN_NL.entity):
        with transaction.atomic():
            found_bank()
        open_books(MERIDIAN_NL.entity)
    process = subprocess.Popen(
        [sys.executable, "-u", "manage.py", "import", "berka", str(folder)],
        cwd=SOURCE,
        env=process_environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if " of " in line:
            process.kill()
            break
    process.communicate()

    with legal_entity(entity=MERIDIAN_NL.entity):
        report = run(folder)
        assert 0 < report.posted_now < KILLED_ROWS
        assert report.comparison.bookings == {EQUAL: KILLED_ROWS}
        assert run(folder).posted_now == 0
        assert grand_central.public.prove_balances().is_balanced


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('16;1;930106;"PRIJE', "10 columns expected"),
        ('16;1;930106;"HOPLA";"";1.00;1.00;"";;', "neither incoming nor outgoing"),
        ('16;1;930106;"PRIJEM";"";1.0;1.00;"";;', "amount"),
        ('16;1;930106;"PRIJEM";"";1e3;1.00;"";;', "amount"),
        ('16;1;930106;"PRIJEM";"";-1.00;1.00;"";;', "negative"),
        ('16;1;931306;"PRIJEM";"";1.00;1.00;"";;', "yymmdd"),
        ('16;9;930106;"PRIJEM";"";1.00;1.00;"";;', "account 9"),
        ('10;1;930106;"PRIJEM";"";1.00;1.00;"";;', "twice"),
        ('x;1;930106;"PRIJEM";"";1.00;1.00;"";;', "trans_id"),
    ],
)
def test_a_broken_row_is_named_by_file_line_and_reason(folder, row, reason):
    (folder / "trans.asc").write_text(f"{HEADER}{GOOD}{row}\n")

    files = read_berka(folder=folder)

    (broken,) = files.broken
    assert (broken.file, broken.line) == ("trans.asc", 8)
    assert reason in broken.reason
    assert len(files.bookings) == 6


def test_a_folder_without_the_files_is_refused(tmp_path):
    with pytest.raises(FileMissing):
        read_berka(folder=tmp_path)


def test_a_day_is_put_in_the_order_of_its_balances(folder):
    ordered = in_order(read_berka(folder=folder).bookings)

    assert [each.number for each in ordered if each.account == 1] == [10, 11, 12]


def test_an_import_without_books_says_what_to_do(db, folder):
    with pytest.raises(CommandError, match="seed"):
        call_command("import", "berka", str(folder), stdout=io.StringIO())


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not (DATA / "berka").is_dir(), reason="the Berka files are not here")
def test_the_whole_file_is_imported_and_every_difference_explained():
    with legal_entity(entity=MERIDIAN_NL.entity):
        with transaction.atomic():
            found_bank()
        open_books(MERIDIAN_NL.entity)

        report = run(DATA / "berka")

        assert report.bookings == report.posted_now == 49_102
        assert [row.line for row in report.broken] == [49_104]
        assert report.left == ()
        assert set(report.comparison.bookings) == {EQUAL, ROUNDED, AFTER_CUT}
        assert report.comparison.bookings[AFTER_CUT] == 32
        assert report.comparison.accounts_explained == 1_201
        assert grand_central.public.prove_balances().is_balanced
