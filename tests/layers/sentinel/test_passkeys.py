"""Passkeys: each signs one amount to one payee, or one approval to the letter."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from fido2 import cbor
from fido2.utils import websafe_decode, websafe_encode

from sentinel.public import (
    ChallengeExpired,
    ChallengeUnknown,
    PasskeyAnswer,
    PasskeyRefused,
    PasskeyUnknown,
    TooManyAttempts,
    WrongFactor,
    answer_step_up_with_passkey,
    begin_passkey,
    enrol_passkey,
    passkeys_of,
    remove_passkey,
    step_up_options,
)
from sentinel.vocabulary import Verdict
from tests.authenticator import ORIGIN, PRESENT, Authenticator, contents, enrolled, raw
from tests.authority import customer, decided, now, payment, with_parameters

pytestmark = pytest.mark.usefixtures("bank")
LARGE = 600_000


def confirm(challenge_id, principal, device, about=None):
    options = step_up_options(
        challenge_id=about or challenge_id, principal=principal, origin=ORIGIN
    )
    return answer_step_up_with_passkey(
        challenge_id=challenge_id,
        principal=principal,
        answer=PasskeyAnswer(device.sign(options), device.origin),
        at=now(),
    )


# Enrolment


def test_passkey_is_kept_with_its_public_key_on_record():
    anna = customer()

    enrolled(anna)

    (passkey,) = passkeys_of(principal_id=anna.id)
    record = contents("factor")[-1]
    assert (passkey.label, passkey.used_at) == ("Laptop", None)
    assert (record["credential"], record["result"]) == (passkey.id, "enrolled")
    assert isinstance(load_der_public_key(raw(record["public_key"])), ec.EllipticCurvePublicKey)


@pytest.mark.parametrize(
    "origin", ["http://bank.example", "http://127.0.0.1:8000", "https://[::1]", "https://", "x"]
)
def test_site_that_can_have_no_passkeys_says_so(origin):
    with pytest.raises(PasskeyRefused) as refused:
        begin_passkey(principal=customer(), name="anna", origin=origin)

    assert refused.value.reason == "no_site"


@pytest.mark.parametrize(
    "device",
    [Authenticator("https://bank.example.evil"), Authenticator(flags=PRESENT)],
    ids=["other site", "nobody verified"],
)
def test_passkey_of_another_site_or_without_its_user_is_refused(device):
    anna = customer()

    with pytest.raises(PasskeyRefused):
        enrolled(anna, device, ORIGIN)

    assert passkeys_of(principal_id=anna.id) == ()


def test_answer_to_another_challenge_is_refused():
    anna = customer()
    ceremony = begin_passkey(principal=anna, name="anna", origin=ORIGIN)

    with pytest.raises(PasskeyRefused):
        enrol_passkey(
            principal=anna,
            challenge=bytes(32),
            response=Authenticator().register(ceremony.options),
            label="",
            origin=ORIGIN,
            at=now(),
        )


@pytest.mark.parametrize("answer", [{}, {"id": 1}, {"response": None}, {"rawId": "é"}])
def test_malformed_answer_is_refused(answer):
    with pytest.raises(PasskeyRefused):
        enrol_passkey(
            principal=customer(),
            challenge=bytes(32),
            response=answer,
            label="",
            origin=ORIGIN,
            at=now(),
        )


MALFORMED = pytest.mark.parametrize(
    "more",
    [b"\x9b", b"\x81" * 5000, b"\xa1" * 5000, b""],
    ids=["cut length", "nested lists", "nested maps", "missing"],
)


@MALFORMED
def test_malformed_passkey_is_refused(more):
    anna, device = customer(), Authenticator()
    ceremony = begin_passkey(principal=anna, name="anna", origin=ORIGIN)
    response = device.register(ceremony.options)
    attestation = cbor.decode(websafe_decode(response["response"]["attestationObject"]))
    for changed in (
        cbor.encode({**attestation, "authData": with_extension(attestation["authData"], more)}),
        more,
    ):
        response["response"]["attestationObject"] = websafe_encode(changed)
        with pytest.raises(PasskeyRefused) as refused:
            enrol_passkey(
                principal=anna,
                challenge=ceremony.challenge,
                response=response,
                label="",
                origin=ORIGIN,
                at=now(),
            )
        assert refused.value.reason == "not_accepted"

    assert passkeys_of(principal_id=anna.id) == ()


@MALFORMED
def test_malformed_signature_is_refused_and_counted(more):
    anna = customer()
    device = enrolled(anna)
    challenge_id = decided(payment(), anna).challenge_id
    options = step_up_options(challenge_id=challenge_id, principal=anna, origin=ORIGIN)
    signed = device.sign(options)
    data = websafe_decode(signed["response"]["authenticatorData"])
    signed["response"]["authenticatorData"] = websafe_encode(with_extension(data, more))

    with pytest.raises(WrongFactor) as refused:
        answer_step_up_with_passkey(
            challenge_id=challenge_id,
            principal=anna,
            answer=PasskeyAnswer(signed, ORIGIN),
            at=now(),
        )

    assert refused.value.attempts_left == 4


def with_extension(data, more):
    """Say that extensions follow, and have these bytes follow."""
    return data[:32] + bytes([data[32] | 0x80]) + data[33:] + more


def test_one_device_serves_one_person():
    device = enrolled(customer())

    with pytest.raises(PasskeyRefused) as refused:
        enrolled(customer(), device)

    assert refused.value.reason == "known_already"


def test_removed_passkey_signs_no_more():
    anna = customer()
    device = enrolled(anna)
    (passkey,) = passkeys_of(principal_id=anna.id)

    remove_passkey(principal=anna, passkey_id=passkey.id, at=now())

    first = decided(payment(), anna)
    with pytest.raises(PasskeyUnknown):
        confirm(first.challenge_id, anna, device)
    assert contents("factor")[-1]["result"] == "removed"


def test_passkey_of_somebody_else_cannot_be_removed():
    anna = customer()
    enrolled(anna)
    (passkey,) = passkeys_of(principal_id=anna.id)

    with pytest.raises(PasskeyUnknown):
        remove_passkey(principal=customer(), passkey_id=passkey.id, at=now())

    assert len(passkeys_of(principal_id=anna.id)) == 1


# A payment


def test_payment_is_confirmed_with_a_passkey():
    anna, action = customer(), payment()
    device = enrolled(anna)
    first = decided(action, anna)

    answer = confirm(first.challenge_id, anna, device)

    assert answer.method == "passkey"
    assert decided(action, anna).verdict is Verdict.PERMIT
    assert contents("step_up")[-1]["method"] == "passkey"


def test_signature_for_one_payment_is_worth_nothing_for_another():
    anna, action = customer(), payment()
    device = enrolled(anna)
    small = decided(action, anna)
    large = decided(
        with_parameters(action, amount={"minor_units": 130_000, "currency": "EUR"}), anna
    )

    with pytest.raises(WrongFactor) as refused:
        confirm(large.challenge_id, anna, device, about=small.challenge_id)

    assert refused.value.attempts_left == 4
    assert decided(action, anna).verdict is Verdict.NEEDS_STEP_UP


def test_copied_device_is_found_by_its_counter():
    anna = customer()
    device = enrolled(anna)
    confirm(decided(payment(), anna).challenge_id, anna, device)
    device.counter -= 1

    with pytest.raises(WrongFactor):
        confirm(decided(payment(), anna).challenge_id, anna, device)


def test_unverified_user_confirms_nothing():
    anna = customer()
    device = enrolled(anna)
    device.flags = PRESENT

    with pytest.raises(WrongFactor):
        confirm(decided(payment(), anna).challenge_id, anna, device)


def test_wrong_signatures_are_counted_and_end():
    anna, action = customer(), payment()
    device = enrolled(anna)
    first = decided(action, anna)
    other = replace(device, key=ec.generate_private_key(ec.SECP256R1()))

    for _ in range(4):
        with pytest.raises(WrongFactor):
            confirm(first.challenge_id, anna, other)
    with pytest.raises(TooManyAttempts):
        confirm(first.challenge_id, anna, other)
    with pytest.raises(TooManyAttempts):
        confirm(first.challenge_id, anna, device)


def test_challenge_is_answered_once_and_by_its_own_person():
    anna, bob = customer(), customer()
    device = enrolled(anna)
    enrolled(bob)
    first = decided(payment(), anna)

    with pytest.raises(ChallengeUnknown):
        confirm(first.challenge_id, bob, device)
    confirm(first.challenge_id, anna, device)
    with pytest.raises(ChallengeExpired):
        confirm(first.challenge_id, anna, device)
