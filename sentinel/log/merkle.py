"""The RFC 6962 Merkle tree: hashes, the compact frontier, proofs and their verification. Pure.

Tree positions are half-open ranges of leaf indexes. A proof is planned as a list of ranges, and
whoever holds the hashes resolves them, so planning needs no storage.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
TILE_HEIGHT = 8
EMPTY_ROOT = hashlib.sha256(b"").digest()

Range = tuple[int, int]


class ProofRefused(ValueError):
    """The proof does not lead to the stated root."""

    code = "proof_refused"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TileNode:
    """The hash of a complete subtree of 256^level leaves, the index-th of its level."""

    level: int
    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the complete subtrees that make up a tree of `size` leaves, largest first."""

    size: int
    hashes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError(self.size, len(self.hashes))

    def root(self) -> bytes:
        """Return the root hash of the whole tree."""
        return fold(self.hashes)


EMPTY = Frontier(0, ())


def leaf_hash(entry: bytes) -> bytes:
    """Return the RFC 6962 hash of one log entry."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the RFC 6962 hash of an interior node."""
    return hashlib.sha256(b"\1" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over adjacent complete subtrees of falling size, largest first."""
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def extend(frontier: Frontier, leaves: Iterable[bytes]) -> tuple[Frontier, list[TileNode]]:
    """Return the frontier after appending leaves, and the tile nodes that became complete."""
    size, stack, completed = frontier.size, list(frontier.hashes), list[TileNode]()
    for leaf in leaves:
        position, height, result = size, 0, leaf
        while position & 1:
            result = node_hash(stack.pop(), result)
            position >>= 1
            height += 1
            if height % TILE_HEIGHT == 0:
                completed.append(TileNode(height // TILE_HEIGHT, size >> height, result))
        stack.append(result)
        size += 1
    return Frontier(size, tuple(stack)), completed


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the ranges whose hashes prove that leaf `index` is in the tree of `size`, leaf up.

    Raises:
        ProofRefused: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ProofRefused("leaf index is outside the tree")
    start, end, ranges = 0, size, list[Range]()
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(first: int, second: int) -> list[Range]:
    """Return the ranges whose hashes prove that the tree of `first` is a prefix of `second`.

    Raises:
        ProofRefused: the first size is zero or exceeds the second.
    """
    if not 0 < first <= second:
        raise ProofRefused("sizes do not allow a consistency proof")
    start, end, is_whole, ranges = 0, second, True, list[Range]()
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, is_whole = middle, False
    if not is_whole:
        ranges.append((start, end))
    return ranges[::-1]


def complete_subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """Return the (start, height) of the complete subtrees that cover a range, largest first."""
    found = list[tuple[int, int]]()
    while start < end:
        height = (end - start).bit_length() - 1
        if start:
            height = min(height, (start & -start).bit_length() - 1)
        found.append((start, height))
        start += 1 << height
    return found


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to.

    Raises:
        ProofRefused: the index or the number of hashes cannot be right.
    """
    if not 0 <= index < size:
        raise ProofRefused("leaf index is outside the tree")
    _require_hashes((leaf, *proof))
    inner = (index ^ (size - 1)).bit_length()
    if len(proof) != inner + (index >> inner).bit_count():
        raise ProofRefused("proof has the wrong number of hashes")
    result = leaf
    for height, sibling in enumerate(proof):
        is_right = height >= inner or index >> height & 1
        result = node_hash(sibling, result) if is_right else node_hash(result, sibling)
    return result


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Accept only if the leaf is at that index of the tree with that size and root.

    Raises:
        ProofRefused: the proof does not show it.
    """
    if root_from_inclusion(index, size, leaf, proof) != root:
        raise ProofRefused("inclusion proof leads to another root")


def verify_consistency(
    first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes
) -> None:
    """Accept only if the second tree is the first with leaves appended.

    Raises:
        ProofRefused: the proof does not show it, or the first tree is empty, which proves nothing.
    """
    if not 0 < first <= second:
        raise ProofRefused("sizes do not allow a consistency proof")
    if first == second:
        if proof or first_root != second_root:
            raise ProofRefused("trees of one size have different roots")
        return
    _require_hashes(proof)
    shift = (first & -first).bit_length() - 1
    inner = ((first - 1) ^ (second - 1)).bit_length() - shift
    mask = (first - 1) >> shift
    # A first tree that is one complete subtree is its own starting point and is left out.
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if len(path) != 1 + inner + (mask >> inner).bit_count():
        raise ProofRefused("proof has the wrong number of hashes")
    if _climb(path, mask, inner) != (first_root, second_root):
        raise ProofRefused("consistency proof leads to other roots")


def _climb(path: Sequence[bytes], mask: int, inner: int) -> tuple[bytes, bytes]:
    """Return the first and the second root that a consistency path leads to."""
    old = new = path[0]
    for height, sibling in enumerate(path[1:]):
        if height >= inner or mask >> height & 1:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    return old, new


def _split(count: int) -> int:
    """Return the largest power of two smaller than `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _require_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(item) != HASH_BYTES for item in hashes):
        raise ProofRefused("a hash is not 32 bytes long")
