"""Decisions while the signer runs apart, and while it does not: then nothing is permitted."""

import threading

import pytest

from sentinel.public import SignerServer, Signing, json_web_keys, rotate_key
from sentinel.signing import token_keys
from sentinel.signing.keys import Purpose
from sentinel.tokens import forget_minted
from sentinel.vocabulary import Verdict
from tests.authority import confirmed, count, customer, decided, payment, record_kinds, spent

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def signer(tmp_path_factory, settings):
    folder = tmp_path_factory.mktemp("s")
    path = folder / "run" / "s.sock"
    settings.SENTINEL_SIGNER, settings.SENTINEL_SIGNER_SOCKET = "process", str(path)
    server = SignerServer(path, Signing(folder / "keys", ("meridian-nl",)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def stop():
        server.shutdown()
        thread.join()
        server.server_close()
        path.unlink(missing_ok=True)

    yield stop
    if path.exists():
        stop()
    token_keys._looked_at.cache_clear()


def test_a_payment_is_permitted_and_spent_with_a_key_this_process_cannot_read(signer):
    action = payment()
    decision = confirmed(action, customer())
    forget_minted()

    spent(decision, action)

    kids = [each["kid"] for each in json_web_keys()["keys"]]
    assert len(kids) == 1
    assert rotate_key(purpose=Purpose.TOKEN).kid not in kids


def test_a_signer_that_is_down_leaves_a_recorded_refusal(signer):
    anna, action = customer(), payment()
    first = confirmed(action, anna)
    signer()

    again = decided(action, anna)

    assert (again.verdict, again.token) == (Verdict.DENY, None)
    assert [each.policy_id for each in again.reasons] == ["signer_unavailable"]
    assert record_kinds(again.id) == ["refused"]
    # What was out before is checked by what was told last.
    forget_minted()
    spent(first, action)
    assert count("sentinel_redemption") == 1


def test_a_signer_that_was_never_there_leaves_one_as_well(settings, tmp_path):
    settings.SENTINEL_SIGNER = "process"
    settings.SENTINEL_SIGNER_SOCKET = str(tmp_path / "none.sock")

    refused = decided(payment(), customer())

    assert [each.policy_id for each in refused.reasons] == ["signer_unavailable"]
    assert record_kinds(refused.id) == ["refused"]
