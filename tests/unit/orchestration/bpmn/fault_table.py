"""The table of faults: code, its element, a faulty drawing, and the nearest sound one."""

from tests.unit.orchestration.bpmn.faulty import (
    CANCELLED,
    CATCHING,
    EFFECT,
    EVENTS,
    LINKED,
    MULTI,
    ON_CANCEL,
    STRAIGHT,
    SUB,
    UNDO,
    UNDO_ALL,
    UNDONE,
    activation,
    ad_hoc,
    caller,
    condition,
    event_sub,
    gate,
    joined,
    line,
    link,
    sub,
)
from tests.unit.orchestration.core.stage import (
    about,
    boundary,
    end,
    flow,
    node,
    service,
    start,
    timer,
)

TASK = node("task", "work")
CATCH = "intermediateCatchEvent"
XOR, AND = "exclusiveGateway", "parallelGateway"
RETURN = flow("b > end")
VARIABLES = '<extensionElements><f:variable name="a"/></extensionElements>'


def needs(name: str, how: str = "") -> str:
    return service("late", f'<f:input name="x" value="= {name}" {how}/>')


def maybe(late: str) -> tuple[str, ...]:
    """Set `b` on one of two ways to a task."""
    return (
        start(),
        node(XOR, "split", default="split-merge"),
        service("work", '<f:output name="b" value="= result"/>'),
        node(XOR, "merge"),
        late,
        end(),
        flow("start > split > merge > late > end"),
        flow("split > work", "a"),
        flow("work > merge"),
    )


ERRORS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "activation_missing": (
        "work",
        joined("inclusiveGateway", "complexGateway"),
        joined("inclusiveGateway", "complexGateway", inner=activation("activationCount > 1")),
    ),
    "ad_hoc_invalid": ("work", ad_hoc(SUB), ad_hoc(node("task", "one"))),
    "binding_invalid": (
        "work",
        line(node("callActivity", "work", "", '<f:binding version="new"/>', calledElement="q")),
        line(node("callActivity", "work", "", '<f:binding version="3"/>', calledElement="q")),
    ),
    "boundary_invalid": (
        "b",
        line(TASK, boundary("b", "end", timer("PT1H")), RETURN),
        line(TASK, boundary("b", "work", timer("PT1H")), RETURN),
    ),
    "call_missing": ("work", line(service("work", call="pay")), line(service("work"))),
    "called_process_missing": ("work", line(node("callActivity", "work")), caller("q")),
    "cancel_misplaced": (
        "end",
        (start(), end("end", about("cancel")), flow("start > end")),
        line(sub(CANCELLED, "transaction"), ON_CANCEL),
    ),
    "cancel_uncaught": (
        "out",
        line(sub(CANCELLED, "transaction")),
        line(sub(CANCELLED, "transaction"), ON_CANCEL),
    ),
    "compensation_unknown": (
        "back",
        (
            *line(TASK, UNDONE),
            node("intermediateThrowEvent", "back", '<compensateEventDefinition activityRef="no"/>'),
        ),
        (
            *line(TASK, UNDONE),
            node(
                "intermediateThrowEvent", "back", '<compensateEventDefinition activityRef="work"/>'
            ),
        ),
    ),
    "condition_missing": (
        "work-b",
        gate(XOR, ("a", "x"), ("b", None)),
        gate(XOR, ("a", "x"), ("b", None), default="b"),
    ),
    "cyclic_call": ("work", caller("p"), caller("q")),
    "dead_join": ("work", joined(XOR, AND), joined(AND, AND)),
    "decision_missing": (
        "work",
        line(node("businessRuleTask", "work")),
        line(node("businessRuleTask", "work", "", '<f:decision ref="fees.dmn#fee"/>')),
    ),
    "default_missing": (
        "work",
        gate(XOR, ("a", "x"), ("b", "y")),
        gate(XOR, ("a", "x"), ("b", None), default="b"),
    ),
    "condition_not_boolean": (
        "work-a",
        gate(XOR, ("a", "&quot;yes&quot;"), ("b", None), default="b"),
        gate(XOR, ("a", "true"), ("b", None), default="b"),
    ),
    "default_unknown": (
        "work",
        line(node("task", "work", default="other")),
        line(node("task", "work", default="work-end")),
    ),
    "element_unsupported": ("work", line(node("callChoreography", "work")), line(TASK)),
    "end_left": ("end", line(TASK, flow("end > work")), line(TASK)),
    "event_condition_missing": (
        "work",
        line(node(CATCH, "work", about("conditional"))),
        line(node(CATCH, "work", condition("x > 1"))),
    ),
    "event_gateway_invalid": (
        "work",
        line(node("eventBasedGateway", "work")),
        (start(), node("eventBasedGateway", "work"), CATCHING, end(), EVENTS),
    ),
    "event_name_missing": (
        "work",
        line(node(CATCH, "work", about("message"))),
        line(node(CATCH, "work", about("message", "m"))),
    ),
    "event_sub_process_invalid": (
        "extra",
        line(TASK, event_sub(SUB)),
        line(TASK, event_sub(start("in", about("signal", "s")) + end("out") + flow("in > out"))),
    ),
    "event_unsupported": (
        "work",
        line(node(CATCH, "work")),
        line(node(CATCH, "work", timer("PT1H"))),
    ),
    "feel_error": (
        "work",
        line(service("work", '<f:input name="a" value="= 1 +"/>')),
        line(service("work", '<f:input name="a" value="= 1 + 1"/>')),
    ),
    "flow_crosses_border": ("in-end", line(sub(SUB), flow("in > end")), line(sub(SUB))),
    "flow_dangling": ("work-lost", line(TASK, flow("work > lost")), line(TASK)),
    "handler_connected": (
        "undo",
        line(TASK, UNDONE, flow("undo > end")),
        line(TASK, UNDONE),
    ),
    "handler_missing": (
        "c",
        line(TASK, boundary("c", "work", about("compensate"))),
        line(TASK, UNDONE),
    ),
    "language_unsupported": (
        "work",
        line(node("scriptTask", "work", "<script>1</script>", scriptFormat="javascript")),
        line(node("scriptTask", "work", "<script>1</script>", scriptFormat="FEEL")),
    ),
    "link_connected": (
        "throw-x",
        (start(), link("x"), link("x", "Catch"), end(), LINKED, flow("throw-x > end")),
        (start(), link("x"), link("x", "Catch"), end(), LINKED),
    ),
    "link_repeated": (
        "again",
        (
            *(start(), link("x"), link("x", "Catch"), end(), LINKED),
            node(CATCH, "again", '<linkEventDefinition name="x"/>'),
        ),
        (
            *(start(), link("x"), link("x", "Catch"), end(), LINKED),
            node(CATCH, "again", '<linkEventDefinition name="y"/>'),
        ),
    ),
    "link_without_target": (
        "throw-x",
        (start(), link("x"), end(), flow("start > throw-x")),
        (start(), link("x"), link("x", "Catch"), end(), LINKED),
    ),
    "loop_invalid": (
        "work",
        line(node("task", "work", MULTI.format(""))),
        line(node("task", "work", MULTI.format("<loopCardinality>3</loopCardinality>"))),
    ),
    "no_start": ("p", (TASK, end(), flow("work > end")), line(TASK)),
    "repeated_id": ("work", line(TASK, TASK), line(TASK)),
    "retry_invalid": (
        "work",
        line(service("work", '<f:retry jitter="200"/>')),
        line(service("work", '<f:retry attempts="3" jitter="20" fallback="gone"/>')),
    ),
    "script_missing": (
        "work",
        line(node("scriptTask", "work")),
        line(node("scriptTask", "work", "<script>1</script>")),
    ),
    "deadline_invalid": (
        "work",
        line(service("work", '<f:deadline within="soon"/>')),
        line(service("work", '<f:deadline within="PT30S"/>')),
    ),
    "service_level_invalid": (
        "work",
        line(node("userTask", "work", extra='<f:sla due="soon"/>')),
        line(node("userTask", "work", extra='<f:sla due="PT4H"/>')),
    ),
    "priority_invalid": (
        "work",
        line(node("userTask", "work", extra='<f:assignment roles="a" priority="high"/>')),
        line(node("userTask", "work", extra='<f:assignment roles="a" priority="1"/>')),
    ),
    "apart_invalid": (
        "work",
        line(node("serviceTask", "work", extra='<f:task call="read:x" apart="yes"/>')),
        line(node("serviceTask", "work", extra='<f:task call="read:x" apart="true"/>')),
    ),
    "schema_misplaced": (
        "work",
        line(node("userTask", "work", extra='<f:task schema="answer"/>')),
        line(service("work", '<f:task call="read:reference" schema="answer"/>')),
    ),
    "start_entered": ("start", line(TASK, flow("work > start")), line(TASK)),
    "start_not_plain": ("p", line(TASK, start("two"), flow("two > end")), line(TASK)),
    "timer_invalid": (
        "work",
        line(node(CATCH, "work", timer("R3/PT0S", "timeCycle"))),
        line(node(CATCH, "work", timer("R3/PT1S", "timeCycle"))),
    ),
    "unreachable": ("lost", line(TASK, end("lost")), line(TASK)),
    "way_out_missing": (
        "work",
        (start(), node(XOR, "work"), flow("start > work")),
        line(node(XOR, "work")),
    ),
}

WARNINGS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "condition_ignored": (
        "work-a",
        gate(AND, ("a", "x"), ("b", None)),
        gate(AND, ("a", None), ("b", None)),
    ),
    "correlation_missing": (
        "work",
        line(node(CATCH, "work", about("message", "m"))),
        line(node(CATCH, "work", about("message", "m"), '<f:correlation value="= n"/>')),
    ),
    "deadlock_possible": (
        "work",
        (*joined(AND, AND), boundary("f", "b", about("error")), end("e2"), flow("f > e2")),
        joined(AND, AND),
    ),
    "default_conditional": (
        "work-b",
        gate(XOR, ("a", "x"), ("b", "y"), default="b"),
        gate(XOR, ("a", "x"), ("b", None), default="b"),
    ),
    "effect_stays": (
        "work",
        (start(), EFFECT, UNDO_ALL, STRAIGHT),
        (start(), EFFECT, UNDONE, UNDO_ALL, STRAIGHT),
    ),
    "effect_not_undone": (
        "work",
        line(EFFECT),
        line(service("work", "<f:stays/>", call="action:pay")),
    ),
    "flow_repeated": (
        "again",
        line(TASK, '<sequenceFlow id="again" sourceRef="work" targetRef="end"/>'),
        line(TASK),
    ),
    "gateway_superfluous": (
        "work",
        line(node(XOR, "work")),
        gate(XOR, ("a", "x"), ("b", None), default="b"),
    ),
    "handler_unused": ("undo", line(TASK, UNDO), line(TASK, UNDONE)),
    "implicit_end": ("work", (start(), TASK, flow("start > work")), line(TASK)),
    "implicit_join": (
        "b",
        (
            *gate(XOR, ("a", "x"), ("b", None), default="b"),
            '<sequenceFlow id="f" sourceRef="a" targetRef="b"/>',
        ),
        gate(XOR, ("a", "x"), ("b", None), default="b"),
    ),
    "implicit_split": (
        "work",
        line(TASK, end("two"), flow("work > two")),
        line(TASK, end("two"), flow("work > two", "x")),
    ),
    "input_may_be_missing": (
        "late",
        (VARIABLES, *maybe(needs("b"))),
        (VARIABLES, *maybe(needs("b", 'optional="true"'))),
    ),
    "name_missing": ("work", line('<task id="work"/>'), line(TASK)),
    "name_unknown": (
        "work",
        (VARIABLES, *line(service("work", '<f:input name="x" value="= b"/>'))),
        (VARIABLES, *line(service("work", '<f:input name="x" value="= a"/>'))),
    ),
    "nothing_to_compensate": (
        "end",
        (start(), TASK, UNDO_ALL, STRAIGHT),
        (start(), TASK, UNDONE, UNDO_ALL, STRAIGHT),
    ),
    "reference_undeclared": (
        "work",
        line(node(CATCH, "work", about("signal", "other"))),
        line(node(CATCH, "work", about("signal", "s"))),
    ),
    "stuck_possible": (
        "work",
        (start(), TASK, end(), flow("start > work"), flow("work > end", "x")),
        line(TASK),
    ),
    "token_multiplies": ("work", joined(AND, XOR), joined(XOR, XOR)),
}
