"""Tests of decision tables: sample inputs, and what must be decided on them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestration.dmn.result import DecisionModel, DecisionUnknown
from orchestration.feel.values import data_only
from orchestration.plain import feel_mapping, plain
from orchestration.trying.expecting import compared
from orchestration.trying.scenarios import RuleTest


@dataclass(frozen=True, slots=True)
class RuleTestResult:
    """What came of one test: `outputs` is the decision, `rules` are the ids that applied.

    `broken` says what did not come as expected; it passed if there is nothing.
    """

    name: str
    decision: str
    outputs: object
    rules: tuple[str, ...]
    broken: tuple[str, ...]


def decided(test: RuleTest, decisions: Mapping[str, DecisionModel], at: datetime) -> RuleTestResult:
    """Make the decision a test names on its inputs, and hold it against what is expected."""
    file, _, name = test.decision.partition("#")
    model = decisions.get(file)
    try:
        if model is None:
            raise DecisionUnknown(test.decision)
        made = model.evaluate(decision=name, inputs=feel_mapping(test.inputs), at=at)
    except DecisionUnknown:
        words = f"there is no decision {test.decision!r}"
        return RuleTestResult(test.name, test.decision, None, (), (words,))
    outputs = plain(data_only(made.outputs))
    rules = tuple(each.rule for each in made.matched_rules)
    broken = tuple(_broken(test, outputs, rules))
    return RuleTestResult(test.name, test.decision, outputs, rules, broken)


def _broken(test: RuleTest, outputs: object, rules: tuple[str, ...]) -> Iterator[str]:
    if test.rules is not None and tuple(test.rules) != rules:
        wanted, came = (", ".join(names) or "none" for names in (test.rules, rules))
        yield f"expected the rules {wanted}, but {came} applied"
    is_context = isinstance(test.outputs, Mapping) and isinstance(outputs, Mapping)
    wanted_values = test.outputs if is_context else {"result": test.outputs}
    came_values = outputs if is_context else {"result": outputs}
    assert isinstance(wanted_values, Mapping)
    assert isinstance(came_values, Mapping)
    for path, value in wanted_values.items():
        yield from (each.words for each in compared((path,), path, value, came_values))
