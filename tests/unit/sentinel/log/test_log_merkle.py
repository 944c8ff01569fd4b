import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.log.merkle import (
    EMPTY,
    EMPTY_ROOT,
    Frontier,
    ProofRefused,
    complete_subtrees,
    consistency_ranges,
    extend,
    fold,
    inclusion_ranges,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

# The eight entries and their roots are the reference vectors of Certificate Transparency.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word, without this package."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def proof_of(ranges, leaves):
    return [naive_root(leaves[start:end]) for start, end in ranges]


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_certificate_transparency(count):
    frontier, _ = extend(EMPTY, [leaf_hash(entry) for entry in ENTRIES[:count]])

    assert frontier.root().hex() == ROOTS[count - 1]


def test_empty_tree_has_the_hash_of_nothing():
    assert EMPTY.root() == EMPTY_ROOT == hashlib.sha256(b"").digest()


@given(st.lists(st.integers(0, 40), max_size=6))
def test_frontier_grown_in_any_batches_has_the_naive_root(batches):
    leaves = leaves_of(sum(batches))
    frontier, start = EMPTY, 0

    for batch in batches:
        frontier, _ = extend(frontier, leaves[start : start + batch])
        start += batch

    assert frontier.size == len(leaves)
    assert frontier.root() == naive_root(leaves)


def test_completed_tile_nodes_are_complete_subtrees_of_256():
    leaves = leaves_of(800)

    _, first = extend(EMPTY, leaves[:300])
    frontier, _ = extend(EMPTY, leaves[:300])
    _, second = extend(frontier, leaves[300:])

    nodes = first + second
    assert [(node.level, node.index) for node in nodes] == [(1, 0), (1, 1), (1, 2)]
    for node in nodes:
        assert node.hash == naive_root(leaves[node.index * 256 : node.index * 256 + 256])


def test_second_tile_level_completes_at_65536_leaves():
    leaves = leaves_of(65536)

    frontier, nodes = extend(EMPTY, leaves)

    assert [(node.level, node.index) for node in nodes if node.level == 2] == [(2, 0)]
    assert nodes[-1].hash == frontier.root()


@given(st.integers(1, 70), st.data())
def test_inclusion_proof_leads_from_leaf_to_root(size, data):
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)

    proof = proof_of(inclusion_ranges(index, size), leaves)

    verify_inclusion(index, size, leaves[index], proof, naive_root(leaves))


@given(st.integers(1, 70), st.data())
def test_inclusion_proof_altered_anywhere_is_refused(size, data):
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    root = naive_root(leaves)
    proof = proof_of(inclusion_ranges(index, size), leaves)
    wrong = leaf_hash(b"wrong")

    forgeries = [
        (index, size, wrong, proof, root),
        (index, size, leaves[index], proof, wrong),
        (index, size, leaves[index], [*proof, wrong], root),
        (size, size, leaves[index], proof, root),
        (-1, size, leaves[index], proof, root),
    ]
    forgeries += [
        (index, size, leaves[index], [*proof[:at], wrong, *proof[at + 1 :]], root)
        for at in range(len(proof))
    ]
    forgeries += [
        (other, size, leaves[index], proof, root) for other in range(size) if other != index
    ]
    if proof:
        forgeries.append((index, size, leaves[index], proof[:-1], root))
        forgeries.append((index, size, leaves[index], [proof[0][:31], *proof[1:]], root))

    for forgery in forgeries:
        with pytest.raises(ProofRefused):
            verify_inclusion(*forgery)


@given(st.integers(1, 70), st.data())
def test_consistency_proof_joins_two_sizes(second, data):
    first = data.draw(st.integers(1, second))
    leaves = leaves_of(second)

    proof = proof_of(consistency_ranges(first, second), leaves)

    verify_consistency(first, second, proof, naive_root(leaves[:first]), naive_root(leaves))


@given(st.integers(2, 70), st.data())
def test_consistency_proof_altered_anywhere_is_refused(second, data):
    first = data.draw(st.integers(1, second - 1))
    leaves = leaves_of(second)
    old, new, wrong = naive_root(leaves[:first]), naive_root(leaves), leaf_hash(b"wrong")
    proof = proof_of(consistency_ranges(first, second), leaves)

    forgeries = [
        (first, second, proof, wrong, new),
        (first, second, proof, old, wrong),
        (first, second, proof[:-1], old, new),
        (first, second, [*proof, wrong], old, new),
        (second, first, proof, old, new),
        (0, second, proof, old, new),
    ]
    forgeries += [
        (first, second, [*proof[:at], wrong, *proof[at + 1 :]], old, new)
        for at in range(len(proof))
    ]

    for forgery in forgeries:
        with pytest.raises(ProofRefused):
            verify_consistency(*forgery)


def test_same_size_is_consistent_only_with_the_same_root_and_no_proof():
    root, other = leaf_hash(b"a"), leaf_hash(b"b")

    verify_consistency(3, 3, [], root, root)
    for proof, second in (([root], root), ([], other)):
        with pytest.raises(ProofRefused):
            verify_consistency(3, 3, proof, root, second)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_consistency_of_sizes_that_prove_nothing_is_not_planned(first, second):
    with pytest.raises(ProofRefused):
        consistency_ranges(first, second)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_inclusion_of_a_leaf_that_is_not_there_is_not_planned(index, size):
    with pytest.raises(ProofRefused):
        inclusion_ranges(index, size)


@given(st.integers(1, 300), st.data())
def test_every_range_of_a_proof_is_covered_by_complete_subtrees(size, data):
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)

    for start, end in inclusion_ranges(index, size):
        parts = complete_subtrees(start, end)
        hashes = [naive_root(leaves[begin : begin + (1 << height)]) for begin, height in parts]
        assert all(begin % (1 << height) == 0 for begin, height in parts)
        assert fold(hashes) == naive_root(leaves[start:end])


def test_frontier_with_the_wrong_number_of_hashes_does_not_exist():
    with pytest.raises(ValueError, match="3"):
        Frontier(3, (leaf_hash(b""),))
