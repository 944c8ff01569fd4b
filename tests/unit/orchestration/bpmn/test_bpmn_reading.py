"""Drawings are read as drawn, and what keeps one from running is named with its place."""

import pytest

from orchestration.bpmn import DrawingRefused, Severity, check, parse
from orchestration.bpmn.model import EventType, Kind
from orchestration.core import deploy
from tests.unit.orchestration.core.stage import (
    about,
    boundary,
    end,
    flow,
    node,
    service,
    start,
    timer,
    xml,
)


def findings(*parts: str, declared: str = "", also: str = "") -> dict[str, str]:
    """The errors of a drawing: the first code by element."""
    found: dict[str, str] = {}
    for each in check(parse(xml(*parts, declared=declared, also=also))):
        if each.severity is Severity.ERROR:
            found.setdefault(each.element, each.code)
    return found


def warnings(*parts: str) -> set[tuple[str, str]]:
    return {
        (each.code, each.element)
        for each in check(parse(xml(*parts)))
        if each.severity is Severity.WARNING
    }


def test_drawing_keeps_the_file_and_everything_it_does_not_run():
    source = xml(
        '<laneSet id="ls"><lane id="l" name="Desk">'
        "<flowNodeRef>work</flowNodeRef></lane></laneSet>",
        start(),
        node("userTask", "work"),
        end(),
        '<textAnnotation id="ta"/><dataObjectReference id="do"/>',
        flow("start > work > end"),
        also='<process id="other"/>',
    )

    drawing = parse(source)

    assert drawing.xml == source
    assert drawing.kept == {"textAnnotation": 1, "dataObjectReference": 1}
    process = drawing.process()
    assert process.id == "p"
    assert process.nodes["work"].lane == "Desk"
    assert process.nodes["work"].incoming == ("start-work",)
    assert [each.kind for each in process.nodes.values()] == [Kind.START, Kind.USER, Kind.END]


def test_events_find_their_declared_names():
    drawing = parse(
        xml(
            start(),
            service("work"),
            boundary("b", "work", about("error", "e1"), interrupting=True),
            end("done", about("message", "q:m")),
            flow("start > work > done"),
            declared='<error id="e1" errorCode="no_funds"/><message id="m" name="paid"/>',
        )
    )

    nodes = drawing.process().nodes
    assert (nodes["b"].event.type, nodes["b"].event.name) == (EventType.ERROR, "no_funds")
    assert nodes["b"].attached_to == "work"
    assert nodes["done"].event.name == "paid"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"", "not_well_formed"),
        (b"<definitions", "not_well_formed"),
        (b"<definitions/>", "not_bpmn"),
        (b'<!DOCTYPE d [<!ENTITY a "b">]><d>&a;</d>', "has_document_type"),
        (b'<!DOCTYPE d SYSTEM "http://127.0.0.1/x"><d/>', "has_document_type"),
        (b" " * 2_000_001, "too_large"),
        (xml("<subProcess>" * 30 + "</subProcess>" * 30), "nests_too_deeply"),
    ],
)
def test_what_is_no_safe_drawing_is_refused(source, code):
    with pytest.raises(DrawingRefused) as refused:
        parse(source)

    assert refused.value.code == code


STRAIGHT = flow("start > work > end")


@pytest.mark.parametrize(
    ("task", "code"),
    [
        (node("serviceTask", "work"), "call_missing"),
        (service("work", call="python:os.system"), "call_missing"),
        (service("work", call="action:Payments"), "call_missing"),
        (node("businessRuleTask", "work"), "decision_missing"),
        (node("scriptTask", "work"), "script_missing"),
        (node("callActivity", "work"), "called_process_missing"),
        (node("receiveTask", "work"), "event_name_missing"),
        (node("transaction", "work"), "no_start"),
        (node("callChoreography", "work"), "element_unsupported"),
        (node("task", "work", "<standardLoopCharacteristics/>"), "loop_invalid"),
        (node("task", "work", "<multiInstanceLoopCharacteristics/>"), "loop_invalid"),
        (service("work", '<f:retry attempts="0"/>'), "retry_invalid"),
        (service("work", '<f:retry attempts="many"/>'), "retry_invalid"),
        (service("work", '<f:retry backoff="soon"/>'), "retry_invalid"),
        (service("work", '<f:retry fallback=""/>'), "retry_invalid"),
        (service("work", '<f:retry fallback="not reached"/>'), "retry_invalid"),
        (node("userTask", "work", extra='<f:retry fallback="not_reached"/>'), "retry_invalid"),
        (
            node("serviceTask", "work", extra='<f:task call="action:a.b" apart="true"/>'),
            "apart_invalid",
        ),
        (node("serviceTask", "work", extra='<f:task call="model:a.b" apart=""/>'), "apart_invalid"),
        (node("userTask", "work", extra='<f:task apart="true"/>'), "apart_invalid"),
        (service("work", '<f:input name="a" value="= 1 +"/>'), "feel_error"),
        (node("userTask", "work", extra='<f:sla due="4 hours"/>'), "service_level_invalid"),
        (node("intermediateCatchEvent", "work", timer("tomorrow")), "timer_invalid"),
        (node("intermediateCatchEvent", "work", timer("3 times", "timeCycle")), "timer_invalid"),
        (node("intermediateCatchEvent", "work"), "event_unsupported"),
        (node("intermediateCatchEvent", "work", about("link")), "event_name_missing"),
        (node("intermediateThrowEvent", "work", about("signal")), "event_name_missing"),
        (node("exclusiveGateway", "work") + flow("work > other") + end("other"), None),
        (node("eventBasedGateway", "work"), "event_gateway_invalid"),
    ],
)
def test_node_that_cannot_run_is_named(task, code):
    found = findings(start(), task, end(), STRAIGHT)

    if code is None:
        assert found == {
            "work-end": "condition_missing",
            "work-other": "condition_missing",
            "work": "default_missing",
        }
    else:
        assert found["work"] == code


@pytest.mark.parametrize(
    ("guard", "code"),
    [
        (boundary("b", "nowhere", timer("PT1H")), "boundary_invalid"),
        (boundary("b", "end", timer("PT1H")), "boundary_invalid"),
        (boundary("b", "work", about("error"), interrupting=False), "boundary_invalid"),
        (boundary("b", "work", about("compensate")), "boundary_invalid"),
        (boundary("b", "work", about("conditional")), "event_condition_missing"),
        (boundary("b", "work", about("terminate")), "event_unsupported"),
        (boundary("b", "work", timer("PT1H") + about("compensate")), "event_unsupported"),
    ],
)
def test_boundary_event_that_cannot_run_is_named(guard, code):
    found = findings(start(), service("work"), guard, end(), STRAIGHT, flow("b > end"))

    assert found["b"] == code


def test_structure_faults_are_found():
    assert findings(service("work")) == {"p": "no_start", "work": "unreachable"}
    assert findings(start(), start("again"), end(), flow("start > end"))["p"] == "start_not_plain"
    assert findings(start(), end(), flow("start > end"), end("lost"))["lost"] == "unreachable"
    assert findings(start(), end(), flow("start > nowhere"))["start-nowhere"] == "flow_dangling"


def test_repeated_ids_can_be_read_but_not_run():
    parts = (start(), service("work"), service("work", call="x"), end(), STRAIGHT, STRAIGHT)

    drawing = parse(xml(*parts))

    assert drawing.process().nodes["work"].work.call == "read:thing"
    assert {each for each, _ in drawing.process().repeated} == {"work", "start-work", "work-end"}
    with pytest.raises(DrawingRefused) as refused:
        deploy(drawing)
    assert refused.value.code == "repeated_id"


def test_flow_may_not_cross_the_border_of_a_sub_process():
    inner = start("in") + end("out") + flow("in > out")

    found = findings(
        start(),
        node("subProcess", "sub", inner),
        end(),
        flow("start > sub > end"),
        flow("in > end"),
    )

    assert found["in-end"] == "flow_crosses_border"


def test_join_that_can_never_open_is_found():
    found = findings(
        start(),
        node("exclusiveGateway", "which", default="which-b"),
        service("a"),
        service("b"),
        node("parallelGateway", "join"),
        end(),
        flow("start > which"),
        flow("which > a", "x"),
        flow("which > b > join > end"),
        flow("a > join"),
    )

    assert found == {"join": "dead_join"}


def test_processes_that_call_each_other_in_a_circle_are_found():
    def caller(target: str) -> tuple[str, ...]:
        return (start(), node("callActivity", "work", calledElement=target), end(), STRAIGHT)

    assert findings(*caller("p"))["work"] == "cyclic_call"
    assert findings(*caller("q")) == {}


def test_doubts_are_warnings_and_do_not_stop_a_drawing():
    parts = (
        start(),
        '<userTask id="work"/>',
        end(),
        end("other"),
        flow("start > work"),
        flow("work > end", "a"),
        flow("work > other", "not(a)"),
    )

    assert warnings(*parts) == {("stuck_possible", "work"), ("name_missing", "work")}
    assert deploy(parse(xml(*parts))).process.id == "p"


def test_deploying_a_faulty_drawing_names_every_fault_and_line():
    drawing = parse(xml(start(), service("work", call="x"), end("lost"), flow("start > work")))

    with pytest.raises(DrawingRefused) as refused:
        deploy(drawing)

    codes = {(each.code, each.element) for each in refused.value.findings}
    assert codes == {("call_missing", "work"), ("unreachable", "lost")}
    assert all(each.line > 1 for each in refused.value.findings)


def test_deploying_needs_a_process_to_choose():
    drawing = parse(xml(start(), end(), flow("start > end")))

    assert deploy(drawing, process="p").digest == deploy(drawing).digest
    with pytest.raises(DrawingRefused) as refused:
        deploy(drawing, process="q")
    assert refused.value.code == "no_process"
