"""The log as C2SP tlog-tiles: a checkpoint, tiles of 256 hashes, bundles of 256 entries.

Whoever holds these files can compute every proof without asking the bank. What is full never
changes; the last tile of a level is partial and carries its width in its name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from django.db import connection

from sentinel.log.merkle import TILE_HEIGHT
from sentinel.log.records import entry_of

WIDTH = 1 << TILE_HEIGHT
ENTRIES = "entries"
ENTRY_BYTES_MAX = 0xFFFF
_LEVEL_MAX = 7
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9]\d?)/(?P<index>(?:x\d{3}/){0,4}\d{3})"
    r"(?:\.p/(?P<width>[1-9]\d{0,2}))?",
    re.ASCII,
)

_SIZE = "SELECT coalesce((SELECT size FROM sentinel_tree), 0)"
_LEAVES = "SELECT leaf FROM sentinel_leaf WHERE idx >= %s AND idx < %s ORDER BY idx"
_NODES = "SELECT hash FROM sentinel_node WHERE level = %s AND idx >= %s AND idx < %s ORDER BY idx"
_ENTRIES = """
SELECT r.recorded_at, r.body FROM sentinel_leaf l JOIN sentinel_record r ON r.id = l.record_id
WHERE l.idx >= %s AND l.idx < %s ORDER BY l.idx
"""


class TileUnknown(LookupError):
    """The log has no such tile: the name is none, or the tree is not that large."""

    code = "tile_unknown"
    is_retryable = True

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class TileDamaged(Exception):
    """A hash or an entry that belongs to a tile is gone, or does not fit: nothing is handed out."""

    code = "tile_damaged"
    is_retryable = False

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True, slots=True)
class Tile:
    """The name of one tile. `level` is None for a bundle of entries."""

    level: int | None
    index: int
    width: int

    @classmethod
    def parse(cls, path: str) -> Self:
        """Return the tile that a path names, such as `tile/0/x001/067.p/112`.

        Raises:
            TileUnknown: the path is not as tlog-tiles writes it.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            raise TileUnknown(path)
        level = None if found["level"] == ENTRIES else int(found["level"])
        index = int(found["index"].replace("x", "").replace("/", ""))
        tile = cls(level, index, int(found["width"] or WIDTH))
        # One tile has one name: no needless zeroes, no partial tile of full width.
        if tile.path != path or tile.width > WIDTH or (level or 0) > _LEVEL_MAX:
            raise TileUnknown(path)
        return tile

    @property
    def path(self) -> str:
        """The tile's name under the log's prefix."""
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[start : start + 3] for start in range(0, len(digits), 3)]
        level = ENTRIES if self.level is None else str(self.level)
        name = "/".join(["tile", level, *("x" + part for part in parts[:-1]), parts[-1]])
        return name if self.width == WIDTH else f"{name}.p/{self.width}"

    @property
    def is_full(self) -> bool:
        """Whether the tile can never grow."""
        return self.width == WIDTH


def read_tile(*, path: str) -> bytes:
    """Return the bytes of a tile of this legal entity's log (C2SP tlog-tiles).

    Raises:
        TileUnknown: there is no such tile, or not yet.
        TileDamaged: something that belongs to it was removed.
    """
    return _bytes_of(Tile.parse(path), _size())


def tiles_of(*, size: int, since: int = 0) -> Iterator[Tile]:
    """Name every tile of a tree of this size that one of `since` leaves did not have in full."""
    for level in (None, *range(_LEVEL_MAX + 1)):
        width = WIDTH ** (level or 0)
        hashes, before = size // width, since // width
        if not hashes:
            break
        for index in range(before // WIDTH, hashes // WIDTH):
            yield Tile(level, index, WIDTH)
        if hashes % WIDTH:
            yield Tile(level, hashes // WIDTH, hashes % WIDTH)


def _bytes_of(tile: Tile, size: int) -> bytes:
    first = tile.index * WIDTH
    if first + tile.width > size // WIDTH ** (tile.level or 0):
        raise TileUnknown(tile.path)
    parts = _entries(tile, first) if tile.level is None else _hashes(tile.level, first, tile.width)
    if len(parts) != tile.width:
        raise TileDamaged(tile.path)
    return b"".join(parts)


def _hashes(level: int, first: int, width: int) -> list[bytes]:
    with connection.cursor() as cursor:
        if level:
            cursor.execute(_NODES, [level, first, first + width])
        else:
            cursor.execute(_LEAVES, [first, first + width])
        return [bytes(value) for (value,) in cursor.fetchall()]


def _entries(tile: Tile, first: int) -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [first, first + tile.width])
        entries = [entry_of(recorded_at, bytes(body)) for recorded_at, body in cursor.fetchall()]
    if any(len(entry) > ENTRY_BYTES_MAX for entry in entries):
        raise TileDamaged(tile.path)
    return [len(entry).to_bytes(2, "big") + entry for entry in entries]


def _size() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_SIZE)
        (size,) = cursor.fetchone()
    return int(size)
