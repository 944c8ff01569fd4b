"""A token altered anywhere, in any way, is refused."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.signing.keys import FileSigner
from sentinel.tokens import Grant, TokenRefused, forget_minted, mint, read
from sentinel.vocabulary import Principal

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SIGNER = FileSigner(Ed25519PrivateKey.generate())
STRANGER = FileSigner(Ed25519PrivateKey.generate())
KEYS = {SIGNER.kid: SIGNER.public_bytes}
GRANT = Grant(
    decision_id=UUID(int=7),
    entity="meridian-nl",
    audience="urn:connector:ledger",
    subject="customer:1",
    principal=Principal("customer:1", "customer", "p", "meridian-nl", ("customer",)),
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
    issued_at=datetime(2026, 11, 21, tzinfo=UTC),
)


@lru_cache
def compact():
    text = mint(GRANT, SIGNER).compact
    forget_minted()
    return text


def refused(text, keys=KEYS):
    with pytest.raises(TokenRefused) as caught:
        read(text, keys=keys)
    return caught.value.reason


def encode(value):
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signed(header, claims, signer=SIGNER):
    text = encode(header) + "." + encode(claims)
    return text + "." + encode(signer.sign(text.encode()))


def parts():
    header, claims, _ = compact().split(".")
    return decode(header), decode(claims)


def canonical(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def test_unaltered_token_is_read():
    claims = read(compact(), keys=KEYS)

    assert claims.token_id == GRANT.decision_id
    assert claims.params_hash == GRANT.params_hash
    assert claims.expires_at - claims.issued_at == 30


def test_every_character_matters():
    text = compact()
    for position, character in enumerate(text):
        other = ALPHABET[(ALPHABET.index(character) + 1) % 64] if character != "." else "A"
        refused(text[:position] + other + text[position + 1 :])


def test_every_character_is_needed():
    text = compact()
    for position in range(len(text)):
        refused(text[:position] + text[position + 1 :])


@settings(max_examples=300)
@given(position=st.integers(0, 5_000), bit=st.integers(0, 7))
def test_every_bit_matters(position, bit):
    raw = bytearray(compact().encode())
    raw[position % len(raw)] ^= 1 << bit

    refused(raw.decode("latin-1"))


@settings(max_examples=300)
@given(st.text(max_size=200))
def test_no_text_is_a_token(text):
    refused(text)


@given(position=st.integers(0, 5_000), inserted=st.text(min_size=1, max_size=5))
def test_nothing_can_be_inserted(position, inserted):
    text = compact()
    where = position % (len(text) + 1)

    refused(text[:where] + inserted + text[where:])


@pytest.mark.parametrize(
    "text",
    [
        compact() + "=",
        compact() + "\n",
        " " + compact(),
        compact() + ".",
        "." + compact(),
        "",
        "..",
    ],
)
def test_other_spellings_are_refused(text):
    refused(text)


def test_unused_bits_of_the_signature_are_refused():
    text = compact()
    last = ALPHABET.index(text[-1])

    refused(text[:-1] + ALPHABET[last ^ 1])


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "EdDSA"},
        {"alg": "ed25519"},
        {"typ": "JWT"},
        {"typ": "approval+jwt"},
        {"jwk": {"kty": "OKP"}},
        {"jku": "https://keys.example"},
        {"crit": ["exp"]},
        {"b64": False},
    ],
)
def test_header_says_exactly_what_ours_say(change):
    header, claims = parts()

    assert refused(signed(canonical({**header, **change}), canonical(claims))) == "altered"


def test_key_must_be_pinned():
    header, claims = parts()
    forged = signed(canonical({**header, "kid": STRANGER.kid}), canonical(claims), signer=STRANGER)

    assert refused(forged) == "unknown_key"
    assert refused(signed(canonical(header), canonical(claims), signer=STRANGER)) == "altered"


def test_symmetric_signature_with_the_public_key_is_refused():
    header, claims = parts()
    text = encode(canonical({**header, "alg": "HS256"})) + "." + encode(canonical(claims))
    tag = hmac.digest(SIGNER.public_bytes, text.encode(), hashlib.sha256)

    assert refused(text + "." + encode(tag)) == "altered"


def test_duplicate_keys_are_refused_even_when_signed():
    header, claims = parts()
    doubled = canonical(claims)[:-1] + b',"scope":"payments.hold"}'

    assert refused(signed(canonical(header), doubled)) == "altered"


@pytest.mark.parametrize("name", sorted(parts()[1]))
def test_every_claim_is_needed_even_when_signed(name):
    header, claims = parts()

    assert refused(signed(canonical(header), canonical(claims | {name: None}))) == "altered"
    del claims[name]
    assert refused(signed(canonical(header), canonical(claims))) == "altered"


@pytest.mark.parametrize(
    "change",
    [
        {"aud": ["urn:connector:ledger", "urn:connector:messages"]},
        {"aud": "urn:connector:messages"},
        {"scope": "payments.hold"},
        {"exp": "1"},
        {"exp": 1.5},
        {"iat": True},
        {"jti": "seven"},
        {"authorization_details": []},
        {"more": 1},
    ],
)
def test_claims_of_another_shape_are_refused_even_when_signed(change):
    header, claims = parts()

    assert refused(signed(canonical(header), canonical(claims | change))) == "altered"


def test_two_details_are_refused_even_when_signed():
    header, claims = parts()
    claims["authorization_details"] *= 2

    assert refused(signed(canonical(header), canonical(claims))) == "altered"


def test_long_token_is_refused_unread():
    assert refused("A" * 5_000 + "." + "A" + "." + "A") == "altered"


def test_key_of_low_order_is_refused():
    weak = {SIGNER.kid: bytes(32)}

    with pytest.raises(ValueError, match="order"):
        read(compact(), keys=weak)


def test_two_tokens_differ_in_their_id():
    other = mint(replace(GRANT, decision_id=UUID(int=9)), SIGNER)
    later = mint(replace(GRANT, issued_at=GRANT.issued_at + timedelta(seconds=1)), SIGNER)

    assert len({compact(), other.compact, later.compact}) == 3


def test_token_read_here_and_elsewhere_says_the_same():
    text = mint(replace(GRANT, decision_id=UUID(int=11)), SIGNER).compact

    here = read(text, keys=KEYS)
    forget_minted()

    assert read(text, keys=KEYS) == here


def test_token_of_this_process_is_refused_once_its_key_is_not_pinned():
    text = mint(replace(GRANT, decision_id=UUID(int=12)), SIGNER).compact

    assert refused(text, keys={}) == "unknown_key"


def first_version():
    """The claims as the release before wrote them."""
    header, claims = parts()
    detail = dict(claims["authorization_details"][0])
    del detail["linked"]
    sent = {**claims["sent"], "ver": 1}
    del sent["obl"]
    del claims["acr"], claims["auth_time"]
    return header, claims | {"authorization_details": [detail], "sent": sent}


def test_token_of_the_release_before_is_read():
    header, claims = first_version()

    found = read(signed(canonical(header), canonical(claims)), keys=KEYS)

    assert (found.token_id, found.obligations) == (GRANT.decision_id, ())


def test_versions_are_not_mixed():
    header, claims = first_version()

    assert refused(signed(canonical(header), canonical(claims | {"acr": "x"}))) == "altered"
    claims["sent"]["ver"] = 2
    assert refused(signed(canonical(header), canonical(claims))) == "altered"


def test_claims_say_how_the_person_was_authenticated():
    since = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
    anna = replace(GRANT.principal, authenticated_at=since, methods=("pwd",))
    agent = Principal("agent:pay", "agent", "", "meridian-nl", on_behalf_of=anna)

    said = decode(mint(replace(GRANT, principal=agent), SIGNER).compact.split(".")[1])
    stepped = replace(GRANT, principal=agent, is_stepped_up=True)
    confirmed = decode(mint(stepped, SIGNER).compact.split(".")[1])

    assert (said["acr"], said["amr"]) == ("urn:frontline:acr:signed-in", ["pwd"])
    assert said["auth_time"] == int(since.timestamp())
    assert confirmed["acr"] == "urn:frontline:acr:stepped-up"
    assert (parts()[1]["acr"], parts()[1]["auth_time"]) == ("urn:frontline:acr:mandate", 0)
