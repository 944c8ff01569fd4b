"""A matcher that counts its work, for patterns that Python's engine could pursue without end.

A pattern becomes a program of a few instructions; the machine follows the preferred way first and
comes back to the others. A place it has been at before leads nowhere new, so it is not tried again,
and the work grows with the text and not with the number of ways through it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from orchestration.feel.evaluation import Evaluation
from orchestration.feel.functions.xpath_pattern import (
    Again,
    Edge,
    Group,
    One,
    Options,
    PatternRefused,
    Piece,
)

PROGRAM_LENGTH_MAX = 20_000
_CHARACTERS_KNOWN_MAX = 10_000
_STEPS_IN_ONE_GO = 1000
_ONE, _EDGE, _AGAIN, _SAVE, _SPLIT, _JUMP, _DONE = range(7)

Spans = tuple[tuple[int, int], ...]
_Marks = tuple[int, ...]


@dataclass(slots=True)
class _Character:
    """Whether characters belong to a class, remembered."""

    text: str
    pattern: re.Pattern[str]
    known: dict[str, bool] = field(default_factory=dict)

    def fits(self, character: str) -> bool:
        """Tell whether the class holds a character."""
        answer = self.known.get(character)
        if answer is None:
            if len(self.known) > _CHARACTERS_KNOWN_MAX:
                self.known.clear()
            answer = self.known[character] = self.pattern.match(character) is not None
        return answer


@dataclass(slots=True)
class Program:
    """The instructions of one pattern: an operation with up to two operands each."""

    groups: int
    options: re.RegexFlag
    steps: list[tuple[int, int, int]] = field(default_factory=list)
    characters: list[_Character] = field(default_factory=list)
    edges: list[re.Pattern[str]] = field(default_factory=list)
    looks_back: bool = False

    def add(self, operation: int, one: int = 0, other: int = 0) -> int:
        """Append an instruction and give its place."""
        if len(self.steps) >= PROGRAM_LENGTH_MAX:
            raise PatternRefused("the pattern repeats too much")
        self.steps.append((operation, one, other))
        return len(self.steps) - 1


def program_of(options: Options, groups: int, flags: re.RegexFlag) -> Program:
    """Compile a pattern.

    Raises:
        PatternRefused: it would become too long.
    """
    program = Program(groups, flags)
    program.add(_SAVE, 0)
    _write_options(program, options)
    program.add(_SAVE, 1)
    program.add(_DONE)
    return program


def _write_options(program: Program, options: Options) -> None:
    ends: list[int] = []
    for pieces in options[:-1]:
        split = program.add(_SPLIT)
        _write_pieces(program, pieces)
        ends.append(program.add(_JUMP))
        program.steps[split] = (_SPLIT, split + 1, len(program.steps))
    _write_pieces(program, options[-1])
    for end in ends:
        program.steps[end] = (_JUMP, len(program.steps), 0)


def _write_pieces(program: Program, pieces: tuple[Piece, ...]) -> None:
    for piece in pieces:
        for _ in range(piece.least):
            _write_atom(program, piece)
        if piece.most is None:
            _write_loop(program, piece)
        else:
            _write_optional(program, piece, piece.most - piece.least)


def _write_loop(program: Program, piece: Piece) -> None:
    split = program.add(_SPLIT)
    _write_atom(program, piece)
    program.add(_JUMP, split)
    _fork(program, split, len(program.steps), is_lazy=piece.is_lazy)


def _write_optional(program: Program, piece: Piece, count: int) -> None:
    splits: list[int] = []
    for _ in range(count):
        splits.append(program.add(_SPLIT))
        _write_atom(program, piece)
    for split in splits:
        _fork(program, split, len(program.steps), is_lazy=piece.is_lazy)


def _fork(program: Program, split: int, past: int, *, is_lazy: bool) -> None:
    into = split + 1
    program.steps[split] = (_SPLIT, past, into) if is_lazy else (_SPLIT, into, past)


def _write_atom(program: Program, piece: Piece) -> None:
    match piece.atom:
        case One(text):
            program.add(_ONE, _place_of(program, text))
        case Edge(text):
            program.edges.append(re.compile(text, program.options))
            program.add(_EDGE, len(program.edges) - 1)
        case Again(number):
            program.looks_back = True
            program.add(_AGAIN, number)
        case Group(number, options):
            if number is not None:
                program.add(_SAVE, 2 * number)
            _write_options(program, options)
            if number is not None:
                program.add(_SAVE, 2 * number + 1)


def _place_of(program: Program, text: str) -> int:
    for place, character in enumerate(program.characters):
        if character.text == text:
            return place
    program.characters.append(_Character(text, re.compile(text, program.options)))
    return len(program.characters) - 1


def search(program: Program, text: str, start: int, evaluation: Evaluation) -> Spans | None:
    """Find the first match from a position on; gives the place of it and of its groups.

    Raises:
        LimitExceeded: it took too long.
    """
    found = _Search(program, text, evaluation)
    for begin in range(start, len(text) + 1):
        marks = found.run(begin)
        if marks is not None:
            pairs = zip(marks[::2], marks[1::2], strict=True)
            return tuple((one, other) if other >= 0 else (-1, -1) for one, other in pairs)
    return None


@dataclass(slots=True)
class _Search:
    program: Program
    text: str
    evaluation: Evaluation
    been: set[int] = field(default_factory=set)
    open_ways: list[tuple[int, int, _Marks]] = field(default_factory=list)

    def run(self, begin: int) -> _Marks | None:
        """Try every way from one position, the preferred one first."""
        self.open_ways = [(0, begin, (-1,) * (2 * self.program.groups + 2))]
        while self.open_ways:
            marks = self._follow(*self.open_ways.pop())
            if marks is not None:
                return marks
        return None

    def _follow(self, at: int, position: int, marks: _Marks) -> _Marks | None:
        """Go one way until it ends, leaving the others at each fork for later."""
        steps = self.program.steps
        count = 0
        while count < _STEPS_IN_ONE_GO:
            count += 1
            operation, one, other = steps[at]
            at += 1
            if operation == _SPLIT:
                if self._was_at(at, position):
                    break
                self.open_ways.append((other, position, marks))
                at = one
            elif operation == _JUMP:
                at = one
            elif operation == _SAVE:
                marks = (*marks[:one], position, *marks[one + 1 :])
            elif operation == _DONE:
                return marks
            else:
                moved = _ADVANCES[operation](self, one, position, marks)
                if moved is None:
                    break
                position = moved
        else:
            self.open_ways.append((at, position, marks))
        self.evaluation.charge(count)
        return None

    def _was_at(self, at: int, position: int) -> bool:
        if self.program.looks_back:
            # What was matched before may decide, so the same place is not the same again.
            return False
        key = position * len(self.program.steps) + at
        if key in self.been:
            return True
        self.been.add(key)
        return False

    def one(self, operand: int, position: int, marks: _Marks) -> int | None:
        """Step over one character of a class."""
        del marks
        if position >= len(self.text):
            return None
        fits = self.program.characters[operand].fits(self.text[position])
        return position + 1 if fits else None

    def edge(self, operand: int, position: int, marks: _Marks) -> int | None:
        """Stay where a line or the text starts or ends."""
        del marks
        return position if self.program.edges[operand].match(self.text, position) else None

    def again(self, operand: int, position: int, marks: _Marks) -> int | None:
        """Step over what a group matched before."""
        begin, end = marks[2 * operand], marks[2 * operand + 1]
        said = self.text[begin:end] if 0 <= begin <= end else ""
        heard = self.text[position : position + len(said)]
        is_same = heard == said
        if self.program.options & re.IGNORECASE:
            is_same = heard.lower() == said.lower()
        return position + len(said) if is_same else None


_ADVANCES: dict[int, Callable[[_Search, int, int, _Marks], int | None]] = {
    _ONE: _Search.one,
    _EDGE: _Search.edge,
    _AGAIN: _Search.again,
}
