"""The signer: a process of its own that alone reads the keys of decision tokens.

It is asked over a socket that only its own user can open. It signs nothing but the input of a
decision token as this release writes it: by the key that signs now, issued by a legal entity it is
configured for, at this moment, for a minute at most. Whatever else comes is refused with a code.
"""

import os
import socket
import socketserver
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sentinel.signing.canonical import Canonical
from sentinel.signing.custody import FileCustody
from sentinel.signing.keys import KeyFile, KeyRefused, Signer, signing
from sentinel.signing.remote.wire import WireBroken, receive, send
from sentinel.tokens import TTL_SECONDS_MAX, TokenRefused, issuer_of, signing_input

IDLE_SECONDS = 30.0
SKEW_SECONDS = 10
_REFUSED = {"ok": False}


class Refused(ValueError):
    """This is not something the signer does; `code` says why."""

    is_retryable = False

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Signing:
    """What the signer does for the entities it is configured for."""

    def __init__(self, folder: Path, entities: Sequence[str]) -> None:
        self._custody, self._entities = FileCustody(folder), frozenset(entities)

    def answer(self, asked: Mapping[str, Canonical]) -> dict[str, object]:
        """Return the answer to one question; a refusal has a code and nothing else."""
        try:
            return {"ok": True, **self._answered(asked)}
        except Refused as refused:
            return {**_REFUSED, "code": refused.code}
        except KeyRefused:
            return {**_REFUSED, "code": "key_refused"}

    def _answered(self, asked: Mapping[str, Canonical]) -> dict[str, object]:
        entity = asked.get("entity")
        if not isinstance(entity, str) or entity not in self._entities:
            raise Refused("not_configured")
        match dict(asked):
            case {"do": "keys", "entity": _, **rest} if not rest:
                return {"keys": [_shown(each) for each in self._custody.keys(entity)]}
            case {"do": "rotate", "entity": _, "overlap": int(overlap), **rest} if not rest:
                return {"kid": self._custody.rotate(entity, overlap)}
            case {"do": "sign", "entity": _, "input": str(text), **rest} if not rest:
                return {"signature": self._signed(entity, text)}
        raise Refused("not_understood")

    def _signed(self, entity: str, text: str) -> str:
        able = _able(self._custody.keys(entity))
        try:
            claims = signing_input(text, kids=able)
        except TokenRefused as error:
            raise Refused("not_a_token") from error
        if claims.issuer != issuer_of(entity):
            raise Refused("other_issuer")
        if abs(claims.issued_at - time.time()) > SKEW_SECONDS:
            raise Refused("not_now")
        if not 0 < claims.expires_at - claims.issued_at <= TTL_SECONDS_MAX:
            raise Refused("too_long")
        return able[claims.kid].sign(text.encode()).hex()


class SignerServer(socketserver.ThreadingUnixStreamServer):
    """Answers at one socket, which nobody but its owner can open."""

    daemon_threads = True

    def __init__(self, path: Path, work: Signing) -> None:
        self.work = work
        _make_way(path)
        before = os.umask(0o177)
        try:
            super().__init__(str(path), _Line)
        finally:
            os.umask(before)


class _Line(socketserver.BaseRequestHandler):
    server: SignerServer

    def handle(self) -> None:
        """Answer until the other side hangs up, says something broken, or says nothing."""
        line: socket.socket = self.request
        line.settimeout(IDLE_SECONDS)
        try:
            while (asked := receive(line)) is not None:
                send(line, self.server.work.answer(asked))
        except (TimeoutError, WireBroken, ConnectionError):
            return


def _able(keys: tuple[KeyFile, ...]) -> dict[str, Signer]:
    """Return the key that signs now, and the one before for as long as askers may not know."""
    now = signing(keys)
    found = {now.signer.kid: now.signer}
    before = [each for each in keys if each.number < now.number]
    if before and now.signs_from > time.time() - SKEW_SECONDS:
        found[before[-1].signer.kid] = before[-1].signer
    return found


def _make_way(path: Path) -> None:
    """Take away a socket that nobody answers at any more.

    Raises:
        KeyRefused: a signer answers there already.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        return
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(path))
        except OSError:
            path.unlink()
            return
    raise KeyRefused("a signer answers at this socket already")


def _shown(each: KeyFile) -> dict[str, object]:
    return {
        "number": each.number,
        "public": each.signer.public_bytes.hex(),
        # Canonical JSON knows no fractions; a key signs from the next whole second.
        "signs_from": int(each.signs_from) + (each.signs_from % 1 > 0),
    }
