"""A payment in one statement: paid and on record together, or nothing at all."""

from dataclasses import replace

import pytest
from django.db import connection

import grand_central.public
from grand_central.gateway import within
from sentinel.public import TokenRefused, outcome_of, record_outcome, records_of
from sentinel.signing.canonical import parse_canonical
from sentinel.vocabulary import OutcomeKind
from tests.authority import customer, decided, facts, payment, with_parameters
from tests.layers.grand_central.test_gateway import LANDLORD, Opened, found_bank

BALANCE = 100_00
FEW = 25_00


@pytest.fixture
def bank(entity):
    found_bank()
    return Opened()


def permitted(bank, amount):
    action = payment(amount, iban=LANDLORD, debtor_account_id=str(bank.account))
    decision = decided(action, customer(), facts(payee_trusted=True))
    assert decision.token is not None, decision.reasons
    return action, decision


def moved():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM ledger_transfer), (SELECT count(*) FROM gc_outbox),"
            " (SELECT count(*) FROM sentinel_redemption), (SELECT count(*) FROM sentinel_outcome),"
            " (SELECT count(*) FROM gc_execution), (SELECT count(*) FROM sentinel_record)"
        )
        return cursor.fetchone()


def statement_timeout():
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0]


def booked(bank):
    return grand_central.public.balance_of(account_id=bank.account).booked.minor_units


def test_a_payment_is_made_and_on_record(bank):
    action, decision = permitted(bank, FEW)

    receipt = grand_central.public.execute(action=action, token=decision.token)

    assert booked(bank) == BALANCE - FEW == receipt.balance.minor_units
    assert receipt.outcome == outcome_of(decision_id=decision.id)
    assert receipt.outcome.kind is OutcomeKind.DONE
    assert receipt.reference == f"transfer:{decision.id}"
    executed = grand_central.public.outcome_of(idempotency_key=action.idempotency_key)
    assert (executed.status, executed.position) == ("posted", receipt.position)


def test_its_record_is_canonical_and_says_what_the_outcome_says(bank):
    action, decision = permitted(bank, FEW)
    receipt = grand_central.public.execute(action=action, token=decision.token)

    (record,) = [each for each in records_of(decision_id=decision.id) if each.kind == "executed"]

    assert parse_canonical(record.body)["decision_id"] == str(decision.id)
    assert record.content == {
        "code": "posted",
        "outcome": "done",
        "position": receipt.position,
        "reference": receipt.reference,
    }


def test_what_the_core_refuses_spends_nothing_and_the_transaction_goes_on(bank):
    action, decision = permitted(bank, BALANCE + 1)
    before = moved()

    with pytest.raises(grand_central.public.CoreRefused) as refused:
        grand_central.public.execute(action=action, token=decision.token)

    assert refused.value.code == "insufficient_funds"
    assert moved() == before
    assert booked(bank) == BALANCE
    failed = record_outcome(decision_id=decision.id, kind=OutcomeKind.FAILED, code="refused")
    assert failed == outcome_of(decision_id=decision.id)


def test_a_permit_that_has_failed_cannot_be_used_again(bank):
    action, decision = permitted(bank, FEW)
    record_outcome(decision_id=decision.id, kind=OutcomeKind.FAILED, code="given_up")
    before = moved()

    with pytest.raises(TokenRefused) as refused:
        grand_central.public.execute(action=action, token=decision.token)

    assert refused.value.reason == "spent"
    assert moved() == before
    assert booked(bank) == BALANCE


def test_a_token_pays_once(bank):
    action, decision = permitted(bank, FEW)
    grand_central.public.execute(action=action, token=decision.token)
    before = moved()

    with pytest.raises(TokenRefused) as refused:
        grand_central.public.execute(action=action, token=decision.token)

    assert refused.value.reason == "spent"
    assert moved() == before
    assert booked(bank) == BALANCE - FEW


@pytest.mark.parametrize(
    "change",
    [
        lambda action: with_parameters(action, amount={"minor_units": 1, "currency": "EUR"}),
        lambda action: with_parameters(action, creditor_name="Somebody Else"),
        lambda action: replace(action, idempotency_key="another"),
    ],
)
def test_a_token_for_something_else_pays_nothing(bank, change):
    action, decision = permitted(bank, FEW)
    before = moved()

    with pytest.raises(TokenRefused) as refused:
        grand_central.public.execute(action=change(action), token=decision.token)

    assert refused.value.reason == "other_parameters"
    assert moved() == before
    assert booked(bank) == BALANCE


def test_a_text_that_only_the_database_refuses_pays_nothing(bank):
    action, decision = permitted(bank, FEW)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT redeemed, status, recorded_at FROM ledger_transfer_at_once(%s, %s, %s, %s,"
            " sha256(convert_to(%s, 'UTF8')), %s, 'all', 1000, %s, %s, 'N', %s, 'EUR', %s, '',"
            " current_date, %s, '')",
            [
                decision.id, action.kind, decision.token.audience,
                bytes.fromhex(decision.params_hash),
                f"transfer/v1|{bank.account}|{LANDLORD}|{FEW}|EUR", action.idempotency_key,
                bank.account, LANDLORD, FEW, "bell \x07", decision.id,
            ],
        )  # fmt: skip
        assert cursor.fetchone() == ("redeemed", "text_refused", None)

    assert booked(bank) == BALANCE
    assert outcome_of(decision_id=decision.id) is None
    receipt = grand_central.public.execute(action=action, token=decision.token)
    assert receipt.status == "posted"


def test_a_payment_within_what_is_left_is_made_and_leaves_no_limit_behind(bank):
    action, decision = permitted(bank, FEW)
    before = statement_timeout()

    grand_central.public.execute(action=action, token=decision.token, seconds_left=30.0)

    assert booked(bank) == BALANCE - FEW
    assert statement_timeout() == before


def test_a_payment_for_which_no_time_is_left_spends_nothing(bank):
    action, decision = permitted(bank, FEW)
    before = moved()

    with pytest.raises(grand_central.public.DeadlineExceeded) as late:
        grand_central.public.execute(action=action, token=decision.token, seconds_left=0.0)

    assert (late.value.code, late.value.is_retryable) == ("deadline_exceeded", False)
    assert moved() == before
    grand_central.public.execute(action=action, token=decision.token)
    assert booked(bank) == BALANCE - FEW


def test_what_the_core_takes_too_long_for_is_broken_off_and_taken_back(bank):
    action, decision = permitted(bank, FEW)
    before, limit = moved(), statement_timeout()

    def pay_slowly():
        with within(0.2, action.kind), connection.cursor() as cursor:
            grand_central.public.execute(action=action, token=decision.token)
            cursor.execute("SELECT pg_sleep(20)")

    with pytest.raises(grand_central.public.DeadlineExceeded):
        pay_slowly()

    assert (moved(), statement_timeout()) == (before, limit)
    assert booked(bank) == BALANCE


@pytest.mark.parametrize(
    ("before", "inside"), [("150ms", "150ms"), ("1h", "20s"), ("1d", "20s"), ("0", "20s")]
)
def test_no_time_left_makes_a_shorter_limit_longer(bank, before, inside):
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])

    with within(20.0, "payments.transfer"):
        assert statement_timeout() == inside

    assert statement_timeout() == before
