"""Who keeps the private keys of decision tokens, behind one interface.

`SENTINEL_SIGNER` says which: "file", keys this process reads itself, for development; "process",
a signer that runs apart (`manage.py signer`) and alone can read them; or the dotted name of a class
that keeps them in a security module or a key service. Such an adapter takes no arguments, does what
`Custody` says, and passes `tests/unit/sentinel/signing/custody_conformance.py`.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from sentinel.refusals import SentinelError
from sentinel.signing.keys import KeyFile, Purpose, key_files, rotate, signer_for

FILE, PROCESS = "file", "process"
_NAMED = {
    FILE: "sentinel.signing.custody.FileCustody",
    PROCESS: "sentinel.signing.remote.client.ProcessCustody",
}


class SignerUnavailable(SentinelError):
    """Whoever keeps the keys of decision tokens does not answer, or will not sign this."""

    code = "signer_unavailable"
    is_retryable = True

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Custody(Protocol):
    """Keeps the Ed25519 keys with which a legal entity's decision tokens are signed.

    The `signer` of each key signs without showing its private key, and raises `SignerUnavailable`
    whenever it does not. Nothing here may take longer than a second or two.
    """

    def keys(self, entity: str) -> tuple[KeyFile, ...]:
        """Return every key of a legal entity, oldest first, numbered, with when each signs from.

        An entity that has none yet gets its first one.

        Raises:
            KeyRefused: the entity is no name, or is not one whose keys are kept here.
            SignerUnavailable: they cannot be told now.
        """

    def rotate(self, entity: str, overlap_seconds: float) -> str:
        """Make the next key, which signs after the overlap, and return its thumbprint.

        Raises:
            KeyRefused: the key made before does not sign yet, or no key can be made this way.
            SignerUnavailable: it cannot be made now.
        """


@dataclass(frozen=True, slots=True)
class FileCustody:
    """Keys in files that this process reads: for development, and inside the signer itself."""

    folder: Path | None = None

    def keys(self, entity: str) -> tuple[KeyFile, ...]:
        """Return the keys in the folder; the first call makes one."""
        signer_for(folder=self._place(), entity=entity, purpose=Purpose.TOKEN)
        return key_files(folder=self._place(), entity=entity, purpose=Purpose.TOKEN)

    def rotate(self, entity: str, overlap_seconds: float) -> str:
        """Make the next key file."""
        made = rotate(
            folder=self._place(),
            entity=entity,
            purpose=Purpose.TOKEN,
            overlap_seconds=overlap_seconds,
        )
        return made.kid

    def _place(self) -> Path:
        return self.folder or Path(settings.KEYS_DIR)


def is_apart() -> bool:
    """Tell whether the keys are kept by somebody else than this process."""
    return _named() != FILE


def custody() -> Custody:
    """Return who keeps the keys, as the settings say."""
    return _made(_NAMED.get(_named(), _named()))


def _named() -> str:
    return str(getattr(settings, "SENTINEL_SIGNER", FILE))


@lru_cache(maxsize=4)
def _made(name: str) -> Custody:
    made: Custody = import_string(name)()
    return made
