"""The parts of an expression that stand for themselves: literals, names, lists, ranges."""

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from orchestration.feel import tree
from orchestration.feel.builtin_names import BUILTIN_NAMES
from orchestration.feel.literals import NUMBER, STRING, number_value, string_value
from orchestration.feel.names import DECLARED_NAME, IDENTIFIER, Names, normalise
from orchestration.feel.source import Source
from orchestration.feel.temporal_text import temporal_literal
from orchestration.feel.types import FeelType

NESTING_MAX = 50
_NEW_NAME = re.compile(DECLARED_NAME)
_WORD = re.compile(IDENTIFIER + r"|\?")
_CLOSING = re.compile(r"\[\s*(?:$|[.)\],}=<>!]|(?:and|or|then|else|return|satisfies|in)\b)")
_CONSTANTS: dict[str, tree.Literal] = {
    "true": tree.Literal(value=True),
    "false": tree.Literal(value=False),
    "null": tree.Literal(None),
}
RESERVED = frozenset(
    [
        "for",
        "in",
        "return",
        "if",
        "then",
        "else",
        "some",
        "every",
        "satisfies",
        "instance",
        "of",
        "and",
        "or",
        "between",
        "external",
    ]
)


class Primary(Source):
    """The lower half of the parser."""

    def __init__(self, text: str, names: list[str], types: Mapping[str, FeelType]) -> None:
        super().__init__(text)
        self.types = types
        self.names = Names(names)
        self.names.push(BUILTIN_NAMES)
        self.member_names = {name for name in names if " " in name or not name.isidentifier()}
        self.members = Names(self.member_names | BUILTIN_NAMES)
        self._depth = 0
        self._is_range_end = False

    @abstractmethod
    def expression(self) -> tree.Node:
        """Parse the most general expression."""

    @abstractmethod
    def binary(self, floor: int) -> tree.Node:
        """Parse operators that bind at least as tightly as `floor`."""

    @abstractmethod
    def test(self) -> tree.Node:
        """Parse one positive unary test."""

    @abstractmethod
    def context(self) -> tree.Node:
        """Parse a context literal."""

    @abstractmethod
    def lambda_(self) -> tree.Node:
        """Parse a function definition."""

    @contextmanager
    def nesting(self) -> Iterator[None]:
        """Count one level of nesting, and refuse the one too many."""
        self._depth += 1
        if self._depth > 2 * NESTING_MAX:
            raise self.refuse("expression nests too deeply")
        try:
            yield
        finally:
            self._depth -= 1

    @contextmanager
    def range_end(self, *, is_here: bool) -> Iterator[None]:
        """Parse the end of a range, or what stands in brackets within one and so is none."""
        around, self._is_range_end = self._is_range_end, is_here
        try:
            yield
        finally:
            self._is_range_end = around

    def add_member(self, name: str) -> None:
        """Remember a context key, so that a path may use it although it holds spaces."""
        if " " in name or not name.isidentifier():
            self.member_names.add(normalise(name))
            self.members.add(name)

    def is_known_special(self) -> bool:
        """Tell whether a name with spaces or operators, known in scope, stands here."""
        return self.names.match(self.text, self.past_space()) is not None

    def take_known(self, names: Names) -> str | None:
        """Step over a known name with spaces or operators, and give it."""
        found = names.match(self.text, self.past_space())
        if found is None:
            return None
        name, self.position = found
        return name

    def new_name(self, stop: re.Pattern[str]) -> str:
        """Read a name being declared: the words up to a stop symbol."""
        start = self.past_space()
        found = _NEW_NAME.match(self.text, start)
        if found is None:
            raise self.refuse("expected a name")
        name = found.group()
        end = stop.search(name)
        if end:
            name = name[: end.start()]
        self.position = start + len(name.rstrip())
        return normalise(name)

    def primary(self) -> tree.Node:
        """Parse one operand."""
        symbol = self.peek()
        if symbol == '"':
            return tree.Literal(self._string())
        if symbol == "@":
            return self._temporal()
        if symbol.isdigit() or (symbol == "." and self.peek(2)[1:].isdigit()):
            return self._number()
        if symbol == "{":
            return self.context()
        if symbol and symbol in "([]":
            return self._bracketed(symbol)
        return self._word()

    def _string(self) -> str:
        literal = self.match(STRING)
        if literal is None:
            raise self.refuse("text without closing quote")
        return string_value(literal)

    def _number(self) -> tree.Node:
        literal = self.match(NUMBER)
        if literal is None:
            raise self.refuse("expected a number")
        try:
            return tree.Literal(number_value(literal))
        except ArithmeticError as error:
            raise self.refuse("the number is too large") from error

    def _temporal(self) -> tree.Node:
        self.need("@")
        return tree.Literal(temporal_literal(self._string()))

    def _bracketed(self, symbol: str) -> tree.Node:
        # The first operand is read once and what follows decides, because trying one reading and
        # then the other doubles the work at every level of nesting.
        self.need(symbol)
        if symbol == "[" and self.take("]"):
            return tree.ListLiteral(())
        first = self.test()
        if self.take(".."):
            return self.range_from(symbol, first)
        if symbol == "[":
            return self._list_from(first)
        if symbol == "]":
            raise self.refuse("expected '..'")
        self.need(")")
        return first

    def _list_from(self, first: tree.Node) -> tree.Node:
        items = [first]
        while not self.take("]"):
            self.need(",")
            items.append(self.test())
        return tree.ListLiteral(tuple(items))

    def range_from(self, opening: str, start: tree.Node) -> tree.Node:
        """Parse the end of a range whose start and dots were read."""
        with self.range_end(is_here=True):
            end = self.binary(4)
        closing = self.peek()
        if not closing or closing not in "])[":
            raise self.refuse("expected the end of the range")
        self.need(closing)
        return tree.RangeLiteral(start, end, opening == "[", closing == "]")

    def is_filter_ahead(self) -> bool:
        """Tell whether `[` after an operand filters it, or closes the range it is the end of."""
        return not (self._is_range_end and _CLOSING.match(self.text, self.past_space()))

    def _word(self) -> tree.Node:
        special = self.take_known(self.names)
        if special is not None:
            return tree.Name(special)
        word = self.match(_WORD)
        if word is None:
            raise self.refuse("expected a value")
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        if word == "function":
            return self.lambda_()
        if word in RESERVED:
            self.position -= len(word)
            raise self.refuse("expected a value")
        return tree.Name(word)
