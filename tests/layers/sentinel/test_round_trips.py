"""How often the fast path talks to the server: counted in libpq's own trace."""

import os
from collections import Counter

import pytest
from django.db import connection, transaction

from sentinel.public import decide, record_outcome, redeem
from sentinel.vocabulary import OutcomeKind
from tests.authority import LEDGER, customer, facts, now, payment

# Lock and look up; record; redeem; outcome. Each ends in one Sync.
ROUND_TRIPS_MAX = 4
STATEMENTS_MAX = 5

pytestmark = pytest.mark.django_db(transaction=True)


def act(anna):
    action = payment()
    given = facts(payee_trusted=True)
    decision = decide(action=action, principal=anna, facts=given, purpose="payments", at=now())
    redeem(token=decision.token, action=action, audience=LEDGER)
    record_outcome(decision_id=decision.id, kind=OutcomeKind.DONE, code="posted")


def traced(work, path):
    """Return the kinds of messages sent to the server while `work` ran."""
    raw = connection.connection.pgconn
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    raw.trace(descriptor)
    try:
        work()
    finally:
        raw.untrace()
        os.close(descriptor)
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    return Counter(line[3] for line in lines if len(line) > 3 and line[1] == "F")


def test_fast_path_takes_few_round_trips(bank, tmp_path):
    anna = customer()
    with transaction.atomic():
        act(anna)

    with transaction.atomic():
        connection.cursor().execute("SELECT 1")
        sent = traced(lambda: act(anna), tmp_path / "trace")

    assert sent["Sync"] <= ROUND_TRIPS_MAX
    assert sent["Execute"] <= STATEMENTS_MAX
    assert sent["Parse"] == 0
    assert sent["Query"] == 0
