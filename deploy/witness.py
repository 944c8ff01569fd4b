"""A witness of logs: its own process, its own key, its own memory; it shares no code with a log.

    python -m deploy.witness --storage FOLDER --log VKEY [--name NAME] [--port PORT]

It speaks C2SP tlog-witness (`POST /add-checkpoint`) and cosigns a checkpoint only if it extends
the last one it cosigned of that log. What it cosigned it keeps as files that are never rewritten,
one per checkpoint. It belongs on a machine that whoever runs the bank cannot change.
"""

import argparse
import base64
import binascii
import fcntl
import hashlib
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

HOST = "127.0.0.1"
PORT = 8490
NAME = "frontline.example/witness/outside"
BODY_BYTES_MAX = 64 * 1024
HASHES_MAX = 63
SIZE_MEDIA = "text/x.tlog.size"
TEXT_MEDIA = "text/plain; charset=utf-8"
_NUMBER = re.compile(r"0|[1-9]\d{0,14}", re.ASCII)


class Refusal(Exception):
    """Nothing is cosigned; the answer says why in a status and at most a size."""

    code = "not_cosigned"
    is_retryable = False

    def __init__(self, status: int, text: str = "", media: str = TEXT_MEDIA) -> None:
        super().__init__(status, text, media)
        self.status, self.text, self.media = status, text, media


class Head(NamedTuple):
    """What a checkpoint says: whose log, how many entries, which root."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """One request, read but not judged."""

    old: int
    proof: tuple[bytes, ...]
    head: Head
    signed: bytes
    signatures: tuple[tuple[str, bytes], ...]
    note: str


@dataclass(slots=True)
class Witness:
    """The key, the logs it knows, and for each a folder with what it cosigned, and a lock."""

    name: str
    storage: Path
    logs: Mapping[str, tuple[tuple[bytes, Ed25519PublicKey], ...]]
    key: Ed25519PrivateKey
    locks: dict[str, threading.Lock] = field(init=False)

    def __post_init__(self) -> None:
        self.locks = {origin: threading.Lock() for origin in self.logs}

    def vkey(self) -> str:
        """Return the witness's public key as logs are told it."""
        raw = b"\4" + self.key.public_key().public_bytes_raw()
        return f"{self.name}+{self.key_id().hex()}+{base64.b64encode(raw).decode()}"

    def key_id(self) -> bytes:
        """Return the four bytes that name its key in a signature line."""
        raw = b"\4" + self.key.public_key().public_bytes_raw()
        return hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]

    def add_checkpoint(self, body: bytes, seconds: int) -> str:
        """Return the line that cosigns a checkpoint, once it is remembered for good.

        Raises:
            Refusal: it is not the log that is remembered, grown; or not a log it knows.
        """
        asked = read_submission(body)
        self._require_signed(asked)
        if asked.old > asked.head.size:
            raise Refusal(400)
        # Comparing with what is remembered and remembering the next is one step, for each log.
        with self.locks[asked.head.origin]:
            known = self._remembered(asked.head.origin)
            self._require_growth(asked, known)
            if known is None or known.size != asked.head.size:
                self._remember(asked)
        return self._cosigned(asked, seconds)

    def _require_signed(self, asked: Submission) -> None:
        keys = self.logs.get(asked.head.origin)
        if keys is None:
            raise Refusal(404)
        for name, raw in asked.signatures:
            for key_id, key in keys:
                if name == asked.head.origin and raw[:4] == key_id:
                    try:
                        key.verify(raw[4:], asked.signed)
                    except InvalidSignature as error:
                        raise Refusal(403) from error
                    return
        raise Refusal(403)

    def _require_growth(self, asked: Submission, known: Head | None) -> None:
        size = 0 if known is None else known.size
        if asked.old != size:
            raise Refusal(409, f"{size}\n", SIZE_MEDIA)
        if known is None or asked.head.size == size:
            if asked.proof:
                raise Refusal(422)
            if known is not None and asked.head.root != known.root:
                raise Refusal(409, f"{size}\n", SIZE_MEDIA)
        elif roots(size, asked.head.size, known.root, asked.proof) != (known.root, asked.head.root):
            raise Refusal(422)

    def _folder(self, origin: str) -> Path:
        return self.storage / "cosigned" / hashlib.sha256(origin.encode()).hexdigest()[:32]

    def _remembered(self, origin: str) -> Head | None:
        newest = max(self._folder(origin).glob("*[1-9]*.checkpoint"), default=None)
        return read_note(newest.read_text(encoding="utf-8"))[0] if newest else None

    def _remember(self, asked: Submission) -> None:
        folder = self._folder(asked.head.origin)
        folder.mkdir(parents=True, exist_ok=True)
        write_once(folder / f"{asked.head.size:015d}.checkpoint", asked.note.encode(), 0o444)

    def _cosigned(self, asked: Submission, seconds: int) -> str:
        signature = self.key.sign(f"cosignature/v1\ntime {seconds}\n".encode() + asked.signed)
        raw = self.key_id() + seconds.to_bytes(8, "big") + signature
        return f"\u2014 {self.name} {base64.b64encode(raw).decode()}\n"


def read_submission(body: bytes) -> Submission:
    """Return what a request says, or refuse what is none (C2SP tlog-witness, add-checkpoint)."""
    try:
        said, _, note = body.decode().partition("\n\n")
        first, *lines = said.split("\n")
        word, _, old = first.partition(" ")
        if word != "old" or not _NUMBER.fullmatch(old) or len(lines) > HASHES_MAX:
            raise ValueError(first)
        proof = tuple(_base64(line) for line in lines)
        if any(len(each) != 32 for each in proof):
            raise ValueError(first)
        head, signed, signatures = read_note(note)
    except ValueError as error:
        raise Refusal(400) from error
    return Submission(int(old), proof, head, signed, signatures, note)


def read_note(note: str) -> tuple[Head, bytes, tuple[tuple[str, bytes], ...]]:
    """Return what a checkpoint says, what is signed of it, and its signature lines.

    Raises:
        ValueError: it is no signed checkpoint, or one of a log that holds nothing yet.
    """
    text, blank, signatures = note.partition("\n\n")
    origin, size, root, *_extensions = text.split("\n")
    if not (
        blank and origin and _NUMBER.fullmatch(size) and size != "0" and signatures.endswith("\n")
    ):
        raise ValueError(origin)
    head = Head(origin, int(size), _base64(root))
    if len(head.root) != 32 or any(ord(character) < 32 for character in note.replace("\n", "")):
        raise ValueError(origin)
    return head, f"{text}\n".encode(), tuple(_signatures(signatures))


def roots(
    first: int, second: int, first_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes] | None:
    """Return the two roots a consistency proof leads to (RFC 9162, 2.1.4.2), or None."""
    if not 0 < first < second:
        return None
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not path:
        return None
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for each in path[1:]:
        if not last:
            return None
        if place & 1 or place == last:
            old, new = _node(each, old), _node(each, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = _node(new, each)
        place, last = place >> 1, last >> 1
    return None if last else (old, new)


def read_vkey(text: str) -> tuple[str, bytes, Ed25519PublicKey]:
    """Return name, id and key of a log.

    Raises:
        ValueError: it is no Ed25519 vkey, or its id does not fit.
    """
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = _base64(encoded)
    computed = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if len(raw) != 33 or raw[0] != 1 or computed.hex() != key_id:
        raise ValueError(f"{text.strip()} is no key of a log")
    return name, computed, Ed25519PublicKey.from_public_bytes(raw[1:])


def write_once(place: Path, content: bytes, mode: int) -> None:
    """Keep a file for good: whole, durable, and never in place of one that is there."""
    descriptor, draft = tempfile.mkstemp(dir=place.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(draft, mode)
    try:
        os.link(draft, place)
    finally:
        os.unlink(draft)
    folder = os.open(place.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def open_witness(*, name: str, storage: Path, vkeys: Sequence[str]) -> Witness:
    """Return the witness of a folder; the first time, make its key.

    Raises:
        ValueError: a key of a log is none, or another process keeps this folder.
    """
    storage.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(storage / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ValueError(f"another process keeps {storage}") from error
    logs: dict[str, tuple[tuple[bytes, Ed25519PublicKey], ...]] = {}
    for text in vkeys:
        origin, key_id, key = read_vkey(text)
        logs[origin] = (*logs.get(origin, ()), (key_id, key))
    return Witness(name, storage, logs, _own_key(storage / "key.pem"))


def vkey_in(storage: Path, name: str = NAME) -> str:
    """Return the public key of the witness of a folder; the first time, make its key."""
    storage.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Witness(name, storage, {}, _own_key(storage / "key.pem")).vkey()


def put_aside(storage: Path, origin: str, seconds: int) -> Path | None:
    """Put away what is remembered of a log of which a part is lost; nothing is deleted."""
    folder = storage / "cosigned" / hashlib.sha256(origin.encode()).hexdigest()[:32]
    if not folder.exists():
        return None
    aside = folder.with_name(f"{folder.name}.before-{seconds}")
    folder.rename(aside)
    return aside


def _own_key(place: Path) -> Ed25519PrivateKey:
    if not place.exists():
        made = Ed25519PrivateKey.generate()
        text = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_once(place, text, 0o400)
    key = load_pem_private_key(place.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{place} is not an Ed25519 key")
    return key


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _signatures(lines: str) -> Iterator[tuple[str, bytes]]:
    for line in lines[:-1].split("\n"):
        dash, name, encoded = line.split(" ")
        if dash != "\u2014":
            raise ValueError(line)
        yield name, _base64(encoded)


def _base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error
    if base64.b64encode(raw).decode() != text:
        raise ValueError(text)
    return raw


class Server(ThreadingHTTPServer):
    """Serves one witness."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        super().__init__(address, Handler)
        self.witness = witness


class Handler(BaseHTTPRequestHandler):
    """Answers `POST /add-checkpoint`."""

    server: Server
    server_version = "frontline-witness/1"
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_words: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Cosign a checkpoint, or say why not."""
        length = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint" or not _NUMBER.fullmatch(length):
            self.close_connection = True
            self._answer(404, "", TEXT_MEDIA)
            return
        if int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self._answer(413, "", TEXT_MEDIA)
            return
        try:
            line = self.server.witness.add_checkpoint(self.rfile.read(int(length)), _seconds())
        except Refusal as refused:
            self._answer(refused.status, refused.text, refused.media)
        else:
            self._answer(200, line, TEXT_MEDIA)

    def _answer(self, status: int, text: str, media: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _seconds() -> int:
    return int(time.time())


def main(arguments: list[str]) -> int:
    """Serve until the process is ended; the first line says where, and by which key."""
    parser = argparse.ArgumentParser(prog="witness", description="Cosign the checkpoints of logs.")
    parser.add_argument("--storage", type=Path, required=True, help="its key and its memory")
    parser.add_argument("--log", action="append", default=[], help="the vkey of a log it knows")
    for name, default in (("--name", NAME), ("--host", HOST)):
        parser.add_argument(name, default=default)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--put-aside", help="forget this log's history (its name), and end")
    options = parser.parse_args(arguments)
    try:
        witness = open_witness(name=options.name, storage=options.storage, vkeys=options.log)
    except ValueError as error:
        sys.stderr.write(f"witness: {error}\n")
        return 2
    if options.put_aside:
        return 0 if put_aside(options.storage, options.put_aside, _seconds()) else 2
    server = Server((options.host, options.port), witness)
    sys.stdout.write(f"http://{options.host}:{server.server_address[1]} {witness.vkey()}\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
