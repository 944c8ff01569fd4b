"""Reading the cases of the DMN Technology Compatibility Kit, where its files lie."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from orchestration.dmn import Definitions, ModelRefused, parse
from orchestration.feel.arithmetic import DECIMAL
from orchestration.feel.comparison import equal
from orchestration.feel.temporal_text import (
    parse_date,
    parse_date_time,
    parse_duration,
    parse_time,
)
from orchestration.feel.values import FeelValue, Function
from orchestration.markup import Element, child, children, local_name, read_xml, text_of

REPOSITORY = Path(__file__).resolve().parents[2]
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
INSTANT = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
TOLERANCE = Decimal("1e-8")


def data_folder() -> Path:
    return Path(os.environ.get("FRONTLINE_DATA") or REPOSITORY.parent / "shared" / "data")


@dataclass(frozen=True, slots=True)
class Case:
    """One test case: what is asked of which model, and the results to expect by name."""

    name: str
    target: str | None
    inputs: Mapping[str, FeelValue]
    expected: Mapping[str, FeelValue]


@dataclass(slots=True)
class Score:
    passed: int = 0
    failed: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.passed + len(self.failed)

    def __str__(self) -> str:
        return f"{self.passed} of {self.total} cases"


def run_level(folder: Path) -> Score:
    """Run every case below a folder."""
    score = Score()
    for test_file in sorted(folder.glob("*/*-test-*.xml")):
        model = load(test_file)
        for case in cases_of(test_file):
            fault = fault_of(model, case)
            if fault is None:
                score.passed += 1
            else:
                score.failed.append(f"{test_file.parent.name} {case.name}: {fault}")
    return score


def load(test_file: Path) -> Definitions | str:
    root = read_xml(test_file.read_bytes(), size_max_bytes=10_000_000)
    wanted = test_file.parent / text_of(child(root, "modelName"))
    others = {
        path: path.read_bytes() for path in sorted(test_file.parent.glob("*.dmn")) if path != wanted
    }
    imported: dict[str, Definitions] = {}
    # Imports may nest, so each is read once those it needs have been.
    for _ in others:
        for data in others.values():
            try:
                definitions = parse(data, imported=imported)
            except ModelRefused:
                continue  # What needs it will say so.
            imported[definitions.model.namespace] = definitions
    try:
        return parse(wanted.read_bytes(), imported=imported)
    except ModelRefused as error:
        return str(error)


def cases_of(test_file: Path) -> Iterator[Case]:
    root = read_xml(test_file.read_bytes(), size_max_bytes=10_000_000)
    for case in children(root, "testCase"):
        yield Case(
            name=case.get("id") or "",
            target=case.get("invocableName"),
            inputs={each.get("name") or "": value_of(each) for each in children(case, "inputNode")},
            expected={
                each.get("name") or "": expected_of(each) for each in children(case, "resultNode")
            },
        )


def expected_of(node: Element) -> FeelValue:
    found = child(node, "expected")
    return None if found is None else value_of(found)


def value_of(node: Element) -> FeelValue:
    """Read a value, a list or a context."""
    for each in node:
        match local_name(each):
            case "value":
                return typed_value(each)
            case "list":
                if each.get(NIL) == "true":
                    return None
                return tuple(value_of(item) for item in children(each, "item"))
            case "component":
                return {
                    part.get("name") or "": value_of(part) for part in children(node, "component")
                }
    return None


def typed_value(node: Element) -> FeelValue:
    if node.get(NIL) == "true":
        return None
    text = "".join(node.itertext())
    kind = (node.get(TYPE) or "xsd:string").rpartition(":")[2]
    read = READERS.get(kind)
    return text if read is None else read(text.strip())


READERS: dict[str, Callable[[str], FeelValue]] = {
    **dict.fromkeys(("decimal", "double", "integer", "int", "long", "float"), Decimal),
    **dict.fromkeys(("duration", "dayTimeDuration", "yearMonthDuration"), parse_duration),
    "boolean": lambda text: text == "true",
    "date": parse_date,
    "time": parse_time,
    "dateTime": parse_date_time,
}


def fault_of(model: Definitions | str, case: Case) -> str | None:
    """Give what is wrong with the results of a case, or None."""
    if isinstance(model, str):
        return f"model refused: {model}"
    for name, expected in case.expected.items():
        result = model.evaluate(decision=case.target or name, inputs=case.inputs, at=INSTANT)
        actual = result.outputs
        is_service_part = case.target is not None and len(case.expected) > 1
        if is_service_part and isinstance(actual, Mapping):
            actual = actual.get(name)
        if not is_equal(actual, expected):
            return f"{name} is {actual!r}, expected {expected!r}; {'; '.join(result.reasons[:2])}"
    return None


def is_equal(actual: FeelValue, expected: FeelValue) -> bool:
    """Compare as the kit does: numbers closely, everything else exactly."""
    if isinstance(actual, Decimal) and isinstance(expected, Decimal):
        return abs(DECIMAL.subtract(actual, expected)) <= TOLERANCE
    if isinstance(actual, tuple) and isinstance(expected, tuple):
        return len(actual) == len(expected) and all(map(is_equal, actual, expected))
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        return actual.keys() == expected.keys() and all(
            is_equal(actual[key], expected[key]) for key in expected
        )
    if isinstance(actual, Function):
        return False
    return equal(actual, expected) is True
