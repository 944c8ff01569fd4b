"""Signed notes and checkpoints as C2SP defines them, and a checkpoint short enough to copy by hand.

A checkpoint says: this log, named by its origin, holds `size` entries under this root. Its body
has no time, so that the body follows from origin, size and root alone and a verifier can rebuild
it. The witness's cosignature carries the time.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from sentinel.log.merkle import HASH_BYTES
from sentinel.signing.keys import Signer, is_signature_valid

ORIGIN_PREFIX = "frontline.example/log/"
ED25519 = 0x01
COSIGNATURE_V1 = 0x04
SHORT_DIGITS = 20
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans("ILO", "110")
_SHORT = re.compile(r"\s*(\d{1,15})-([0-9A-Za-z -]{21,40})\s*")
_NOTE_BYTES_MAX = 1_000_000


class CheckpointRefused(ValueError):
    """The text is not a checkpoint, or nobody trusted signed it."""

    code = "checkpoint_refused"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of one log at one size."""

    origin: str
    size: int
    root: bytes

    def body(self) -> bytes:
        """Return the text that is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\n".encode()

    def short(self) -> str:
        """Return the checkpoint as people copy it: size, twenty characters, a check character."""
        digest = hashlib.sha256(self.body()).digest()
        digits = _base32(digest)[:SHORT_DIGITS]
        groups = "-".join(digits[start : start + 5] for start in range(0, SHORT_DIGITS, 5))
        return f"{self.size}-{groups}-{_check_character(str(self.size), digits)}"


@dataclass(frozen=True, slots=True)
class ShortCheckpoint:
    """What the short form holds: the size, and 100 bits of the hash of the checkpoint's body."""

    size: int
    digits: str

    def names(self, checkpoint: Checkpoint) -> bool:
        """Return whether this is the short form of that checkpoint."""
        digest = hashlib.sha256(checkpoint.body()).digest()
        return self.size == checkpoint.size and _base32(digest)[:SHORT_DIGITS] == self.digits


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A named public key of a log (0x01) or of a witness (0x04)."""

    name: str
    algorithm: int
    public_bytes: bytes

    def key_id(self) -> bytes:
        """Return the four bytes that name this key in a signature line."""
        raw = bytes([self.algorithm]) + self.public_bytes
        return hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]

    def encoded(self) -> str:
        """Return the key as `<name>+<id>+<base64>`, the C2SP vkey."""
        raw = base64.b64encode(bytes([self.algorithm]) + self.public_bytes).decode()
        return f"{self.name}+{self.key_id().hex()}+{raw}"


def origin_of(entity: str) -> str:
    """Return the name of a legal entity's log."""
    return ORIGIN_PREFIX + entity


def parse_vkey(text: str) -> VerificationKey:
    """Return the key of a C2SP vkey.

    Raises:
        CheckpointRefused: the text is malformed, or its id does not fit its key.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = _base64(encoded)
    if len(raw) != 33 or raw[0] not in {ED25519, COSIGNATURE_V1} or not name:
        raise CheckpointRefused("verification key is malformed")
    key = VerificationKey(name, raw[0], raw[1:])
    if key.key_id().hex() != key_id:
        raise CheckpointRefused("verification key and its id do not fit")
    return key


def signed_note(checkpoint: Checkpoint, signer: Signer) -> str:
    """Return the checkpoint as a note signed by the log's own key."""
    body = checkpoint.body()
    key = VerificationKey(checkpoint.origin, ED25519, signer.public_bytes)
    return body.decode() + "\n" + _signature_line(key, signer.sign(body))


def cosignature_line(checkpoint: Checkpoint, name: str, seconds: int, signer: Signer) -> str:
    """Return the line a witness adds: its signature over the body and the time it saw it."""
    key = VerificationKey(name, COSIGNATURE_V1, signer.public_bytes)
    signature = signer.sign(_cosigned(checkpoint.body(), seconds))
    return _signature_line(key, seconds.to_bytes(8, "big") + signature)


def parse_checkpoint(note: str) -> Checkpoint:
    """Return what a note says, without judging who signed it.

    Raises:
        CheckpointRefused: the text is not a checkpoint.
    """
    body, _ = _parts(note)
    lines = body.decode().split("\n")
    if len(lines) != 4 or not lines[0] or not re.fullmatch(r"0|[1-9]\d{0,14}", lines[1]):
        raise CheckpointRefused("text is not a checkpoint")
    root = _base64(lines[2])
    if len(root) != HASH_BYTES:
        raise CheckpointRefused("root is not a hash")
    return Checkpoint(lines[0], int(lines[1]), root)


def verify_note(note: str, keys: tuple[VerificationKey, ...]) -> Checkpoint:
    """Return the checkpoint of a note that one of the keys signed.

    Raises:
        CheckpointRefused: the text is no checkpoint, or no trusted key signed it validly.
    """
    checkpoint = parse_checkpoint(note)
    body, lines = _parts(note)
    signatures = [_signature(line) for line in lines]
    # A signature that claims a trusted key and is wrong spoils the note, as C2SP demands.
    judged = [
        _is_valid(key, raw[4:], body)
        for name, raw in signatures
        for key in keys
        if (key.name, key.key_id()) == (name, raw[:4])
    ]
    if not judged or not all(judged):
        raise CheckpointRefused("no trusted key signed this checkpoint")
    return checkpoint


def cosigning(
    lines: Iterable[str], note: str, keys: tuple[VerificationKey, ...]
) -> tuple[str, ...]:
    """Return those lines that cosign a note by one of the keys of witnesses."""
    body = parse_checkpoint(note).body().decode() + "\n"
    trusted = tuple(key for key in keys if key.algorithm == COSIGNATURE_V1)
    return tuple(line for line in lines if _is_signed(body + line, trusted))


def _is_signed(note: str, keys: tuple[VerificationKey, ...]) -> bool:
    try:
        verify_note(note, keys)
    except CheckpointRefused:
        return False
    return True


def parse_short(text: str) -> ShortCheckpoint:
    """Return the short checkpoint a person typed; case, spaces and look-alikes do not matter.

    Raises:
        CheckpointRefused: it has the wrong length or the check character shows a slip.
    """
    found = _SHORT.fullmatch(text)
    if not found:
        raise CheckpointRefused("text is not a short checkpoint")
    digits = found[2].upper().translate(_LOOKALIKES).replace("-", "").replace(" ", "")
    size = str(int(found[1]))
    if len(digits) != SHORT_DIGITS + 1 or any(digit not in _CROCKFORD for digit in digits):
        raise CheckpointRefused("text is not a short checkpoint")
    if _check_character(size, digits[:-1]) != digits[-1]:
        raise CheckpointRefused("the check character does not fit: compare with what was copied")
    return ShortCheckpoint(int(size), digits[:-1])


def _is_valid(key: VerificationKey, signature: bytes, body: bytes) -> bool:
    if key.algorithm == COSIGNATURE_V1:
        seconds = int.from_bytes(signature[:8], "big")
        body, signature = _cosigned(body, seconds), signature[8:]
    return is_signature_valid(public_bytes=key.public_bytes, signature=signature, message=body)


def _cosigned(body: bytes, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n".encode() + body


def _parts(note: str) -> tuple[bytes, list[str]]:
    """Return the signed text and the signature lines of a note."""
    body, separator, signatures = note.rpartition("\n\n")
    is_sound = separator and signatures.endswith("\n") and len(note) < _NOTE_BYTES_MAX
    if not is_sound or any(ord(character) < 32 and character != "\n" for character in note):
        raise CheckpointRefused("text is not a signed note")
    return (body + "\n").encode(), signatures[:-1].split("\n")


def _signature_line(key: VerificationKey, signature: bytes) -> str:
    return f"\u2014 {key.name} {base64.b64encode(key.key_id() + signature).decode()}\n"


def _signature(line: str) -> tuple[str, bytes]:
    dash, name, encoded = (*line.split(" "), "", "")[:3]
    raw = _base64(encoded)
    if dash != "\u2014" or not name or len(raw) < 5 or line.count(" ") != 2:
        raise CheckpointRefused("signature line is malformed")
    return name, raw


def _base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CheckpointRefused("text is not base64") from error
    # Base64 with stray last bits would let two texts mean the same bytes.
    if base64.b64encode(raw).decode() != text:
        raise CheckpointRefused("base64 is not in canonical form")
    return raw


def _base32(raw: bytes) -> str:
    number, bits = int.from_bytes(raw, "big"), len(raw) * 8
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(bits - 5, -1, -5))


def _check_character(size: str, digits: str) -> str:
    """Return a character that differs after any one wrong character or any two swapped ones.

    The step for "0" at the end gives the last digit a weight, so that it cannot change places with
    the check character itself.
    """
    state = 0
    for character in size + digits + "0":
        # One step of multiplication by the generator of the field with 32 elements.
        state = state << 1 ^ (0x25 if state & 16 else 0) ^ _CROCKFORD.index(character)
    return _CROCKFORD[state]
