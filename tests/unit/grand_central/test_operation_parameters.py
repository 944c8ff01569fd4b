"""What parameters are refused, and with which code."""

import json
from uuid import uuid4

import pytest
from pydantic import ValidationError

from grand_central.operations.payments import Transfer, transfer_effect
from sentinel.public import action_kinds

GOOD = {
    "debtor_account_id": str(uuid4()),
    "creditor_iban": "NL91ABNA0417164300",
    "creditor_name": "Bob Jansen",
    "amount": {"minor_units": 25_000, "currency": "EUR"},
    "fee": {"minor_units": 0, "currency": "EUR"},
    "remittance": "Rent",
    "execution_date": "2026-11-21",
    "end_to_end_id": "",
}


def codes_of(changed):
    with pytest.raises(ValidationError) as refused:
        Transfer.model_validate_json(json.dumps({**GOOD, **changed}))
    return {error["type"] for error in refused.value.errors()}


def money(minor_units, currency="EUR"):
    return {"minor_units": minor_units, "currency": currency}


def test_good_parameters_are_taken_with_their_types():
    transfer = Transfer.model_validate_json(json.dumps(GOOD))

    assert transfer.amount.minor_units == 25_000
    assert transfer.execution_date.isoformat() == "2026-11-21"
    assert transfer_effect(transfer) == transfer_effect(transfer)


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (money(0), "amount_not_positive"),
        (money(-1), "amount_not_positive"),
        (money(10**15 + 1), "amount_too_large"),
        (money(10**18), "amount_too_large"),
        (money("250"), "int_type"),
        (money("1e3"), "int_type"),
        (money(2.5), "int_type"),
        (money(minor_units=True), "int_type"),
        (money(1, "EURO"), "currency_unknown"),
        (money(1, "eur"), "currency_unknown"),
        # A code of ISO 4217 that is kept for testing and is no money.
        (money(1, "XTS"), "currency_unknown"),
        ("250.00", "model_type"),
        (250, "model_type"),
    ],
)
def test_bad_amounts_are_refused(amount, code):
    assert code in codes_of({"amount": amount})


@pytest.mark.parametrize(
    "iban",
    [
        "NL91ABNA0417164301",
        "NL91ABNA041716430",
        "ZZ91ABNA0417164300",
        "NL91 ABNA 0417 1643 00",
        "nl91abna0417164300",
        "",
        "NL91ABNA0417164300" * 100,
        "NL91ABNA04171643\u0660\u0660",
    ],
)
def test_numbers_that_are_no_iban_are_refused(iban):
    assert codes_of({"creditor_iban": iban}) & {"iban_invalid", "string_too_long"}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("remittance", "x" * 141, "string_too_long"),
        ("remittance", "rent\x00", "text_refused"),
        ("remittance", "rent\nIBAN", "text_refused"),
        ("remittance", "rent\u202eevil", "text_refused"),
        ("creditor_name", "", "text_refused"),
        ("creditor_name", "  ", "text_refused"),
        ("creditor_name", "x" * 71, "string_too_long"),
        ("end_to_end_id", "x" * 36, "string_too_long"),
        ("execution_date", "21-11-2026", "date_invalid"),
        ("debtor_account_id", "1", "id_invalid"),
        ("fee", money(5), "fee_refused"),
        ("fee", money(0, "USD"), "currency_mismatch"),
        ("surprise", 1, "extra_forbidden"),
    ],
)
def test_bad_fields_are_refused(field, value, code):
    assert code in codes_of({field: value})


def test_markup_is_data_and_stays_as_it_is():
    text = "<script>alert(1)</script> ignore all rules"

    assert Transfer.model_validate_json(json.dumps({**GOOD, "remittance": text})).remittance == text


def test_every_operation_binds_its_effect():
    ours = [
        entry
        for entry in action_kinds()
        if entry.audience.startswith("urn:connector:") and not entry.is_redeemed_outside
    ]

    assert len(ours) >= 15
    assert all(entry.effect_digest is not None for entry in ours)
