"""Keys of decision tokens are rotated while tokens are out, and the log knows every one of them."""

import base64
import json
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management import CommandError, call_command

from sentinel.log.reading import recorded_keys
from sentinel.public import (
    KeyRefused,
    TokenRefused,
    export_evidence,
    json_web_keys,
    public_keys,
    rotate_key,
    run_sequencer_once,
    short_checkpoint,
)
from sentinel.signing import token_keys
from sentinel.signing.keys import Purpose, rotate
from sentinel.signing.token_keys import OVERLAP_SECONDS, token_signer
from sentinel.tokens import TTL_SECONDS_MAX, forget_minted
from sentinel.verify import frontline_verify
from tests.authority import NL, confirmed, customer, payment, spent

pytestmark = pytest.mark.usefixtures("own_keys", "bank")


@pytest.fixture
def own_keys(settings, tmp_path):
    """Let this test turn keys that nobody else uses; the bank's rules are signed with them."""
    folder = tmp_path / "keys"
    with suppress(FileNotFoundError):
        shutil.copytree(settings.KEYS_DIR, folder)
    settings.KEYS_DIR = folder


def pass_by(settings, seconds):
    """Let every token key be older by so much, and look at them anew."""
    for path in (Path(settings.KEYS_DIR) / NL.entity / "token").glob("*.pem"):
        moment = path.stat().st_mtime - seconds
        os.utime(path, (moment, moment))
    look_again()


def look_again():
    """Be a process that has not looked at the keys yet, nor minted anything."""
    token_keys._looked_at.cache_clear()
    forget_minted()


def states():
    return [each.state for each in public_keys() if each.purpose == "token"]


def permit():
    action = payment()
    return confirmed(action, customer()), action


def kid_in(decision):
    header = decision.token.compact.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]


def test_a_new_key_is_told_of_before_it_signs():
    old = token_signer(NL.entity).kid

    made = rotate_key(purpose=Purpose.TOKEN)
    look_again()

    assert states() == ["signs", "next"]
    assert [each["kid"] for each in json_web_keys()["keys"]] == [old, made.kid]
    assert kid_in(permit()[0]) == old
    ahead = made.signs_from.timestamp() - time.time()
    assert OVERLAP_SECONDS - 60 < ahead <= OVERLAP_SECONDS


def test_tokens_of_the_old_key_count_until_none_can_be_out(settings):
    decision, action = permit()
    made = rotate_key(purpose=Purpose.TOKEN)
    pass_by(settings, OVERLAP_SECONDS + 1)

    assert states() == ["counts", "signs"]
    spent(decision, action)
    newer, other = permit()
    assert kid_in(newer) == made.kid
    spent(newer, other)


def test_a_token_of_a_retired_key_is_refused(settings):
    decision, action = permit()
    made = rotate_key(purpose=Purpose.TOKEN)
    pass_by(settings, OVERLAP_SECONDS + TTL_SECONDS_MAX + 20)

    assert states() == ["retired", "signs"]
    assert [each["kid"] for each in json_web_keys()["keys"]] == [made.kid]
    with pytest.raises(TokenRefused) as refused:
        spent(decision, action)
    assert refused.value.reason == "unknown_key"


def test_a_key_another_process_made_at_once_is_known_at_once(settings):
    permit()
    rotate(folder=Path(settings.KEYS_DIR), entity=NL.entity, purpose=Purpose.TOKEN)
    before = token_keys.pinned_keys(NL.entity)
    look_again()
    decision, action = permit()
    token_keys._looked_at.cache_clear()

    assert kid_in(decision) not in before
    spent(decision, action)


def test_a_second_rotation_waits_for_the_first_unless_it_is_at_once():
    token_signer(NL.entity)
    rotate_key(purpose=Purpose.TOKEN)

    with pytest.raises(KeyRefused):
        rotate_key(purpose=Purpose.TOKEN)
    made = rotate_key(purpose=Purpose.TOKEN, is_at_once=True)
    look_again()

    assert token_signer(NL.entity).kid == made.kid
    assert states() == ["counts", "counts", "signs"]


def test_what_the_key_set_names_checks_a_token():
    decision, _ = permit()
    (key,) = json_web_keys()["keys"]
    signed, _, signature = decision.token.compact.rpartition(".")
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))

    public.verify(base64.urlsafe_b64decode(signature + "=="), signed.encode())
    with pytest.raises(InvalidSignature):
        public.verify(base64.urlsafe_b64decode(signature + "=="), signed.encode() + b"x")
    assert key == {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "Ed25519",
        "use": "sig",
        "kid": token_signer(NL.entity).kid,
        "x": key["x"],
    }


def test_the_log_names_the_old_and_the_new_key_and_the_evidence_still_verifies(tmp_path, capsys):
    token_signer(NL.entity)
    rotate_key(purpose=Purpose.TOKEN)
    rotate_key(purpose=Purpose.POLICY)
    while run_sequencer_once():
        pass
    bundle = tmp_path / "evidence.zip"
    bundle.write_bytes(export_evidence())

    kids = [each.verification_key for each in public_keys() if each.purpose in {"token", "policy"}]
    assert len(kids) == 4
    assert {each.encoded() for each in recorded_keys()} >= set(kids)
    words = [str(bundle), "--checkpoint", short_checkpoint()]
    assert frontline_verify.main(words) == 0, capsys.readouterr().out


def test_rules_signed_before_a_rotation_still_hold():
    rotate_key(purpose=Purpose.POLICY)

    assert permit()[0].token is not None


def test_by_command(capsys):
    token_signer(NL.entity)
    call_command("keys", "rotate", NL.entity, "token")
    assert capsys.readouterr().out.startswith("token  ")
    call_command("keys", "list", "--entity", NL.entity, "--json")
    rows = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in rows if row["purpose"] == "token"] == ["signs", "next"]
    assert {row["entity"] for row in rows} == {NL.entity}

    with pytest.raises(CommandError, match="does not sign yet"):
        call_command("keys", "rotate", NL.entity, "token")
    with pytest.raises(CommandError, match="no legal entity"):
        call_command("keys", "rotate", "nowhere", "token")
