"""The drill for a stolen key: whoever holds it gets nothing afterwards, and the bank goes on."""

import base64
import json
import shutil
import stat
from contextlib import suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import connection

from sentinel.key_views import json_web_keys
from sentinel.log.note import Checkpoint, origin_of, signed_note
from sentinel.log.proofs import latest_checkpoint
from sentinel.log.reading import recorded_log_keys
from sentinel.log.records import append
from sentinel.log.sequencer import run_sequencer_once
from sentinel.log.witness import WitnessRefused, run_witness_once
from sentinel.policy.bundles import BundleRefused
from sentinel.policy.publishing import bundles_in_force, forget_compiled
from sentinel.public import TokenRefused, prove_log, public_keys
from sentinel.signing import token_keys
from sentinel.signing.keys import Purpose, is_signature_valid, signer_for
from sentinel.tokens import forget_minted, issuer_of, read
from tests.authority import NL, confirmed, count, customer, payment, spent

SINCE = "2026-01-01"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("places", "bank"),
]


@pytest.fixture
def places(settings, tmp_path, superuser_connection):
    """Keys that nobody else uses, a witness of its own, and the owner of this database."""
    folder = tmp_path / "keys"
    with suppress(FileNotFoundError):
        shutil.copytree(settings.KEYS_DIR, folder)
    settings.KEYS_DIR = folder
    settings.FRONTLINE_WITNESS_DIR = tmp_path / "witness"
    info = superuser_connection.info
    settings.DATABASE_ADMINISTRATOR = {
        **configured.DATABASE_ADMINISTRATOR,
        "HOST": info.host,
        "NAME": info.dbname,
        "USER": info.user,
    }


def look_again():
    token_keys._looked_at.cache_clear()
    forget_minted()
    forget_compiled()


def drilled(purpose, *more):
    out = StringIO()
    call_command("keys", "drill", NL.entity, purpose, "--since", SINCE, *more, stdout=out)
    look_again()
    return out.getvalue()


def signing_now(purpose):
    return signer_for(folder=Path(configured.KEYS_DIR), entity=NL.entity, purpose=Purpose(purpose))


def permit():
    action = payment()
    return confirmed(action, customer()), action


def grow():
    with connection.cursor() as cursor:
        append(cursor, kind="issued", body={"number": 1})
    while run_sequencer_once():
        pass


def leaves(kind):
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM sentinel_record WHERE kind = %s", [kind])
        return [json.loads(bytes(body))["content"] for (body,) in cursor.fetchall()]


@pytest.mark.parametrize("purpose", ["token", "log", "policy", "witness"])
def test_a_drill_is_done_only_when_somebody_says_yes(purpose):
    grow()
    run_witness_once()
    before = [(each.kid, each.state) for each in public_keys()]

    with pytest.raises(CommandError, match="Nothing was done") as error:
        drilled(purpose)

    assert error.value.returncode == 2
    assert [(each.kid, each.state) for each in public_keys()] == before
    assert count("sentinel_revoked_key") == 0


@pytest.mark.parametrize("purpose", ["token", "log", "policy", "witness"])
def test_another_key_signs_and_the_log_says_which_one_counts_no_more(purpose):
    grow()
    run_witness_once()
    stolen = signing_now(purpose).kid

    told = json.loads(drilled(purpose, "--yes", "--json"))

    assert (told["revoked"], told["purpose"]) == (stolen, purpose)
    assert told["signs_now"] == signing_now(purpose).kid != stolen
    assert told["signed"] or purpose == "token"
    (leaf,) = leaves("key_revoked")
    assert (leaf["kid"], leaf["purpose"], leaf["mark"]) == (stolen, purpose, told["mark"])
    grow()
    assert run_witness_once() == 1
    assert prove_log().faults == ()
    decision, action = permit()
    assert spent(decision, action).parameters


def test_a_token_under_the_stolen_key_is_refused_whatever_epoch_it_claims():
    decision, action = permit()
    stolen = signing_now("token")
    drilled("token", "--yes")

    for token in (decision.token, forged(decision.token, stolen)):
        with pytest.raises(TokenRefused) as refused:
            spent(replace(decision, token=token), action)
        assert refused.value.reason == "revoked"
    assert stolen.kid not in {each["kid"] for each in json_web_keys()["keys"]}
    newer, other = permit()
    assert spent(newer, other).parameters


def forged(token, stolen):
    """Sign a token again with the epoch of a far future, as only the key's holder can."""
    header, claims, _ = token.compact.split(".")
    said = json.loads(_raw(claims))
    said["sent"]["ep"] = 2**40
    text = json.dumps(said, separators=(",", ":"), sort_keys=True).encode()
    signed = f"{header}.{_text(text)}"
    made = replace(token, compact=f"{signed}.{_text(stolen.sign(signed.encode()))}")
    assert read(made.compact, keys={stolen.kid: stolen.public_bytes}).epoch == 2**40
    return made


def test_what_was_permitted_since_the_suspected_time_is_named():
    decision, action = permit()
    spent(decision, action)

    told = drilled("token", "--yes")

    assert f"{decision.id}  payments.transfer, spent" in told
    assert "jwks.json" in told


def test_a_checkpoint_of_the_stolen_log_key_is_not_cosigned(superuser_connection):
    grow()
    stolen = signing_now("log")
    drilled("log", "--yes")
    grow()
    latest = latest_checkpoint()
    forged_note = signed_note(
        Checkpoint(origin_of(NL.entity), latest.size, latest.checkpoint.root), stolen
    )
    with superuser_connection.transaction():
        superuser_connection.execute("SET LOCAL session_replication_role = replica")
        superuser_connection.execute(
            "UPDATE sentinel_checkpoint SET note = %s WHERE entity = %s AND size = %s",
            [forged_note, NL.entity, latest.size],
        )

    with pytest.raises(WitnessRefused, match="no trusted key"):
        run_witness_once()

    assert any("no trusted key" in each for each in prove_log().faults)
    assert len(recorded_log_keys()) == 2


def test_rules_the_stolen_policy_key_signs_afterwards_are_in_force_nowhere(superuser_connection):
    stolen = signing_now("policy")
    drilled("policy", "--yes")
    assert bundles_in_force(None)

    # The same rules, published once more under the stolen key by somebody who owns the database.
    with superuser_connection.transaction():
        superuser_connection.execute("SET LOCAL session_replication_role = replica")
        made = superuser_connection.execute(
            "INSERT INTO sentinel_publication (entity, area, digest, is_genesis, maker_person,"
            " checker, checker_person, kid, signature, effective_from) SELECT entity, area, digest,"
            " is_genesis, maker_person, checker, checker_person, kid, signature, effective_from"
            " FROM sentinel_publication WHERE entity = %s AND kid = %s LIMIT 1",
            [NL.entity, stolen.kid],
        )
        assert made.rowcount == 1
    forget_compiled()

    with pytest.raises(BundleRefused):
        bundles_in_force(None)


def test_a_key_is_revoked_once_and_by_the_owner_only():
    with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("SELECT sentinel_revoke_key('token', %s, %s, now())", ["a" * 43, bytes(32)])
    with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM sentinel_revoked_key")


def test_no_key_serves_two_purposes(settings):
    signers = {each: signing_now(each.value) for each in Purpose}
    names = {each.kid for each in signers.values()}

    assert len(names) == len(Purpose)
    for purpose, signer in signers.items():
        place = Path(settings.KEYS_DIR) / NL.entity / purpose.value / "1.pem"
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        others = [each for name, each in signers.items() if name is not purpose]
        signature = signer.sign(b"words")
        assert not any(
            is_signature_valid(
                public_bytes=each.public_bytes, signature=signature, message=b"words"
            )
            for each in others
        )


@pytest.mark.parametrize("purpose", [each for each in Purpose if each is not Purpose.TOKEN])
def test_a_token_signed_by_a_key_of_another_purpose_is_unknown(purpose):
    decision, action = permit()
    other = signing_now(purpose.value)
    header, claims, _ = decision.token.compact.split(".")
    said = {**json.loads(_raw(header)), "kid": other.kid}
    text = json.dumps(said, separators=(",", ":"), sort_keys=True).encode()
    signed = f"{_text(text)}.{claims}"
    compact = f"{signed}.{_text(other.sign(signed.encode()))}"
    assert read(compact, keys={other.kid: other.public_bytes}).issuer == issuer_of(NL.entity)

    with pytest.raises(TokenRefused) as refused:
        spent(replace(decision, token=replace(decision.token, compact=compact)), action)

    assert refused.value.reason == "unknown_key"


def _raw(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
