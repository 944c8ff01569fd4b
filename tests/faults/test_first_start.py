"""From nothing but the installed code to where one signs in: the README says seconds."""

import os
import re
import shutil
import sys
import time

import pytest

from tests.banks import Bank, wait_until
from tests.databases import fresh_home

# On two quiet cores; where others want the cores, too, it takes as many times longer.
SECONDS_MAX = 60


@pytest.fixture
def new_bank():
    """Give a bank as `make run` makes it, in a folder with nothing in it."""
    folder = fresh_home()
    bank = Bank(folder / "var", arguments=())
    yield bank
    bank.stop()
    shutil.rmtree(folder)


@pytest.mark.slow
def test_a_first_start_says_where_to_sign_in_within_a_minute(new_bank, capsys):
    crowding = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    seconds_max = SECONDS_MAX * crowding
    begin = time.monotonic()

    new_bank.start(seconds_max)
    assert wait_until(lambda: "Ctrl-C" in new_bank.words(), seconds_max)
    seconds = time.monotonic() - begin

    with capsys.disabled():
        sys.stdout.write(
            f"\nfirst start, without the install: {seconds:.1f} s, load {crowding:.1f} a core\n"
        )
    assert seconds <= seconds_max
    said = new_bank.words()
    for role in ("customer", "operations", "compliance officer"):
        assert re.search(rf"^  {role} +\w+ +\S+$", said, re.MULTILINE), said
    assert re.search(r"^  Meridian Bank: \d+(-[0-9A-Z]+)+$", said, re.MULTILINE), said
