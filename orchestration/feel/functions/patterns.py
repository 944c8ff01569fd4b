"""Regular expressions of XPath, as FEEL uses them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from orchestration.feel.evaluation import Evaluation, LimitExceeded
from orchestration.feel.functions.xpath_machine import (
    PROGRAM_LENGTH_MAX,
    Program,
    Spans,
    program_of,
    search,
)
from orchestration.feel.functions.xpath_pattern import (
    Again,
    Group,
    Options,
    PatternRefused,
    Piece,
    literal_options,
    python_text,
    read_pattern,
)

PATTERN_LENGTH_MAX = 1000
_FLAGS = frozenset("smixq")
_FEW_TIMES = 3
_FAST_WORK_MAX = 200_000
_NESTED = 100
_GROUP_REFERENCE = re.compile(r"\\(?P<escaped>[\\$])|\$(?P<group>\d+)|(?P<plain>[^\\$]+)")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern ready to run.

    Python's engine is fast but cannot be stopped. It runs where its work has a bound: with `loops`
    repetitions, none inside another, some power of the length of the text. Where that is too
    much, the machine that counts runs instead.
    """

    groups: int
    loops: int
    compiled: re.Pattern[str]
    source: tuple[str, str]

    def first(self, text: str, start: int, evaluation: Evaluation) -> Spans | None:
        """Find the first match from a position on; gives the place of it and of its groups.

        Raises:
            LimitExceeded: it took too long.
        """
        is_nested = self.loops >= _NESTED
        if not is_nested and len(text) ** (self.loops + 1) <= _FAST_WORK_MAX:
            evaluation.charge(1 + len(text) // 16)
            found = self.compiled.search(text, start)
            return None if found is None else found.regs
        program = _program(*self.source)
        if program is None:
            raise LimitExceeded("steps in a pattern", PROGRAM_LENGTH_MAX)
        return search(program, text, start, evaluation)

    def matches_nothing(self, evaluation: Evaluation) -> bool:
        """Tell whether the empty text matches, which XPath refuses for `replace` and `split`."""
        return self.first("", 0, evaluation) is not None

    def each(self, text: str, evaluation: Evaluation) -> Iterator[Spans]:
        """Find the matches one after the other."""
        start = 0
        while start <= len(text):
            found = self.first(text, start, evaluation)
            if found is None:
                return
            yield found
            begin, end = found[0]
            start = end if end > begin else end + 1


def compile_pattern(pattern: str, flags: str, evaluation: Evaluation) -> Pattern | None:
    """Translate a pattern; None, with the reason noted, when it is none."""
    if len(pattern) > PATTERN_LENGTH_MAX or not set(flags) <= _FLAGS:
        evaluation.null("the pattern is too long or its flags are unknown")
        return None
    compiled = _compiled(pattern, flags)
    if compiled is None:
        evaluation.null("the pattern is no regular expression")
    return compiled


@lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str) -> Pattern | None:
    try:
        options, groups = _read(pattern, flags)
        compiled = re.compile(python_text(options), _choices(flags))
    except (re.error, PatternRefused, OverflowError):
        return None
    return Pattern(groups, _loops(options), compiled, (pattern, flags))


@lru_cache(maxsize=128)
def _program(pattern: str, flags: str) -> Program | None:
    options, groups = _read(pattern, flags)
    try:
        return program_of(options, groups, _choices(flags))
    except PatternRefused:
        return None


def _read(pattern: str, flags: str) -> tuple[Options, int]:
    return (literal_options(pattern), 0) if "q" in flags else read_pattern(pattern, flags)


def _choices(flags: str) -> re.RegexFlag:
    case = re.IGNORECASE if "i" in flags else re.NOFLAG
    return case | re.MULTILINE if "m" in flags else case


def _loops(options: Options) -> int:
    """Count the repetitions; one of something that is not of fixed length counts as too many."""
    return sum(_loops_of(piece) for pieces in options for piece in pieces)


def _loops_of(piece: Piece) -> int:
    inner = _loops(piece.atom.options) if isinstance(piece.atom, Group) else 0
    if piece.most is not None and piece.most <= 1:
        return inner
    if inner or not _is_fixed(piece.atom):
        return _NESTED
    return 1 if piece.most is None or piece.most > _FEW_TIMES else 0


def _is_fixed(atom: object) -> bool:
    """Tell whether there is one way only to match an atom at a place."""
    if isinstance(atom, Again):
        return False
    if not isinstance(atom, Group):
        return True
    return len(atom.options) == 1 and all(
        piece.least == piece.most and _is_fixed(piece.atom) for piece in atom.options[0]
    )


def replacement_parts(replacement: str, groups: int) -> tuple[str | int, ...] | None:
    """Split XPath's replacement into texts and group numbers; None when it is malformed.

    A reference to a group the pattern lacks stands for nothing.
    """
    parts: list[str | int] = []
    position = 0
    while position < len(replacement):
        found = _GROUP_REFERENCE.match(replacement, position)
        if found is None:
            return None
        position = found.end()
        if found["group"] is None:
            parts.append(found["plain"] or found["escaped"])
        else:
            parts.extend(_group_parts(found["group"], groups))
    return tuple(parts)


def _group_parts(digits: str, groups: int) -> tuple[str | int, ...]:
    """Take as many digits for the number as name a group the pattern has; the rest is text."""
    length = min(len(digits), len(str(groups)))
    while length > 1 and int(digits[:length]) > groups:
        length -= 1
    number = int(digits[:length])
    rest = digits[length:]
    return (*((number,) if number <= groups else ()), *((rest,) if rest else ()))
