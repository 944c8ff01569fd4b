"""The signer apart: it signs decision tokens of its entities, now, and nothing else for anybody."""

import socket
import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from sentinel.signing.canonical import canonical_json
from sentinel.signing.custody import FileCustody, SignerUnavailable, custody, is_apart
from sentinel.signing.keys import KeyRefused, thumbprint
from sentinel.signing.remote import client
from sentinel.signing.remote.client import ProcessCustody, ProcessSigner, asked
from sentinel.signing.remote.process import SignerServer, Signing
from sentinel.tokens import Grant, forget_minted, mint, read
from sentinel.vocabulary import Principal
from tests.unit.sentinel.signing.custody_conformance import conforms

ENTITY = "meridian-nl"
GRANT = Grant(
    decision_id=UUID(int=7),
    entity=ENTITY,
    audience="urn:connector:ledger",
    subject="customer:1",
    principal=Principal("customer:1", "customer", "p", ENTITY, ("customer",)),
    action_kind="payments.transfer",
    resource="account:1",
    case_id=UUID(int=8),
    purpose="payments",
    salt=b"s" * 16,
    params_hash=b"h" * 32,
    bundle="bank@1",
    engine="cedarpy",
    policies=("p",),
    approval_id="",
    epoch=3,
    issued_at=datetime.now(UTC),
)


class Recorder:
    """Keeps what it is asked to sign."""

    def __init__(self, kid):
        self.kid, self.message = kid, b""

    def sign(self, message):
        self.message = message
        return bytes(64)


def text(kid, ttl=30, **changes):
    """The input of a token as `mint` writes it."""
    recorder = Recorder(kid)
    mint(replace(GRANT, issued_at=datetime.now(UTC), **changes), recorder, ttl_seconds=ttl)
    forget_minted()
    return recorder.message.decode()


@pytest.fixture
def folder(tmp_path_factory):
    # The path of a socket must be short.
    return tmp_path_factory.mktemp("s")


@pytest.fixture
def signer(folder, settings):
    """A signer for one entity at a socket of its own."""
    path = folder / "run" / "s.sock"
    server = SignerServer(path, Signing(folder / "keys", (ENTITY,)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    settings.SENTINEL_SIGNER, settings.SENTINEL_SIGNER_SOCKET = "process", str(path)
    yield path
    server.shutdown()
    thread.join()
    server.server_close()


def refused(question):
    with pytest.raises(SignerUnavailable) as caught:
        asked(question)
    return caught.value.reason


def signed(said):
    return {"do": "sign", "entity": ENTITY, "input": said}


def test_keys_in_files_conform(tmp_path):
    conforms(FileCustody(tmp_path), ENTITY, text)


def test_keys_of_the_signer_conform(signer):
    assert is_apart()
    assert isinstance(custody(), ProcessCustody)
    conforms(custody(), ENTITY, text)


def test_only_its_owner_can_open_the_socket_and_read_the_keys(signer, folder):
    ProcessCustody().keys(ENTITY)

    assert stat.S_IMODE(signer.stat().st_mode) == 0o600
    assert stat.S_IMODE(signer.parent.stat().st_mode) == 0o700
    (key,) = (folder / "keys").rglob("*.pem")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_token_signed_apart_is_a_token(signer):
    (key,) = ProcessCustody().keys(ENTITY)
    token = mint(replace(GRANT, issued_at=datetime.now(UTC)), key.signer)
    forget_minted()

    claims = read(token.compact, keys={key.signer.kid: key.signer.public_bytes})

    assert claims.token_id == GRANT.decision_id


def test_it_signs_nothing_but_tokens_of_its_entity_now(signer):
    (key,) = ProcessCustody().keys(ENTITY)
    kid, now = key.signer.kid, datetime.now(UTC)
    other = thumbprint(bytes([9]) * 32)
    old = Recorder(kid)
    mint(replace(GRANT, issued_at=now - timedelta(seconds=30)), old)

    assert refused(signed("")) == "not_a_token"
    assert refused(signed("hello")) == "not_a_token"
    assert refused(signed("é.é")) == "not_a_token"
    assert refused(signed(text(kid) + ".AAAA")) == "not_a_token"
    assert refused(signed(text(other))) == "not_a_token"
    assert refused(signed(text(kid)[:-4])) == "not_a_token"
    assert refused(signed(text(kid, entity="meridian-be"))) == "other_issuer"
    assert refused(signed(old.message.decode())) == "not_now"
    assert refused(signed(text(kid, ttl=61))) == "too_long"
    assert refused(signed(text(kid, ttl=0))) == "too_long"
    assert refused({"do": "sign", "entity": ENTITY}) == "not_understood"
    assert refused({"do": "sign", "entity": ENTITY, "input": 1}) == "not_understood"
    assert refused({"do": "export", "entity": ENTITY}) == "not_understood"
    assert refused({**signed(text(kid)), "more": 1}) == "not_understood"
    with pytest.raises(KeyRefused):
        asked({"do": "keys", "entity": "meridian-be"})


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x00",
        b"\x00\x00\x00\x02[]",
        b"\x00\x00\x00\x03{ }",
        b"\x00\x00\x00\x02\xff\xff",
        b"\x00\x00\x00\x09{}",
    ],
)
def test_what_is_no_message_is_hung_up_on_and_hurts_nobody(signer, raw):
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(signer))
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        assert line.recv(10) == b""

    assert ProcessCustody().keys(ENTITY)


def test_two_signers_do_not_share_a_socket_but_a_dead_ones_is_taken(signer, folder):
    with pytest.raises(KeyRefused):
        SignerServer(signer, Signing(folder / "others", (ENTITY,)))
    left = folder / "run" / "left.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))

    SignerServer(left, Signing(folder / "others", (ENTITY,))).server_close()


def test_a_signer_that_is_down_or_lies_signs_nothing(settings, folder, signer):
    stranger = ProcessSigner(ENTITY, FileCustody(folder / "x").keys(ENTITY)[0].signer.public_bytes)
    (own,) = ProcessCustody().keys(ENTITY)

    with pytest.raises(SignerUnavailable) as lied:
        replace(stranger, entity=ENTITY).sign(text(own.signer.kid).encode())
    settings.SENTINEL_SIGNER_SOCKET = str(Path(signer).with_name("none.sock"))
    with pytest.raises(SignerUnavailable) as down:
        own.signer.sign(text(own.signer.kid).encode())

    assert (lied.value.reason, down.value.reason) == ("other_key", "no_answer")


def test_a_signer_that_does_not_answer_is_given_up_on(settings, folder, monkeypatch):
    path = folder / "silent.sock"
    monkeypatch.setattr(client, "DEADLINE_SECONDS", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        settings.SENTINEL_SIGNER_SOCKET = str(path)

        assert refused({"do": "keys", "entity": ENTITY}) == "no_answer"


def test_messages_have_one_form(signer):
    raw = canonical_json({"do": "keys", "entity": ENTITY})
    loose = raw.replace(b":", b": ")
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(signer))
        line.sendall(len(loose).to_bytes(4, "big") + loose)
        assert line.recv(10) == b""
