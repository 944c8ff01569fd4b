"""A change of what Sentinel goes by: the owner's functions write it once, in its own commit."""

import pytest
from django.db import connection

from tests.authority import change, changed, count, employee

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rules_in_force"),
]
WHERE, WHY = "action:cards.block", "drill"


def test_invariant_01_a_redemption_of_another_transaction_changes_nothing():
    omar, carla = employee("operations"), employee("compliance_officer")
    thrown = changed(change("kill_switch.throw", {"scope": WHERE, "reason": WHY}), omar)
    cap = {"minor_units": 7, "currency": "EUR"}
    raised = change("limits.set", {"name": "daily_outgoing", "holder": "*", "cap": cap})
    limited = changed(raised, omar, carla)
    before = count("sentinel_kill_switch"), count("sentinel_limit")

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sentinel_write_kill_switch(%s, 'throw', %s, %s),"
            " sentinel_write_limit(%s, 'daily_outgoing', '*', 'EUR', 7)",
            [thrown.decision_id, WHERE, WHY, limited.decision_id],
        )
        written = cursor.fetchone()

    assert written == (False, False)
    assert (count("sentinel_kill_switch"), count("sentinel_limit")) == before
