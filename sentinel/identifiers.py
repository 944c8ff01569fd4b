"""Identifiers that carry the time they were made: UUIDs of version 7 (RFC 9562, section 5.7)."""

import os
import time
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_TAIL = (1 << 62) - 1


def uuid7() -> UUID:
    """Return a new identifier: 48 bits of milliseconds since 1970, and 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    chance = int.from_bytes(os.urandom(10))
    return UUID(
        int=milliseconds << 80 | _VERSION | (chance >> 68) << 64 | _VARIANT | chance & _TAIL
    )
