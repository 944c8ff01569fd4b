"""Decision tables: which rules match, and what the hit policy makes of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestration.dmn.model import HitPolicy, Rule, TableBox
from orchestration.dmn.result import MatchedRule
from orchestration.feel.comparison import equal
from orchestration.feel.compiler import Code, is_match
from orchestration.feel.evaluation import Evaluation, Frame
from orchestration.feel.functions import BUILTINS
from orchestration.feel.values import FeelValue


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule ready to run; `tests` leaves out the cells that accept everything."""

    rule: Rule
    index: int
    tests: tuple[tuple[int, Code], ...]
    outputs: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class CompiledTable:
    """A table ready to run; `allowed` by input and `priorities` by output may be None."""

    owner: str
    table: TableBox
    inputs: tuple[Code, ...]
    allowed: tuple[Code | None, ...]
    rules: tuple[CompiledRule, ...]
    priorities: tuple[Code | None, ...]
    defaults: tuple[Code | None, ...]

    def run(self, frame: Frame) -> FeelValue:
        """Make the decision, noting in the evaluation's trace which rules applied."""
        evaluation = frame.evaluation
        values = self._input_values(frame)
        if values is None:
            return None
        evaluation.step(len(self.rules))
        asked = [frame.inner({"?": value}) for value in values]
        matched = [
            rule for rule in self.rules if all(test(asked[at]) is True for at, test in rule.tests)
        ]
        if not matched:
            return self._default(frame)
        return _POLICIES[self.table.hit_policy](self, matched, frame, evaluation)

    def _input_values(self, frame: Frame) -> list[FeelValue] | None:
        values = [code(frame) for code in self.inputs]
        for value, allowed, column in zip(values, self.allowed, self.table.inputs, strict=True):
            if allowed is not None and allowed(frame.inner({"?": value})) is not True:
                frame.evaluation.null(
                    f"{self.owner}: the value of {column.expression.text!r} is not allowed"
                )
                return None
        return values

    def _default(self, frame: Frame) -> FeelValue:
        if not any(self.defaults):
            if self.table.hit_policy is HitPolicy.COLLECT:
                return _collect(self, [], frame, frame.evaluation)
            frame.evaluation.null(f"{self.owner}: no rule matches")
            return None
        return self.shaped([None if code is None else code(frame) for code in self.defaults])

    def shaped(self, outputs: Sequence[FeelValue]) -> FeelValue:
        """Give one output as it is, several as a context by name."""
        columns = self.table.outputs
        if len(columns) == 1:
            return outputs[0]
        return {column.name: value for column, value in zip(columns, outputs, strict=True)}

    def outputs_of(self, rule: CompiledRule, frame: Frame) -> list[FeelValue]:
        """Compute the outputs of a rule that applies."""
        return [code(frame) for code in rule.outputs]

    def note(self, rules: Sequence[CompiledRule], evaluation: Evaluation) -> None:
        """Write down which rules made the result."""
        evaluation.trace.extend(
            MatchedRule(self.owner, each.rule.id, each.index, each.rule.annotations)
            for each in rules
        )


_Rules = list[CompiledRule]


def _unique(
    table: CompiledTable, matched: _Rules, frame: Frame, evaluation: Evaluation
) -> FeelValue:
    table.note(matched, evaluation)
    if len(matched) > 1:
        evaluation.null(f"{table.owner}: more than one rule matches a table of policy UNIQUE")
        return None
    return table.shaped(table.outputs_of(matched[0], frame))


def _any(table: CompiledTable, matched: _Rules, frame: Frame, evaluation: Evaluation) -> FeelValue:
    table.note(matched, evaluation)
    results = [table.shaped(table.outputs_of(rule, frame)) for rule in matched]
    if any(equal(result, results[0]) is not True for result in results):
        evaluation.null(f"{table.owner}: rules that match give different results")
        return None
    return results[0]


def _first(
    table: CompiledTable, matched: _Rules, frame: Frame, evaluation: Evaluation
) -> FeelValue:
    table.note(matched[:1], evaluation)
    return table.shaped(table.outputs_of(matched[0], frame))


def _ordered(
    table: CompiledTable, matched: _Rules, frame: Frame
) -> list[tuple[CompiledRule, FeelValue]]:
    """Sort the matches by the order in which the output columns list their values."""
    ranks = [_ranking(code, frame) for code in table.priorities]
    rows = [(rule, table.outputs_of(rule, frame)) for rule in matched]
    rows.sort(key=lambda row: [rank(value) for rank, value in zip(ranks, row[1], strict=True)])
    return [(rule, table.shaped(outputs)) for rule, outputs in rows]


def _ranking(code: Code | None, frame: Frame) -> Callable[[FeelValue], int]:
    listed = () if code is None else code(frame)
    values = listed if isinstance(listed, tuple) else (listed,)

    def rank(value: FeelValue) -> int:
        matching = (at for at, each in enumerate(values) if is_match(value, each) is True)
        return next(matching, len(values))

    return rank


def _priority(
    table: CompiledTable, matched: _Rules, frame: Frame, evaluation: Evaluation
) -> FeelValue:
    rule, result = _ordered(table, matched, frame)[0]
    table.note([rule], evaluation)
    return result


def _output_order(
    table: CompiledTable, matched: _Rules, frame: Frame, evaluation: Evaluation
) -> FeelValue:
    rows = _ordered(table, matched, frame)
    table.note([rule for rule, _ in rows], evaluation)
    return tuple(result for _, result in rows)


def _rule_order(
    table: CompiledTable, matched: _Rules, frame: Frame, evaluation: Evaluation
) -> FeelValue:
    table.note(matched, evaluation)
    return tuple(table.shaped(table.outputs_of(rule, frame)) for rule in matched)


def _collect(
    table: CompiledTable, matched: _Rules, frame: Frame, evaluation: Evaluation
) -> FeelValue:
    results = _rule_order(table, matched, frame, evaluation)
    aggregation = table.table.aggregation
    if aggregation is None:
        return results
    return BUILTINS[aggregation.lower()].call(evaluation, (results,), {})


_POLICIES: dict[HitPolicy, Callable[[CompiledTable, _Rules, Frame, Evaluation], FeelValue]] = {
    HitPolicy.UNIQUE: _unique,
    HitPolicy.ANY: _any,
    HitPolicy.PRIORITY: _priority,
    HitPolicy.FIRST: _first,
    HitPolicy.RULE_ORDER: _rule_order,
    HitPolicy.OUTPUT_ORDER: _output_order,
    HitPolicy.COLLECT: _collect,
}
