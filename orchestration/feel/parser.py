"""From text to syntax tree: FEEL as DMN 1.5 defines it, by precedence climbing."""

import re
from collections.abc import Iterable, Mapping

from typing_extensions import override

from orchestration.feel import tree
from orchestration.feel.literals import STRING, string_value
from orchestration.feel.names import IDENTIFIER, normalise
from orchestration.feel.primary import Primary
from orchestration.feel.source import FeelSyntaxError
from orchestration.feel.type_parser import parse_type
from orchestration.feel.types import FeelType

_COMPARISON = re.compile(r"<=|>=|!=|<|>|=")
_PARAMETER_STOP = re.compile(r"\s*[:,)]")
_IN_STOP = re.compile(r"\s+in\b")
_COLON_STOP = re.compile(r"\s*:")
_PATH_NAME = re.compile(IDENTIFIER)
_LOGIC = {"or": 1, "and": 2}
_COMPARING = 3
_ADDING = 4
_POWERS = {"+": 4, "-": 4, "*": 5, "/": 5, "**": 6}


class Parser(Primary):
    """One parse of one text."""

    def whole_expression(self) -> tree.Node:
        """Parse the text as a single expression."""
        node = self.expression()
        self._need_end()
        return node

    def whole_unary_tests(self) -> tree.UnaryTestList:
        """Parse the text as the unary tests of a decision table cell."""
        if self.text.strip() in {"-", ""}:
            return tree.UnaryTestList(())
        if self.peek_word() == "not":
            negated = self._negated_tests()
            if negated is not None:
                return negated
        tests = self.tests()
        self._need_end()
        return tree.UnaryTestList(tests)

    def _negated_tests(self) -> tree.UnaryTestList | None:
        self.need_word("not")
        if self.take("("):
            tests = self.tests()
            if self.take(")") and not self.peek():
                return tree.UnaryTestList(tests, is_negated=True)
        self.position = 0
        return None

    def _need_end(self) -> None:
        if self.peek():
            raise self.refuse("unexpected text")

    def tests(self) -> tuple[tree.Node, ...]:
        """Parse positive unary tests, separated by commas."""
        found = [self.test()]
        while self.take(","):
            found.append(self.test())
        return tuple(found)

    @override
    def test(self) -> tree.Node:
        """Parse one positive unary test: an operator with an operand, or any expression."""
        operator = self.match(_COMPARISON)
        if operator:
            return tree.Test(operator, self.binary(_ADDING))
        return self.expression()

    @override
    def expression(self) -> tree.Node:
        """Parse the most general expression.

        Raises:
            FeelSyntaxError: there is none here, or it nests too deeply.
        """
        with self.nesting(), self.range_end(is_here=False):
            match self.peek_word():
                case "for":
                    return self._for()
                case "some" | "every":
                    return self._quantified()
                case "if":
                    return self._if()
                case _:
                    return self.binary(0)

    def _if(self) -> tree.Node:
        if self.is_known_special():
            return self.binary(0)
        self.need_word("if")
        condition = self.expression()
        self.need_word("then")
        consequence = self.expression()
        self.need_word("else")
        return tree.If(condition, consequence, self.expression())

    def _for(self) -> tree.Node:
        self.need_word("for")
        self.names.push({"partial"})
        iterations = self._iterations()
        self.need_word("return")
        body = self.expression()
        self.names.pop()
        return tree.For(iterations, body)

    def _quantified(self) -> tree.Node:
        is_universal = self.take_word("every")
        if not is_universal:
            self.need_word("some")
        self.names.push(())
        iterations = self._iterations()
        self.need_word("satisfies")
        body = self.expression()
        self.names.pop()
        return tree.Quantified(is_universal, iterations, body)

    def _iterations(self) -> tuple[tree.Iteration, ...]:
        found = []
        while True:
            name = self.new_name(_IN_STOP)
            self.need_word("in")
            source = self.expression()
            end = self.expression() if self.take("..") else None
            found.append(tree.Iteration(name, source, end))
            self.names.add(name)
            if not self.take(","):
                return tuple(found)

    @override
    def binary(self, floor: int) -> tree.Node:
        """Parse operators that bind at least as tightly as `floor`."""
        left = self._negation()
        while True:
            grown = self._grow(left, floor)
            if grown is None:
                return left
            left = grown

    def _grow(self, left: tree.Node, floor: int) -> tree.Node | None:
        word = self.peek_word()
        if word in _LOGIC:
            power = _LOGIC[word]
            if power < floor:
                return None
            self.need_word(word)
            return tree.Logic(word, left, self.binary(power + 1))
        if word in {"between", "in"}:
            return self._range_comparison(left, word) if floor <= _COMPARING else None
        return self._symbol(left, floor)

    def _symbol(self, left: tree.Node, floor: int) -> tree.Node | None:
        here = self.past_space()
        comparison = self.match(_COMPARISON)
        if comparison:
            if floor > _COMPARING:
                self.position = here
                return None
            return tree.Binary(comparison, left, self.binary(_ADDING))
        symbol = "**" if self.is_at("**") else self.peek()
        power = _POWERS.get(symbol)
        if power is None or power < floor:
            return None
        self.need(symbol)
        return tree.Binary(symbol, left, self.binary(power + 1))

    def _range_comparison(self, left: tree.Node, word: str) -> tree.Node:
        self.need_word(word)
        if word == "between":
            low = self.binary(_ADDING)
            self.need_word("and")
            return tree.Between(left, low, self.binary(_ADDING))
        return tree.In(left, self._in_tests())

    def _in_tests(self) -> tuple[tree.Node, ...]:
        if self.take("("):
            tests = self.tests()
            if len(tests) == 1 and self.take(".."):
                return (self.range_from("(", tests[0]),)
            self.need(")")
            return tests
        operator = self.match(_COMPARISON)
        operand = self.binary(_ADDING)
        return (tree.Test(operator, operand) if operator else operand,)

    def _negation(self) -> tree.Node:
        with self.nesting():
            if self.is_at("-"):
                self.need("-")
                return tree.Negation(self._negation())
            return self._instance()

    def _instance(self) -> tree.Node:
        node = self._postfix()
        while self.take_word("instance"):
            self.need_word("of")
            node = tree.InstanceOf(node, parse_type(self))
        return node

    def _postfix(self) -> tree.Node:
        node = self.primary()
        while True:
            symbol = self.peek()
            if symbol == "." and self.peek(2) != "..":
                self.need(".")
                node = tree.Path(node, self._path_name())
            elif symbol == "[" and self.is_filter_ahead():
                node = self._filter(node)
            elif symbol == "(" and not isinstance(node, tree.Literal | tree.RangeLiteral):
                node = self._call(node)
            else:
                return node

    def _path_name(self) -> str:
        special = self.take_known(self.members)
        name = special or self.match(_PATH_NAME)
        if name is None:
            raise self.refuse("expected a name")
        return name

    def _filter(self, source: tree.Node) -> tree.Node:
        self.need("[")
        self.names.push({"item", *self.member_names})
        condition = self.expression()
        self.names.pop()
        self.need("]")
        return tree.Filter(source, condition)

    def _call(self, function: tree.Node) -> tree.Node:
        self.need("(")
        positional: list[tree.Node] = []
        named: list[tuple[str, tree.Node]] = []
        while not self.take(")"):
            if positional or named:
                self.need(",")
            name = self._argument_name()
            if name is None:
                positional.append(self.expression())
            else:
                named.append((name, self.expression()))
        if positional and named:
            raise self.refuse("positional and named arguments in one call")
        return tree.Call(function, tuple(positional), tuple(named))

    def _argument_name(self) -> str | None:
        here = self.past_space()
        try:
            name = self.new_name(_COLON_STOP)
        except FeelSyntaxError:
            self.position = here
            return None
        if self.take(":"):
            return name
        self.position = here
        return None

    @override
    def lambda_(self) -> tree.Node:
        """Parse `function(a: number, b) body`, the word already read."""
        self.need("(")
        parameters: list[tuple[str, FeelType | None]] = []
        while not self.take(")"):
            if parameters:
                self.need(",")
            name = self.new_name(_PARAMETER_STOP)
            parameters.append((name, parse_type(self) if self.take(":") else None))
        is_external = self.take_word("external")
        self.names.push(name for name, _ in parameters)
        body = self.expression()
        self.names.pop()
        return tree.Lambda(tuple(parameters), body, is_external)

    @override
    def context(self) -> tree.Node:
        """Parse a context literal."""
        self.need("{")
        self.names.push(())
        entries: list[tuple[str, tree.Node]] = []
        while not self.take("}"):
            if entries:
                self.need(",")
            quoted = self.match(STRING)
            name = string_value(quoted) if quoted else self.new_name(_COLON_STOP)
            self.need(":")
            entries.append((name, self.expression()))
            self.names.add(name)
            self.add_member(name)
        self.names.pop()
        return tree.ContextLiteral(tuple(entries))


_NO_TYPES: Mapping[str, FeelType] = {}


def parse_expression(
    text: str, names: Iterable[str] = (), types: Mapping[str, FeelType] = _NO_TYPES
) -> tree.Node:
    """Parse one expression; `names` are those in scope, needed where they hold spaces.

    `types` are the named types a model declares.

    Raises:
        FeelSyntaxError: the text is not FEEL.
    """
    return Parser(text, [normalise(name) for name in names], types).whole_expression()


def parse_unary_tests(
    text: str, names: Iterable[str] = (), types: Mapping[str, FeelType] = _NO_TYPES
) -> tree.UnaryTestList:
    """Parse the tests of a decision table cell.

    Raises:
        FeelSyntaxError: the text is not a list of unary tests.
    """
    return Parser(text, [normalise(name) for name in names], types).whole_unary_tests()
