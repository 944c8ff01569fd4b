"""Tokens and effects are matched both ways; what has no partner is raised."""

import logging
from datetime import UTC, datetime

import psycopg
import pytest

import grand_central.public
from sentinel.public import outcome_of
from sentinel.vocabulary import OutcomeKind
from tests.authority import found_bank
from tests.small_core import SmallCore


@pytest.fixture
def core(entity):
    found_bank()
    return SmallCore()


def test_invariant_04_a_redeemed_token_ends_as_the_core_states_it(core, monkeypatch):
    account = core.open()
    core.fund(account, 100)
    # As if it had expired a while ago: the permits of this core live one minute.
    monkeypatch.setattr("grand_central.reconciling.AGE_SECONDS_MIN", -3600)
    _, paid, _, _ = core.pay(account, "NL91ABNA0417164300", 60)
    idle = core.permit("payments.transfer", f"transfer/v1|{account}|NL91ABNA0417164300|1|EUR")

    grand_central.public.reconcile_once()

    done, failed = outcome_of(decision_id=paid), outcome_of(decision_id=idle)
    assert (done.kind, done.code, done.reference) == (
        OutcomeKind.DONE,
        "posted",
        f"transfer:{paid}",
    )
    assert done.position
    assert (failed.kind, failed.code) == (OutcomeKind.FAILED, "not_executed")
    assert grand_central.public.reconcile_once() == grand_central.public.Reconciliation(0, 0)


def test_sound_books_raise_nothing(core, caplog):
    account = core.open()
    core.fund(account, 100)
    core.pay(account, "NL91ABNA0417164300", 60)

    with caplog.at_level(logging.ERROR):
        proofs = grand_central.public.prove_books_once()

    assert [proof.is_sound for proof in proofs if proof.entity == "meridian-nl"] == [True]
    assert caplog.records == []


def test_the_business_day_opens_once(core):
    assert grand_central.public.business_date() == datetime.now(UTC).date()
    assert grand_central.public.open_business_day_once() == 0


@pytest.mark.django_db(transaction=True)
def test_invariant_04_money_written_past_the_ledger_is_noticed(dsn, superuser_connection, caplog):
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT set_config('frontline.entity', 'meridian-nl', false)")
        connection.execute(
            "INSERT INTO sentinel_legal_entity (name, country, currency) VALUES ('M', 'NL', 'EUR')"
        )

        def execute(sql, arguments=()):
            cursor = connection.execute(sql, arguments)
            return cursor.fetchone() if cursor.description else None

        core = SmallCore(execute=execute)
        account = core.open()
        core.fund(account, 100)
        connection.commit()
        superuser_connection.execute("SET session_replication_role = replica")
        superuser_connection.execute(
            "UPDATE ledger_account SET credits_posted = 1000 WHERE id = %s", [account]
        )
        superuser_connection.execute(
            "UPDATE ledger_transfer SET token = gen_random_uuid() WHERE credit_account = %s",
            [account],
        )

        (proof,) = grand_central.public.prove_books_once()

        assert not proof.is_sound
        (difference,) = proof.balances.differences
        assert (difference.account_id, difference.counter) == (account, "credits_posted")
        assert (difference.stored, difference.recomputed) == (1000, 100)
        assert [orphan.reason for orphan in proof.orphans] == ["not_stated"]
        assert "books_not_sound" in caplog.text
