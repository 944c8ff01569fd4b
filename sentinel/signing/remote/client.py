"""Asking the signer that runs apart: within a deadline, and closed when it does not answer."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings

from sentinel.signing.canonical import Canonical
from sentinel.signing.custody import SignerUnavailable
from sentinel.signing.keys import (
    KeyFile,
    KeyRefused,
    is_signature_valid,
    require_sound_public_key,
    thumbprint,
)
from sentinel.signing.remote.wire import WireBroken, receive, send

DEADLINE_SECONDS = 2.0


@dataclass(frozen=True)
class ProcessSigner:
    """One key that the signer keeps: what it signs is checked before it is handed on."""

    entity: str
    public_bytes: bytes

    @cached_property
    def kid(self) -> str:
        """The RFC 7638 thumbprint of the public key."""
        return thumbprint(self.public_bytes)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of the input of a decision token.

        Raises:
            SignerUnavailable: the signer does not answer, will not sign it, or signs otherwise.
        """
        answer = asked({"do": "sign", "entity": self.entity, "input": message.decode()})
        signature = _bytes(answer, "signature")
        if not is_signature_valid(
            public_bytes=self.public_bytes, signature=signature, message=message
        ):
            raise SignerUnavailable("other_key")
        return signature


class ProcessCustody:
    """Keys that only the signer can read; see `manage.py signer`."""

    def keys(self, entity: str) -> tuple[KeyFile, ...]:
        """Return the keys the signer tells of."""
        found = asked({"do": "keys", "entity": entity}).get("keys")
        if not isinstance(found, list) or not found:
            raise SignerUnavailable("not_understood")
        return tuple(_key(entity, each) for each in found)

    def rotate(self, entity: str, overlap_seconds: float) -> str:
        """Have the signer make the next key."""
        return str(
            asked({"do": "rotate", "entity": entity, "overlap": int(overlap_seconds)})["kid"]
        )


def asked(question: Mapping[str, object]) -> Mapping[str, Canonical]:
    """Return what the signer answers.

    Raises:
        KeyRefused: it keeps no such keys, or the next cannot be made now.
        SignerUnavailable: it does not answer in time, or refuses.
    """
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(DEADLINE_SECONDS)
            line.connect(str(settings.SENTINEL_SIGNER_SOCKET))
            send(line, question)
            answer = receive(line)
    except (OSError, WireBroken) as error:
        raise SignerUnavailable("no_answer") from error
    if answer is None:
        raise SignerUnavailable("no_answer")
    if answer.get("ok") is True:
        return answer
    code = str(answer.get("code", "refused"))
    if code in {"key_refused", "not_configured"}:
        raise KeyRefused(f"the signer refuses: {code}")
    raise SignerUnavailable(code)


def _key(entity: str, said: Canonical) -> KeyFile:
    if not isinstance(said, dict):
        raise SignerUnavailable("not_understood")
    number, signs_from = said.get("number"), said.get("signs_from")
    if not isinstance(number, int) or not isinstance(signs_from, int):
        raise SignerUnavailable("not_understood")
    public_bytes = _bytes(said, "public")
    require_sound_public_key(public_bytes)
    return KeyFile(number, ProcessSigner(entity, public_bytes), float(signs_from))


def _bytes(said: Mapping[str, Canonical], name: str) -> bytes:
    try:
        return bytes.fromhex(str(said.get(name)))
    except ValueError as error:
        raise SignerUnavailable("not_understood") from error
