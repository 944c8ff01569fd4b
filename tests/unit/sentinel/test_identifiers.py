import time
from uuid import RFC_4122

from sentinel.identifiers import uuid7


def test_identifier_is_a_version_seven_uuid_of_this_moment():
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000

    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= after


def test_identifiers_of_one_moment_differ_in_every_random_bit():
    made = [uuid7().int for _ in range(2_000)]

    assert len(set(made)) == len(made)
    ever_set, always_set = 0, (1 << 128) - 1
    for each in made:
        ever_set |= each
        always_set &= each
    random_bits = ((1 << 12) - 1) << 64 | (1 << 62) - 1
    assert (ever_set & ~always_set) & random_bits == random_bits
