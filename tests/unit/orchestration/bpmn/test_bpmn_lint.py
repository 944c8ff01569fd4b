"""Every fault is found where it is, and not where it is not."""

import pytest

from orchestration.bpmn import Severity, check, parse
from orchestration.bpmn.faults import FAULTS
from tests.unit.orchestration.bpmn.fault_table import ERRORS, WARNINGS
from tests.unit.orchestration.bpmn.faulty import BELL
from tests.unit.orchestration.core.stage import about, boundary, end, flow, node, start, xml

TABLE = {**ERRORS, **WARNINGS}
# What no drawing shows by itself: whether it is to be run, and what stands beside it.
OF_THE_FILE = {
    *("not_executable", "schema_unknown", "step_unknown", "decision_unknown", "process_unknown"),
    *("form_unknown", "nobody_may_do", "node_unknown", "not_judged_wholly"),
}


def found_in(parts):
    return check(parse(xml(*parts, declared=BELL)))


@pytest.mark.parametrize("code", sorted(TABLE))
def test_fault_is_found_at_its_element_with_its_line(code):
    element, faulty, _ = TABLE[code]

    findings = [each for each in found_in(faulty) if each.code == code]

    assert element in {each.element for each in findings}
    assert all(each.severity is FAULTS[code] for each in findings)
    assert all(each.line > 1 and each.words for each in findings)


@pytest.mark.parametrize("code", sorted(TABLE))
def test_nearest_sound_drawing_is_free_of_the_fault(code):
    _, _, sound = TABLE[code]

    assert code not in {each.code for each in found_in(sound)}


def test_table_has_a_case_for_every_fault():
    assert set(TABLE) | OF_THE_FILE == set(FAULTS)
    assert {FAULTS[code] for code in ERRORS} == {Severity.ERROR}
    assert {FAULTS[code] for code in WARNINGS} == {Severity.WARNING}


@pytest.mark.parametrize(
    ("language", "is_run"),
    [("javascript", False), ("https://www.omg.org/spec/DMN/20191111/FEEL/", True), ("feel", True)],
)
def test_a_condition_in_another_language_is_refused(language, is_run):
    text = f'<conditionExpression language="{language}">x</conditionExpression>'
    parts = (
        *(start(), node("exclusiveGateway", "which", default="which-b"), end("a"), end("b")),
        *(flow("start > which"), flow("which > b")),
        f'<sequenceFlow id="f" sourceRef="which" targetRef="a">{text}</sequenceFlow>',
    )

    found = [each.element for each in found_in(parts) if each.code == "language_unsupported"]

    assert found == ([] if is_run else ["f"])


KEYED = '<f:correlation value="= order"/>'


def awaiting(kind: str, extra: str) -> tuple[str, ...]:
    """Draw what waits for a message, with or without a correlation, as `ear`."""
    message = about("message", "m")
    plain = (start(), node("task", "work"), end(), flow("start > work > end"))
    match kind:
        case "receiveTask":
            ear = node(kind, "ear", extra=extra, messageRef="m")
            return (start(), ear, end(), flow("start > ear > end"))
        case "boundaryEvent":
            parts = (boundary("ear", "work", message, extra=extra), end("e2"), flow("ear > e2"))
            return (*plain, *parts)
        case _:
            inner = node("startEvent", "ear", message, extra) + end("out") + flow("ear > out")
            return (*plain, node("subProcess", "sub", inner, triggeredByEvent="true"))


@pytest.mark.parametrize("kind", ["receiveTask", "boundaryEvent", "startEvent"])
def test_every_place_that_awaits_a_message_is_asked_for_its_correlation(kind):
    doubted = [
        [each.element for each in found_in(awaiting(kind, extra)) if "correlation" in each.code]
        for extra in ("", KEYED)
    ]

    assert doubted == [["ear"], []]


def test_a_message_that_begins_a_process_needs_no_correlation():
    begun = node("startEvent", "start", about("message", "m"))
    by_task = node("receiveTask", "start", messageRef="m", instantiate="true")

    for first in (begun, by_task):
        found = found_in((first, end(), flow("start > end")))
        assert "correlation_missing" not in {each.code for each in found}


def test_drawing_that_is_only_drawn_says_so():
    source = xml(start(), end(), flow("start > end"))

    drawn = parse(source.replace(b'isExecutable="true"', b""))

    assert [each.code for each in check(drawn)] == ["not_executable"]
    assert check(parse(source)) == ()


def test_large_drawing_is_judged_within_its_bound():
    def tower(height: int) -> tuple[str, ...]:
        parts = [start()]
        last = "start"
        for level in range(height):
            fork, join = f"f{level}", f"j{level}"
            parts += [node("inclusiveGateway", fork, default=f"{fork}-{fork}a")]
            parts += [node("inclusiveGateway", join), flow(f"{last} > {fork}")]
            for way in "abcdef":
                name = f"{fork}{way}"
                condition = None if way == "a" else "x"
                parts += [node("task", name), flow(f"{fork} > {name}", condition)]
                parts += [flow(f"{name} > {join}")]
            last = join
        return (*parts, end(), flow(f"{last} > end"))

    assert [each for each in found_in(tower(60)) if each.severity is Severity.ERROR] == []


def test_drawing_too_large_to_be_played_says_so_and_is_looked_at_as_drawn():
    parts = [start()]
    last = "start"
    for level in range(40):
        fork, join = f"f{level}", f"j{level}"
        parts += [node("inclusiveGateway", fork, default=f"{fork}-{fork}a")]
        parts += [node("inclusiveGateway", join), flow(f"{last} > {fork}")]
        for way in "abcdef":
            parts += [node("task", fork + way)]
            parts += [flow(f"{fork} > {fork}{way}", None if way == "a" else "x")]
            parts += [flow(f"{fork}{way} > {join}")]
        last = join
    choice = (
        *(node("exclusiveGateway", "choice", default="choice-l"), node("task", "l")),
        *(node("task", "r"), node("parallelGateway", "both"), end()),
        *(flow(f"{last} > choice"), flow("choice > l > both"), flow("choice > r", "x")),
        flow("r > both > end"),
    )

    found = {(each.code, each.element) for each in found_in((*parts, *choice))}

    assert ("not_judged_wholly", "p") in found
    assert ("dead_join", "both") in found


def test_a_dead_join_beside_a_complex_gateway_is_found():
    condition = "<activationCondition>activationCount > 1</activationCondition>"
    parts = (
        *(start(), node("parallelGateway", "fork"), node("task", "a"), node("task", "b")),
        *(node("complexGateway", "some", condition), node("task", "l"), node("task", "r")),
        *(node("exclusiveGateway", "choice", default="choice-l"), end()),
        *(node("parallelGateway", "both"), flow("start > fork > a > some > choice > l > both")),
        *(flow("fork > b > some"), flow("choice > r", "x"), flow("r > both > end")),
    )

    found = {(each.code, each.element) for each in found_in(parts)}

    assert ("dead_join", "both") in found
    assert ("token_multiplies", "some") not in found


def test_way_across_a_border_into_a_join_is_refused_and_not_played():
    inner = start("in") + node("inclusiveGateway", "join") + end("out")
    parts = (
        *(start(), node("subProcess", "sub", inner + flow("in > join > out")), end()),
        *(flow("start > sub > end"), flow("start > join")),
    )

    assert "flow_crosses_border" in {each.code for each in found_in(parts)}
