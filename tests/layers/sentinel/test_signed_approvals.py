"""What is of high risk is approved with a passkey, and strangers can check the signature."""

import hashlib
import json
import zipfile
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sentinel.public import (
    ApprovalUnsigned,
    PasskeyRefused,
    PasskeyUnknown,
    approval_options,
    approve,
    export_evidence,
    run_sequencer_once,
)
from sentinel.verify.frontline_verify import _is_signed
from sentinel.verify.frontline_verify import main as verifier
from tests.authenticator import (
    ORIGIN,
    contents,
    enrolled,
    raw,
    signed_approval,
)
from tests.authority import customer, decided, employee, now, payment

pytestmark = pytest.mark.usefixtures("bank")
LARGE = 600_000


def test_high_risk_is_approved_with_a_passkey_once_there_is_one():
    omar = employee("operations")
    device = enrolled(omar)
    decision = decided(payment(LARGE), customer())

    with pytest.raises(ApprovalUnsigned):
        approve(
            request_id=decision.approval_request_id,
            approver=omar,
            verdict="approve",
            comment="",
            params_hash=decision.params_hash,
            at=now(),
        )
    state = signed_approval(decision, omar, device)

    assert state.state == "approved"


def test_bank_may_ask_every_approver_for_a_passkey(settings):
    settings.SENTINEL_APPROVALS_SIGNED = True
    decision = decided(payment(LARGE), customer())

    with pytest.raises(ApprovalUnsigned):
        approve(
            request_id=decision.approval_request_id,
            approver=employee("operations"),
            verdict="approve",
            comment="",
            params_hash=decision.params_hash,
            at=now(),
        )


def test_refusal_needs_no_signature():
    omar = employee("operations")
    enrolled(omar)
    decision = decided(payment(LARGE), customer())

    state = approve(
        request_id=decision.approval_request_id,
        approver=omar,
        verdict="reject",
        comment="No",
        params_hash=decision.params_hash,
        at=now(),
    )

    assert state.state == "rejected"


def test_signature_over_other_parameters_approves_nothing():
    omar = employee("operations")
    device = enrolled(omar)
    decision = decided(payment(LARGE), customer())

    with pytest.raises(PasskeyRefused):
        signed_approval(decision, omar, device, params_hash="0" * 64)

    assert contents("approval") == []


def test_approval_can_be_checked_by_anybody_from_the_log_alone():
    omar = employee("operations")
    device = enrolled(omar)
    decision = decided(payment(LARGE), customer())
    signed_approval(decision, omar, device)

    approval, key = contents("approval")[-1], contents("factor")[-1]
    signature = approval["signature"]

    said = raw(signature["client_data"])
    asked = f"{approval['request']}|approve|{approval['params_hash']}".encode()
    expected = hashlib.sha256(b"frontline/passkey-approval/v1\0" + asked).digest()
    assert raw(json.loads(said)["challenge"]) == expected
    assert key["credential"] == signature["credential"]
    public = load_der_public_key(raw(key["public_key"]))
    over = raw(signature["authenticator_data"]) + hashlib.sha256(said).digest()
    public.verify(raw(signature["signature"]), over, ec.ECDSA(hashes.SHA256()))


def test_unknown_approval_has_nothing_to_sign_for_who_has_no_passkey():
    with pytest.raises(PasskeyUnknown):
        approval_options(
            principal_id=employee("operations").id,
            request_id=uuid4(),
            params_hash="0" * 64,
            origin=ORIGIN,
        )


def evidence_of(decision, path):
    while run_sequencer_once():
        pass
    path.write_bytes(export_evidence(decision_id=decision.id))
    return path


def test_strangers_check_the_signature_of_an_approval(tmp_path, capsys):
    omar = employee("operations")
    device = enrolled(omar)
    decision = decided(payment(LARGE), customer())
    signed_approval(decision, omar, device)

    status = verifier(["--json", str(evidence_of(decision, tmp_path / "evidence.zip"))])

    said = json.loads(capsys.readouterr().out)
    assert (status, said["signatures"], said["findings"]) == (3, 1, [])


def test_strangers_find_a_signature_over_something_else():
    omar = employee("operations")
    device = enrolled(omar)
    decision = decided(payment(LARGE), customer())
    signed_approval(decision, omar, device)
    content = contents("approval")[-1]
    key = content["signature"]["public_key"]
    changes = [
        {"params_hash": "0" * 64},
        {"request": str(uuid4())},
        {"verdict": "reject"},
        {"signature": {**content["signature"], "signature": "AAAA"}},
        {"signature": {**content["signature"], "public_key": "AAAA"}},
        {"signature": {}},
        {"signature": []},
    ]

    altered = [{**content, **change} for change in changes]

    assert _is_signed(content, content["signature"], key)
    assert not any(_is_signed(each, each["signature"], key) for each in altered)
    assert not _is_signed(content, content["signature"], "")


def test_whoever_approved_brings_their_passkey_along_and_nobody_else_does(tmp_path):
    omar, mallory = employee("operations"), employee("operations")
    device = enrolled(omar)
    enrolled(mallory)
    decision = decided(payment(LARGE), customer())
    signed_approval(decision, omar, device)

    with zipfile.ZipFile(evidence_of(decision, tmp_path / "evidence.zip")) as archive:
        lines = archive.read("entries.txt").splitlines()

    factors = [json.loads(line.split(b" ", 2)[2]) for line in lines if b'"kind":"factor"' in line]
    assert [each["content"]["principal"] for each in factors] == [omar.id]
