"""Invariant 9 for what comes in: killed at any commit, every delivery and item begins once."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from mailbox import Maildir
from uuid import uuid4

import pytest
from django.db import connection

from deploy.home import SOURCE
from orchestration.durable.faults import VARIABLE
from orchestration.triggers.content import TriggerContent
from tests.authority import employee
from tests.layers.orchestration.flows import Flows
from tests.layers.orchestration.test_batches import BODY as COUNTED
from tests.layers.orchestration.test_batches import EACH
from tests.layers.orchestration.test_trigger_sources import mail
from tests.layers.orchestration.test_triggers import BODY

ITEMS = 120
PLACES = [
    "trigger_kept:1",
    "trigger_begun:1",
    "file_begun:1",
    "mail_begun:1",
    "batch_loaded:1",
    "batch_begun:1",
    "batch_committed:1",
    "batch_begun:3",
    # Between the two transfers one line of the feed tells of, and before its place is kept.
    "trigger_begun:4",
    "stream_taken:1",
]


@pytest.fixture
def folder(bank, tmp_path):
    flows = Flows(employee("operations"))
    triggers = {
        "t": TriggerContent(kind="message", source="order"),
        "file": TriggerContent(kind="file", source="orders"),
        "mail": TriggerContent(kind="email", source="invoices@bank.example"),
        "change": TriggerContent(kind="data_change", topics=["accounts"], each="transfer"),
    }
    flows.published(BODY, triggers=triggers)
    _tell_of_two_transfers()
    flows.published(COUNTED, process="q", batches={"orders": EACH})
    incoming = tmp_path / "drop" / "meridian-nl" / "orders" / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "a.txt").write_bytes(b"hello")
    (incoming / "a.txt.sha256").write_text(hashlib.sha256(b"hello").hexdigest())
    (tmp_path / "mail").mkdir()
    Maildir(tmp_path / "mail" / "meridian-nl", create=True).add(mail())
    rows = [f"k{number},{number % 90}" for number in range(ITEMS)]
    (tmp_path / "orders.csv").write_text("\n".join(["id,amount", *rows]))
    return tmp_path


def _tell_of_two_transfers():
    sent = {"account_id": str(uuid4()), "amount_minor_units": 100, "currency": "EUR"}
    posted = [{**sent, "transfer_id": str(uuid4())} for _ in range(2)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO nexus_change (xact, customer_id, topics, posted)"
            " VALUES ('3'::xid8, %s, '[\"accounts\"]', %s)",
            [uuid4(), json.dumps(posted)],
        )


def delivering(folder, **environment):
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.delivering", str(folder)],
        cwd=SOURCE,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "deploy.settings.test", **environment},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def begun():
    with connection.cursor() as cursor:
        cursor.execute("SELECT process, count(*) FROM orch_instance GROUP BY process")
        return dict(cursor.fetchall())


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_invariant_09_what_comes_in_begins_once_wherever_a_process_is_killed(folder, place):
    killed = delivering(folder, **{VARIABLE: place})
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    ended = delivering(folder)

    assert ended.returncode == 0, ended.stderr
    assert begun() == {"p": 5, "q": ITEMS}
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, count(*) FROM orch_batch_item GROUP BY state")
        assert cursor.fetchall() == [("done", ITEMS)]
        cursor.execute("SELECT count(*) FROM orch_trigger_run")
        assert cursor.fetchone() == (5,)
