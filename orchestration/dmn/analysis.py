"""What is wrong with a decision table before anyone relies on it.

Gaps no rule covers, rules that contradict each other under the table's hit policy, and rules that
can never apply; each with the rules it concerns and, for a gap or an overlap, a case that shows it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestration.dmn.columns import (
    Cell,
    ColumnUnclear,
    Region,
    accepts,
    constant,
    read_cell,
    regions_of,
)
from orchestration.dmn.errors import Severity, TableFinding
from orchestration.dmn.model import HitPolicy, Model, Rule, TableBox
from orchestration.dmn.table_walk import names_of, tables_of
from orchestration.dmn.typing import values_allowed
from orchestration.feel import FeelSyntaxError, tree
from orchestration.feel.comparison import equal
from orchestration.feel.parser import parse_expression
from orchestration.feel.reads import reads_of

RULES_MAX = 500
PLACES_MAX = 50_000
SHOWN_MAX = 5
_SINGLE = {HitPolicy.UNIQUE, HitPolicy.ANY, HitPolicy.PRIORITY, HitPolicy.FIRST}


class _TooLarge(Exception):
    """There are more combinations than are looked at."""

    code = "table_too_large"
    is_retryable = False


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: its regions, and for each of them the rules that surely and maybe accept it."""

    name: str
    regions: tuple[Region, ...]
    surely: tuple[int, ...]
    maybe: tuple[int, ...]


def analyse(model: Model) -> tuple[TableFinding, ...]:
    """List what is wrong with the tables of a model; what was not looked into says so."""
    names = names_of(model)
    return tuple(
        finding
        for owner, table in tables_of(model)
        for finding in _Table(owner, table).look(names, model)
    )


@dataclass(slots=True)
class _Table:
    owner: str
    table: TableBox
    places: int = 0

    def look(self, names: frozenset[str], model: Model) -> Iterator[TableFinding]:
        """Give the findings of one table."""
        if len(self.table.rules) > RULES_MAX:
            yield self._unseen(f"it has more than {RULES_MAX} rules")
            return
        cells = [
            [read_cell(rule.tests[at], names) for rule in self.table.rules]
            for at in range(len(self.table.inputs))
        ]
        yield from self._unread(cells)
        try:
            columns = [self._column(at, cells[at], names, model) for at in range(len(cells))]
        except ColumnUnclear:
            yield self._unseen("a column mixes values of several types, or of one without order")
            return
        try:
            yield from self._gaps(columns)
            yield from self._never(columns, names)
            yield from self._overlaps(columns, names)
        except _TooLarge:
            yield self._unseen(f"it has more than {PLACES_MAX:,} combinations to look at")

    # Findings in words.

    def _finding(
        self,
        code: str,
        severity: Severity,
        words: str,
        rules: Sequence[int] = (),
        example: dict[str, str] | None = None,
    ) -> TableFinding:
        line = self.table.rules[rules[-1] - 1].line if rules else self.table.line
        return TableFinding(
            code=code,
            severity=severity,
            table=self.owner,
            element=self.table.id,
            line=line,
            rules=tuple(rules),
            words=f"Table {self.owner!r}: {words}",
            example=example or {},
        )

    def _unseen(self, why: str) -> TableFinding:
        return self._finding("not_analysed", Severity.NOTE, f"not analysed, because {why}.")

    def _unread(self, cells: list[list[Cell]]) -> Iterator[TableFinding]:
        for column, each in zip(self.table.inputs, cells, strict=True):
            unread = [at for at, cell in enumerate(each, 1) if cell.tests is None]
            if unread:
                words = (
                    f"{_listed(unread)} of the column {column.expression.text!r} depends on more"
                    " than the value itself and was taken to accept it perhaps."
                )
                yield self._finding("cell_not_analysed", Severity.NOTE, words, unread)

    # Regions.

    def _column(self, at: int, cells: list[Cell], names: frozenset[str], model: Model) -> _Column:
        drawn = self.table.inputs[at]
        allowed_text = drawn.allowed or values_allowed(model, drawn.type_ref)
        allowed = read_cell(allowed_text, names) if allowed_text else None
        regions = regions_of(cells, allowed, (drawn.type_ref or "").rpartition(":")[2])
        surely, maybe = [0] * len(regions), [0] * len(regions)
        for number, cell in enumerate(cells):
            for place, region in enumerate(regions):
                if cell.tests is None or accepts(cell.tests, region.sample):
                    maybe[place] |= 1 << number
                    surely[place] |= (cell.tests is not None) << number
        return _Column(drawn.expression.text, regions, tuple(surely), tuple(maybe))

    def _uncovered(
        self, columns: Sequence[_Column], cover: int, within: int | None = None
    ) -> Iterator[dict[str, str]]:
        """Give cases that none of the covering rules accepts, inside the box of one rule if told.

        Raises:
            _TooLarge: too many places had to be looked at.
        """
        seen: set[tuple[int, int]] = set()

        def walk(at: int, active: int, path: dict[str, str]) -> Iterator[dict[str, str]]:
            self.places += 1
            if self.places > PLACES_MAX:
                raise _TooLarge
            if not active:
                yield path
            if not active or at == len(columns) or (at, active) in seen:
                return
            seen.add((at, active))
            column = columns[at]
            masks = column.maybe if within is None else column.surely
            tried: set[int] = set()
            for region, mask, own in zip(column.regions, masks, column.surely, strict=True):
                if within is not None and not own >> within & 1:
                    continue
                left = active & mask
                if left not in tried:
                    yield from walk(at + 1, left, {**path, column.name: region.words})
                # Neighbours that no rule takes are one gap, but another gap may follow.
                tried = {*tried, left} - ({0} if left else set())

        yield from walk(0, cover, {})

    # Judgements.

    def _gaps(self, columns: Sequence[_Column]) -> Iterator[TableFinding]:
        has_default = all(column.default is not None for column in self.table.outputs)
        if self.table.hit_policy not in _SINGLE or has_default:
            return
        everyone = (1 << len(self.table.rules)) - 1
        for count, example in enumerate(self._uncovered(columns, everyone)):
            if count == SHOWN_MAX:
                return
            words = f"no rule covers {_case(example)}."
            yield self._finding("gap", Severity.WARNING, words, (), example)

    def _never(self, columns: Sequence[_Column], names: frozenset[str]) -> Iterator[TableFinding]:
        del names
        for number in range(len(self.table.rules)):
            empty = [c.name for c in columns if not any(m >> number & 1 for m in c.maybe)]
            if empty:
                words = (
                    f"rule {number + 1} never applies: no value of {empty[0]!r} passes its test."
                )
                yield self._finding("unreachable", Severity.WARNING, words, [number + 1])
            elif self._is_read(columns, number) and self.table.hit_policy is HitPolicy.FIRST:
                yield from self._hidden(columns, number)

    def _is_read(self, columns: Sequence[_Column], number: int) -> bool:
        return all(any(mask >> number & 1 for mask in column.surely) for column in columns)

    def _hidden(self, columns: Sequence[_Column], number: int) -> Iterator[TableFinding]:
        earlier = (1 << number) - 1
        if next(self._uncovered(columns, earlier, within=number), None) is None:
            words = f"rule {number + 1} never applies: the rules before it take every case of it."
            yield self._finding("unreachable", Severity.WARNING, words, [number + 1])

    def _overlaps(
        self, columns: Sequence[_Column], names: frozenset[str]
    ) -> Iterator[TableFinding]:
        if self.table.hit_policy not in {HitPolicy.UNIQUE, HitPolicy.ANY}:
            return
        shown = 0
        for one in range(len(self.table.rules)):
            for other in range(one + 1, len(self.table.rules)):
                example = _shared(columns, one, other)
                if example is None:
                    continue
                finding = self._overlap(one, other, example, names)
                if finding is not None:
                    yield finding
                    shown += 1
                if shown == SHOWN_MAX:
                    return

    def _overlap(
        self, one: int, other: int, example: dict[str, str], names: frozenset[str]
    ) -> TableFinding | None:
        rules = [one + 1, other + 1]
        case = _case(example)
        if self.table.hit_policy is HitPolicy.UNIQUE:
            words = f"rules {rules[0]} and {rules[1]} both apply to {case}, and only one may."
            return self._finding("overlap", Severity.ERROR, words, rules, example)
        same = _same_outputs(self.table.rules[one], self.table.rules[other], names)
        if same is True:
            return None
        words = f"rules {rules[0]} and {rules[1]} both apply to {case} and "
        words += "give different results." if same is False else "may give different results."
        severity = Severity.ERROR if same is False else Severity.WARNING
        return self._finding("overlap", severity, words, rules, example)


def _shared(columns: Sequence[_Column], one: int, other: int) -> dict[str, str] | None:
    """Give a case two rules both surely accept."""
    both = 1 << one | 1 << other
    example: dict[str, str] = {}
    for column in columns:
        at = next((at for at, mask in enumerate(column.surely) if mask & both == both), None)
        if at is None:
            return None
        example[column.name] = column.regions[at].words
    return example


def _same_outputs(one: Rule, other: Rule, names: frozenset[str]) -> bool | None:
    """Compare what two rules give; None when that depends on the case."""
    answers: list[bool | None] = []
    for left, right in zip(one.outputs, other.outputs, strict=True):
        if left.text == right.text:
            answers.append(True)
            continue
        parsed = [_parsed(each.text, names) for each in (left, right)]
        if any(node is None for node in parsed):
            answers.append(None)
        else:
            values = [constant(node) for node in parsed if node is not None]
            answers.append(equal(values[0], values[1]) is True)
    return False if False in answers else None if None in answers else True


def _parsed(text: str, names: frozenset[str]) -> tree.Node | None:
    try:
        node = parse_expression(text, names)
    except FeelSyntaxError:
        return None
    return None if reads_of(node) else node


def _case(example: dict[str, str]) -> str:
    return " and ".join(f"{name} = {words}" for name, words in example.items()) or "any case"


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:SHOWN_MAX]))
    more = " and more" if len(numbers) > SHOWN_MAX else ""
    return f"rule {shown}{more}" if len(numbers) == 1 else f"rules {shown}{more}"
