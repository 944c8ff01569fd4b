"""How a process asks the signer: one canonical JSON object behind its length, and one back.

Four bytes of length, most significant first, then so many bytes of JSON in the one form there is.
"""

import socket
from collections.abc import Mapping

from sentinel.signing.canonical import Canonical, NotCanonical, canonical_json, parse

MESSAGE_BYTES_MAX = 16 * 1024
_LENGTH_BYTES = 4


class WireBroken(OSError):
    """What came is no whole message."""

    code = "wire_broken"
    is_retryable = True


def send(line: socket.socket, message: Mapping[str, object]) -> None:
    """Send one message."""
    raw = canonical_json(dict(message))
    line.sendall(len(raw).to_bytes(_LENGTH_BYTES, "big") + raw)


def receive(line: socket.socket) -> Mapping[str, Canonical] | None:
    """Return the next message, or None when the other side has nothing more to say.

    Raises:
        WireBroken: it is cut off, too long, or not in canonical form.
    """
    head = _exactly(line, _LENGTH_BYTES)
    if head is None:
        return None
    length = int.from_bytes(head, "big")
    if not 0 < length <= MESSAGE_BYTES_MAX:
        raise WireBroken
    raw = _exactly(line, length)
    try:
        message = parse(raw or b"")
        is_ours = isinstance(message, dict) and canonical_json(message) == raw
    except NotCanonical as error:
        raise WireBroken from error
    if not is_ours or not isinstance(message, dict):
        raise WireBroken
    return message


def _exactly(line: socket.socket, count: int) -> bytes | None:
    """Return so many bytes, or None if there is not even a first one."""
    found = bytearray()
    while len(found) < count:
        part = line.recv(count - len(found))
        if not part and not found:
            return None
        if not part:
            raise WireBroken
        found += part
    return bytes(found)
