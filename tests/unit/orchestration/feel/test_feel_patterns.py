"""The matcher that counts finds what Python's engine finds, where that one may run."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.feel.evaluation import Evaluation, Limits
from orchestration.feel.functions.patterns import compile_pattern
from orchestration.feel.functions.xpath_machine import program_of, search
from orchestration.feel.functions.xpath_pattern import read_pattern

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\d", "^", "$"])
LOOPS = st.sampled_from(["", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{1,}"])


def _looped(atom: str, loop: str) -> str:
    return atom if atom in "^$" else atom + loop


PIECES = st.builds(_looped, ATOMS, LOOPS)
FLAT = st.lists(PIECES, min_size=1, max_size=4).map("".join)
# Engines differ in what a repetition of nothing means, so what is repeated takes something.
CHOICES = (
    st.lists(FLAT, min_size=1, max_size=3)
    .map("|".join)
    .filter(lambda each: not re.search(each, ""))
)
GROUPS = st.builds(lambda inside, loop: f"({inside}){loop}", CHOICES, LOOPS)
PATTERNS = st.lists(st.one_of(PIECES, GROUPS), min_size=1, max_size=3).map("".join)


@settings(max_examples=200, deadline=None)
@given(PATTERNS, st.text("ab1", max_size=8), st.sampled_from(["", "i", "m", "s"]))
def test_both_engines_find_the_same_place(pattern, text, flags):
    evaluation = Evaluation(Limits())
    compiled = compile_pattern(pattern, flags, evaluation)
    assert compiled is not None, pattern
    options, groups = read_pattern(pattern, flags)
    program = program_of(options, groups, compiled.compiled.flags & ~32)

    found = search(program, text, 0, evaluation)

    expected = compiled.compiled.search(text)
    assert (found and found[0]) == (expected and expected.span())
