"""A reconciliation killed at any moment and begun again raises one case for each orphan."""

import random
import subprocess
import sys
import textwrap
import time

import pytest
from django.db import connection, transaction

from sentinel.public import legal_entity
from tests.authority import found_bank
from tests.small_core import SmallCore

ORPHANS, KILLS = 60, 8
PROGRAM = textwrap.dedent(
    """
    from datetime import UTC, datetime
    import django
    django.setup()
    from deploy.reconciliation import reconcile
    from sentinel.public import legal_entity
    print("ready", flush=True)
    with legal_entity(entity="meridian-nl"):
        reconcile(asked_by="system:test", at=datetime.now(UTC))
    """
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def started(environment):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def counted(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def cases():
    return counted("SELECT count(*) FROM orch_case WHERE journey = 'reconciliation'")


def test_invariant_04_each_orphan_has_one_case_however_often_reconciling_was_killed(
    entity, process_environment, superuser_connection
):
    found_bank()
    with legal_entity(entity=entity), transaction.atomic():
        SmallCore()
    superuser_connection.execute(
        "INSERT INTO gc_execution (token, entity, action_kind, idempotency_key, status, reference,"
        " position) SELECT id, 'meridian-nl', 'payments.transfer', id, 'posted', '', '' FROM"
        " (SELECT gen_random_uuid() AS id FROM generate_series(1, %s)) AS made",
        [ORPHANS],
    )
    chance, kills = random.Random(4), 0

    while kills < KILLS and cases() < ORPHANS:
        process = started(process_environment)
        enough = cases() + chance.randrange(12)
        deadline = time.monotonic() + 30
        while cases() < enough and process.poll() is None and time.monotonic() < deadline:
            pass
        process.kill()
        process.communicate(timeout=30)
        kills += 1
    last = started(process_environment)
    last.communicate(timeout=120)

    assert kills >= 3
    assert last.returncode == 0
    assert cases() == ORPHANS
    assert counted("SELECT count(*) FROM orch_task WHERE form_key = 'found'") == ORPHANS
    assert counted("SELECT count(DISTINCT case_id) FROM gc_difference") == ORPHANS
