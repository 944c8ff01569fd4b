"""A reader of C2SP tlog-tiles that shares no code with the log: paths, hashes, checkpoint, proofs.

`fetch` returns the bytes under a path, from a folder or over HTTP.
"""

import base64
import hashlib
from collections.abc import Callable

Fetch = Callable[[str], bytes]


def path_of(level: int | str, index: int, width: int = 256) -> str:
    elements = [f"{index % 1000:03d}"]
    while index := index // 1000:
        elements.insert(0, f"x{index % 1000:03d}")
    name = f"tile/{level}/{'/'.join(elements)}"
    return name if width == 256 else f"{name}.p/{width}"


def root_of(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(b"\1" + root_of(hashes[:split]) + root_of(hashes[split:])).digest()


def checkpoint(fetch: Fetch) -> tuple[str, int, bytes]:
    origin, size, root = fetch("checkpoint").decode().split("\n\n")[0].split("\n")
    return origin, int(size), base64.b64decode(root, validate=True)


def hashes(fetch: Fetch, level: int, count: int) -> list[bytes]:
    found = []
    for start in range(0, count, 256):
        width = min(256, count - start)
        tile = fetch(path_of(level, start // 256, width))
        assert len(tile) == 32 * width
        found += [tile[place : place + 32] for place in range(0, len(tile), 32)]
    return found


def entries(fetch: Fetch, count: int) -> list[bytes]:
    found = []
    for start in range(0, count, 256):
        bundle = fetch(path_of("entries", start // 256, min(256, count - start)))
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            found.append(bundle[2 : 2 + length])
            bundle = bundle[2 + length :]
    return found


def audit(fetch: Fetch) -> tuple[int, list[bytes]]:
    """Read everything and check it against the checkpoint; return the size and the entries."""
    _, size, root = checkpoint(fetch)
    leaves, told = hashes(fetch, 0, size), entries(fetch, size)
    assert [hashlib.sha256(b"\0" + entry).digest() for entry in told] == leaves
    assert root_of(leaves) == root
    level, below = 1, leaves
    while len(below) >= 256:
        above = hashes(fetch, level, len(below) // 256)
        assert above == [
            root_of(below[start : start + 256]) for start in range(0, len(below) - 255, 256)
        ]
        level, below = level + 1, above
    return size, told
