"""Words at rest: sealed under a key of the customer they belong to."""

from dataclasses import dataclass
from secrets import token_bytes
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_VERSION = b"\x01"
_NONCE_BYTES = 12


class SealBroken(ValueError):
    """Sealed words were altered, or belong to another customer."""

    code = "seal_broken"
    is_retryable = False


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens what one customer's conversations hold."""

    customer_id: UUID

    def close(self, words: bytes) -> bytes:
        """Return the words sealed; the same words never look the same twice."""
        nonce = token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher().encrypt(nonce, words, self.customer_id.bytes)

    def open(self, sealed: bytes) -> bytes:
        """Return the words.

        Raises:
            SealBroken: the bytes were altered or sealed for somebody else.
        """
        version, nonce, rest = sealed[:1], sealed[1 : _NONCE_BYTES + 1], sealed[_NONCE_BYTES + 1 :]
        if version != _VERSION:
            raise SealBroken
        try:
            return self._cipher().decrypt(nonce, rest, self.customer_id.bytes)
        except InvalidTag as error:
            raise SealBroken from error

    def _cipher(self) -> AESGCM:
        derivation = HKDF(
            algorithm=SHA256(), length=32, salt=self.customer_id.bytes, info=b"interaction/turn/v1"
        )
        return AESGCM(derivation.derive(bytes.fromhex(settings.DATA_ENCRYPTION_KEY)))
