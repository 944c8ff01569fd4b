"""The invariants of authority that can be shown through Sentinel's door alone."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from sentinel.public import (
    OutcomeRefused,
    TokenRefused,
    decide_durably,
    expire_tokens_once,
    explain,
    open_tokens,
    outcome_of,
    record_outcome,
    run_sequencer_once,
    verify_record,
)
from sentinel.vocabulary import OutcomeKind
from tests import authority
from tests.authority import (
    LEDGER,
    confirmed,
    count,
    counts,
    customer,
    decided,
    done,
    facts,
    now,
    payment,
    record_kinds,
    spent,
    throw,
    with_parameters,
)

pytestmark = pytest.mark.usefixtures("bank")
LAPSE = "UPDATE sentinel_decision SET expires_at = expires_at - interval '1 hour'"
NOTHING_MOVED = {"sentinel_redemption": 0, "sentinel_reservation": 0}


@pytest.fixture
def alter(superuser_connection):
    """Change rows that nobody but a superuser can change, and that only in replica mode."""

    def run(statement):
        superuser_connection.execute("SET session_replication_role = replica")
        assert superuser_connection.execute(statement).rowcount > 0

    return run


def codes(decision):
    return tuple(reason.policy_id for reason in decision.reasons)


# 1. No effect without a token


def test_invariant_01_application_cannot_write_a_redemption(dsn):
    with psycopg.connect(dsn, autocommit=True) as application:
        application.execute("SELECT set_config('frontline.entity', 'meridian-nl', false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(
                "INSERT INTO sentinel_redemption (token, action_kind, params_hash,"
                " idempotency_key) VALUES (gen_random_uuid(), 'payments.transfer', '', 'k')"
            )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sentinel_redemption SET redeemed_at = now()",
        "DELETE FROM sentinel_redemption",
        "UPDATE sentinel_decision SET verdict = 'permit'",
        "DELETE FROM sentinel_decision",
        "UPDATE sentinel_outcome SET kind = 'done'",
        "UPDATE sentinel_approval SET verdict = 'approve'",
        "DELETE FROM sentinel_kill_switch",
        "UPDATE sentinel_publication SET digest = ''",
        "TRUNCATE sentinel_decision",
    ],
)
def test_invariant_01_application_cannot_rewrite_what_was_decided(statement):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("verdict", ["deny", "needs_approval", "needs_step_up"])
def test_invariant_01_only_a_permit_can_be_redeemed(verdict):
    given = facts(screening_status="hit") if verdict == "deny" else facts()
    action = payment(amount=600_000 if verdict == "needs_approval" else 125_000)
    decision = decided(action, customer(), given)
    assert decision.verdict == verdict

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sentinel_redeem(%s, %s, %s, %s, %s, %s, %s, 0)",
            [
                decision.id,
                action.kind,
                LEDGER,
                bytes.fromhex(decision.params_hash),
                None,
                action.idempotency_key,
                ["all"],
            ],
        )
        assert cursor.fetchone() == ("unknown_decision",)
    assert counts() == NOTHING_MOVED


# 2. A token is spent once, for exactly what it was issued for, before it expires


def test_invariant_02_token_is_spent_once():
    anna, action = customer(), payment()
    decision = confirmed(action, anna)

    spent(decision, action)

    with pytest.raises(TokenRefused) as refused:
        spent(decision, action)
    assert refused.value.reason == "spent"
    assert count("sentinel_redemption") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"amount": {"minor_units": 125_001, "currency": "EUR"}},
        {
            "amount": {"minor_units": 125_000, "currency": "USD"},
            "fee": {"minor_units": 0, "currency": "USD"},
        },
        {"creditor_iban": authority.STRANGER},
        {"creditor_name": "Hendriks"},
        {"remittance": ""},
        {"debtor_account_id": str(uuid4())},
        {"execution_date": "2026-12-01"},
        {"end_to_end_id": "OTHER"},
        {"amount": "1e3"},
        {"extra": 1},
    ],
)
def test_invariant_02_token_is_refused_for_other_parameters(change):
    action = payment()
    decision = confirmed(action, customer())

    with pytest.raises(TokenRefused) as refused:
        spent(decision, with_parameters(action, **change))

    assert refused.value.reason == "other_parameters"
    assert count("sentinel_redemption") == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "payments.hold"},
        {"kind": "no.such.action"},
        {"resource": f"account:{uuid4()}"},
        {"case_id": uuid4()},
        {"idempotency_key": "another"},
    ],
)
def test_invariant_02_token_is_refused_for_another_action(changes):
    action = payment()
    decision = confirmed(action, customer())

    with pytest.raises(TokenRefused) as refused:
        spent(decision, replace(action, **changes))

    assert refused.value.reason == "other_parameters"
    assert count("sentinel_redemption") == 0


def test_invariant_02_token_is_refused_by_another_connector():
    action = payment()
    decision = confirmed(action, customer())

    with pytest.raises(TokenRefused) as refused:
        spent(decision, action, audience="urn:connector:messages")

    assert refused.value.reason == "wrong_connector"
    assert count("sentinel_redemption") == 0


@pytest.mark.django_db(transaction=True)
def test_invariant_02_late_token_is_refused(alter):
    action = payment()
    decision = confirmed(action, customer())
    alter(LAPSE)

    with pytest.raises(TokenRefused) as refused:
        spent(decision, action)

    assert refused.value.reason == "expired"
    assert count("sentinel_redemption") == 0


def test_invariant_02_token_lives_for_a_minute_at_most():
    decision = confirmed(payment(), customer())

    assert timedelta(0) < decision.token.expires_at - now() <= timedelta(seconds=60)


def test_invariant_02_token_of_a_stopped_actor_is_revoked():
    anna, action = customer(), payment()
    decision = confirmed(action, anna)
    throw(f"actor:{anna.id}")

    before = count("sentinel_redemption")

    with pytest.raises(TokenRefused) as refused:
        spent(decision, action)

    assert refused.value.reason == "revoked"
    assert count("sentinel_redemption") == before


# 4. Every token ends in a recorded outcome


@pytest.mark.parametrize("kind", [OutcomeKind.DONE, OutcomeKind.FAILED])
def test_invariant_04_outcome_is_recorded_once(kind):
    action = payment()
    decision = confirmed(action, customer())
    spent(decision, action)

    first, second = done(decision, kind), done(decision, kind)

    assert first == second
    assert outcome_of(decision_id=decision.id) == first
    assert count("sentinel_outcome") == 1
    assert record_kinds(decision.id)[-1] == ("executed" if kind is OutcomeKind.DONE else "outcome")


def test_invariant_04_another_end_is_refused():
    action = payment()
    decision = confirmed(action, customer())
    spent(decision, action)
    done(decision)

    with pytest.raises(OutcomeRefused):
        done(decision, OutcomeKind.FAILED)

    assert outcome_of(decision_id=decision.id).kind is OutcomeKind.DONE


def test_invariant_04_unknown_stays_open_until_it_is_known():
    action = payment()
    decision = confirmed(action, customer())
    spent(decision, action)

    done(decision, OutcomeKind.UNKNOWN)
    unknown = outcome_of(decision_id=decision.id)
    done(decision)

    assert unknown.kind is OutcomeKind.UNKNOWN
    assert outcome_of(decision_id=decision.id).kind is OutcomeKind.DONE


def test_invariant_04_nothing_is_done_without_a_redemption():
    decision = confirmed(payment(), customer())

    with pytest.raises(OutcomeRefused):
        done(decision)

    assert outcome_of(decision_id=decision.id) is None


@pytest.mark.django_db(transaction=True)
def test_invariant_04_permit_that_nobody_redeemed_expires(alter):
    decision = confirmed(payment(), customer())
    alter(LAPSE)

    found = [token.decision_id for token in open_tokens(older_than_seconds=0)]
    expired = expire_tokens_once()

    assert found == [decision.id]
    assert expired == 1
    assert outcome_of(decision_id=decision.id).kind is OutcomeKind.EXPIRED
    assert expire_tokens_once() == 0
    assert open_tokens(older_than_seconds=0) == ()


@pytest.mark.django_db(transaction=True)
def test_invariant_04_redeemed_token_never_expires(alter):
    action = payment()
    decision = confirmed(action, customer())
    spent(decision, action)
    alter(LAPSE)

    assert expire_tokens_once() == 0
    assert open_tokens(older_than_seconds=0)[0].is_redeemed
    with pytest.raises(OutcomeRefused):
        record_outcome(decision_id=decision.id, kind=OutcomeKind.EXPIRED, code="x")


# 5. A decision without a durable record does not exist


def test_invariant_05_token_of_a_rolled_back_decision_is_worth_nothing():
    action = payment()
    with transaction.atomic():
        decision = decided(action, customer(), facts(payee_trusted=True))
        transaction.set_rollback(True)

    with pytest.raises(TokenRefused) as refused:
        spent(decision, action)

    assert refused.value.reason == "unknown_decision"
    assert count("sentinel_redemption") == 0


def test_invariant_05_refusal_is_recorded_and_provable():
    decision = decided(payment(), customer(), facts(screening_status="hit"))
    run_sequencer_once()

    (record,) = explain(decision_id=decision.id).records

    assert record.kind == "refused"
    assert verify_record(record_id=record.id).is_verified


@pytest.mark.django_db(transaction=True)
def test_invariant_05_durable_decision_is_committed_before_its_token_leaves(dsn):
    given = facts(payee_trusted=True)

    decision = decide_durably(
        action=payment(), principal=customer(), facts=given, purpose="payments", at=now()
    )

    assert decision.token is not None
    with psycopg.connect(dsn) as other:
        other.execute("SELECT set_config('frontline.entity', 'meridian-nl', false)")
        found = other.execute(
            "SELECT kind FROM sentinel_record WHERE decision_id = %s", [decision.id]
        ).fetchall()
    assert found == [("issued",)]
