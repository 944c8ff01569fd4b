"""Words at rest: sealed under the key of the customer they belong to, and forgotten with it.

Words from before were sealed under a key derived from the bank's own; they are still read.
"""

from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

import sentinel.public

_DERIVED, _OWN = b"\x01", b"\x02"
_PLACE = "turn"
_NONCE_BYTES = 12


class SealBroken(ValueError):
    """Sealed words were altered, or belong to another customer."""

    code = "seal_broken"
    is_retryable = False


@dataclass(slots=True)
class Seal:
    """Seals and opens what one customer's conversations hold; their key is looked up once."""

    customer_id: UUID
    _own: "sentinel.public.SubjectSeal | None" = field(default=None, repr=False)

    def close(self, words: bytes) -> bytes:
        """Return the words sealed; the same words never look the same twice.

        Raises:
            sentinel.public.SubjectForgotten: the customer was forgotten.
        """
        return _OWN + self._seal().close(words, place=_PLACE)

    def open(self, sealed: bytes) -> bytes:
        """Return the words.

        Raises:
            SealBroken: the bytes were altered or sealed for somebody else.
            sentinel.public.SubjectForgotten: the customer was forgotten.
        """
        seal = self._seal()
        version, rest = sealed[:1], sealed[1:]
        if version not in {_OWN, _DERIVED}:
            raise SealBroken
        try:
            if version == _OWN:
                return seal.open(rest, place=_PLACE)
            nonce, rest = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
            return self._derived().decrypt(nonce, rest, self.customer_id.bytes)
        except (InvalidTag, sentinel.public.SealBroken) as error:
            raise SealBroken from error

    def _seal(self) -> "sentinel.public.SubjectSeal":
        if self._own is None:
            self._own = sentinel.public.subject_seal(subject=f"customer:{self.customer_id}")
        return self._own

    def _derived(self) -> AESGCM:
        derivation = HKDF(
            algorithm=SHA256(), length=32, salt=self.customer_id.bytes, info=b"interaction/turn/v1"
        )
        return AESGCM(derivation.derive(bytes.fromhex(settings.DATA_ENCRYPTION_KEY)))
