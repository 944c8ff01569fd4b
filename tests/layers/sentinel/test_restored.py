"""After a restore no earlier permit counts, and a proof over all rows names what was altered."""

from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest

from sentinel.log.sequencer import run_sequencer_once
from sentinel.public import (
    TokenRefused,
    foresee,
    kill_switches,
    latest_checkpoint,
    legal_entity,
    prove_log,
    prove_permits,
)
from sentinel.vocabulary import Verdict
from tests.authority import (
    confirmed,
    count,
    customer,
    decided,
    done,
    facts,
    found_bank,
    now,
    payment,
    spent,
)
from tests.gates import opened_at_once

BACKUP = UUID(int=7)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def founded(entity):
    found_bank()


@pytest.fixture
def restored(superuser_connection):
    """Do what a restore does to Sentinel's tables."""

    def restore():
        with superuser_connection.transaction():
            superuser_connection.execute("SET LOCAL ROLE frontline_owner")
            superuser_connection.execute("SELECT sentinel_after_restore(%s)", [BACKUP])

    return restore


@pytest.fixture
def altered(superuser_connection):
    """Change rows past every trigger and grant, as only the superuser can."""

    @contextmanager
    def alter():
        with superuser_connection.transaction():
            superuser_connection.execute("SET LOCAL session_replication_role = replica")
            yield superuser_connection

    return alter


def sealed():
    while run_sequencer_once():
        pass


def paid(person):
    action = payment()
    permit = confirmed(action, person)
    spent(permit, action)
    done(permit)
    return permit


def test_a_permit_given_before_a_restore_is_spent_no_more(restored, superuser_connection):
    action, person = payment(), customer()
    permit = confirmed(action, person)

    restored()

    with pytest.raises(TokenRefused) as refused:
        spent(permit, action)
    assert refused.value.reason == "revoked"
    assert count("sentinel_redemption") == 0
    opened_at_once(superuser_connection)
    other = payment()
    assert spent(confirmed(other, customer()), other).parameters


def test_a_restore_stands_in_the_log_and_the_log_is_sound(restored):
    paid(customer())
    restored()
    sealed()

    proof, permits = prove_log(), prove_permits()

    assert (proof.faults, permits.faults) == ((), ())
    assert proof.size == count("sentinel_record")
    assert (permits.spent, permits.restored_at is not None) == (1, True)


def test_a_stopped_bank_stays_stopped_after_a_restore(restored, superuser_connection):
    superuser_connection.execute(
        "INSERT INTO sentinel_kill_switch (entity, scope, is_stopped, reason, set_by)"
        " VALUES ('meridian-nl', 'all', true, 'drill', 'employee:1')"
    )

    restored()

    (switch,) = kill_switches()
    assert (switch.scope, switch.is_stopped) == ("all", True)


def test_a_record_altered_after_it_was_sealed_is_named(altered):
    permit = paid(customer())
    sealed()
    with altered() as session:
        session.execute(
            "UPDATE sentinel_record SET body = convert_to(replace(convert_from(body, 'UTF8'),"
            " 'posted', 'pasted'), 'UTF8') WHERE kind = 'executed' AND decision_id = %s",
            [permit.id],
        )

    (fault,) = prove_log().faults

    assert "was altered after it was sealed" in fault


def test_a_record_removed_or_moved_to_another_case_is_named(altered):
    permit = paid(customer())
    sealed()
    note = latest_checkpoint().note
    with altered() as session:
        session.execute(
            "UPDATE sentinel_record SET case_id = %s WHERE kind = 'issued' AND decision_id = %s",
            [uuid4(), permit.id],
        )
        session.execute("DELETE FROM sentinel_record WHERE kind = 'executed'")

    faults = prove_log(known_note=note).faults

    assert len(faults) == 2
    assert "stands under other names than it says" in faults[0]
    assert "was removed" in faults[1]


def test_a_log_cut_behind_a_known_checkpoint_is_found(altered):
    paid(customer())
    sealed()
    note = latest_checkpoint().note
    with altered() as session:
        size = session.execute("SELECT max(idx) FROM sentinel_leaf").fetchone()[0]
        session.execute("DELETE FROM sentinel_leaf WHERE idx = %s", [size])

    faults = prove_log(known_note=note).faults

    assert any(f"the checkpoint given saw {size + 1}" in each for each in faults)


def test_a_permit_carried_out_twice_is_named(altered):
    permit = paid(customer())
    with altered() as session:
        session.execute("ALTER TABLE sentinel_redemption DROP CONSTRAINT sentinel_redemption_pkey")
        session.execute(
            "INSERT INTO sentinel_redemption (token, entity, action_kind, params_hash,"
            " idempotency_key) SELECT token, entity, action_kind, params_hash, 'other'"
            " FROM sentinel_redemption"
        )

    assert prove_permits().faults == (f"the permit {permit.id} was spent more than once",)


def test_an_outcome_without_a_record_is_named(altered):
    permit = paid(customer())
    with altered() as session:
        session.execute("DELETE FROM sentinel_record WHERE kind = 'executed'")

    (fault,) = prove_permits().faults

    assert fault.startswith(f"the permit {permit.id} is said to be carried out")


def test_what_is_foreseen_is_neither_recorded_nor_permitted():
    person = customer()
    before = (count("sentinel_decision"), count("sentinel_record"), count("sentinel_challenge"))

    fine = foresee(action=payment(), principal=person, facts=facts(), purpose="payments", at=now())
    bad = foresee(
        action=payment(),
        principal=person,
        facts=facts(own_account=False),
        purpose="payments",
        at=now(),
    )
    odd = foresee(
        action=payment(amount=-1), principal=person, facts=facts(), purpose="payments", at=now()
    )

    assert (fine.verdict, bad.verdict, odd.verdict) == (
        Verdict.NEEDS_STEP_UP,
        Verdict.DENY,
        Verdict.DENY,
    )
    assert bad.reasons
    after = (count("sentinel_decision"), count("sentinel_record"), count("sentinel_challenge"))
    assert after == before


def test_what_is_foreseen_is_what_is_then_decided():
    person = customer()
    for changes in ({}, {"own_account": False}, {"customer_status": "blocked"}):
        given = facts(**changes)
        foreseen = foresee(
            action=payment(), principal=person, facts=given, purpose="payments", at=now()
        )
        assert foreseen.verdict is decided(payment(), person, given).verdict


def test_another_legal_entity_is_proved_apart():
    paid(customer())
    sealed()

    with legal_entity(entity="meridian-be"):
        assert prove_log().size == 0
        assert prove_permits().spent == 0
