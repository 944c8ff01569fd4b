"""A flow that names what is not there is not published, and says where."""

from dataclasses import replace

import pytest

from orchestration.bpmn.errors import DrawingRefused
from orchestration.dmn import ModelRefused
from orchestration.durable.publication import publish
from orchestration.journeys import FlowContent, FlowSource
from orchestration.public import TaskFilters, complete, incidents, tasks
from tests.layers.orchestration.flows import AT, HEAD
from tests.unit.orchestration.dmn.models import NAMESPACE, decision, input_data, model

FORM = {"type": "object", "properties": {}}


def drawn(work: str, lanes: str = "") -> str:
    body = (
        f'{lanes}<startEvent id="s"/>{work}<endEvent id="e"/>'
        '<sequenceFlow id="a" sourceRef="s" targetRef="w"/>'
        '<sequenceFlow id="b" sourceRef="w" targetRef="e"/>'
    )
    return f'{HEAD}\n<process id="p" isExecutable="true">\n{body}</process></definitions>'


def source(work, rules=None, lanes="", **content) -> FlowSource:
    told = FlowContent(drawing="p.bpmn", title="T", summary="S.", purpose="servicing", **content)
    return FlowSource("test", "p", drawn(work, lanes), rules or {}, told, {"known": FORM})


def service(call: str) -> str:
    return element("serviceTask", f'<frontline:task call="{call}"/>')


def element(tag: str, inside: str) -> str:
    extended = f"<extensionElements>{inside}</extensionElements>"
    return f'<{tag} id="w" name="Work">{extended}</{tag}>'


def person(inside: str) -> str:
    return element("userTask", inside)


def lane(name: str) -> str:
    return (
        f'<laneSet id="ls"><lane id="l" name="{name}"><flowNodeRef>w</flowNodeRef></lane></laneSet>'
    )


BY_OPERATIONS = '<frontline:assignment roles="operations"/>'
RULE = element("businessRuleTask", '<frontline:decision ref="{}"/>')
REFERENCE = service("read:reference")


@pytest.mark.parametrize(
    ("code", "faulty", "sound"),
    [
        ("step_unknown", service("read:nothing.at.all"), REFERENCE),
        ("step_unknown", service("agent:x"), service("model:fraud.payments")),
        ("step_unknown", service("action:pay.everybody"), service("action:payments.transfer")),
        ("decision_unknown", RULE.format("no.dmn#x"), RULE.format("r.dmn#d")),
        ("decision_unknown", RULE.format("r.dmn#x"), RULE.format("r.dmn#_d")),
        ("nobody_may_do", person(""), person(BY_OPERATIONS)),
        (
            "nobody_may_do",
            person('<frontline:assignment roles="operations, kings"/>'),
            person('<frontline:assignment roles="= who"/>'),
        ),
        (
            "form_unknown",
            person(BY_OPERATIONS + '<frontline:form key="no_such_form"/>'),
            person(BY_OPERATIONS + '<frontline:form key="known"/>'),
        ),
    ],
)
def test_what_is_not_there_refuses_the_flow_at_its_element(flows, code, faulty, sound):
    rules = {"r.dmn": model(input_data("x", "number"), decision("d", "x", "x")).decode()}

    with pytest.raises(DrawingRefused) as refused:
        publish(source(faulty, rules))

    (finding,) = refused.value.findings
    assert (finding.code, finding.element, finding.line) == (code, "w", 3)
    publish(source(sound, rules))


def test_a_lane_is_a_role_the_bank_has(flows):
    with pytest.raises(DrawingRefused, match="no role 'Back office'"):
        publish(source(person(""), lanes=lane("Back office")))

    publish(source(person(""), lanes=lane("operations")))


@pytest.mark.parametrize("place", ["says", "notes", "states", "owners", "cards"])
def test_what_is_said_at_no_node_refuses_the_flow(flows, place):
    said = {"kind": "receipt", "details": {}} if place == "cards" else "operations"

    with pytest.raises(DrawingRefused) as refused:
        publish(source(REFERENCE, **{place: {"elsewhere": said}}))

    assert [(each.code, each.element) for each in refused.value.findings] == [
        ("node_unknown", "elsewhere")
    ]
    publish(source(REFERENCE, **{place: {"w": said}}))


def test_an_owner_the_bank_does_not_have_refuses_the_flow(flows):
    with pytest.raises(DrawingRefused) as refused:
        publish(source(REFERENCE, owners={"*": "kings"}))

    assert refused.value.code == "nobody_may_do"
    publish(source(REFERENCE, owners={"*": "operations", "w": "person:employee:7"}))


def file(namespace: str, *parts: str) -> str:
    root = f'<definitions xmlns="{NAMESPACE}" namespace="{namespace}" name="{namespace}">'
    return f"{root}\n{''.join(parts)}</definitions>"


def over(text: str, *links: str) -> str:
    needs = "".join(
        f'<informationRequirement><requiredDecision href="{each}"/></informationRequirement>'
        for each in links
    )
    return (
        f'<decision id="rate" name="rate"><variable name="rate"/>{needs}'
        f"<literalExpression><text>{text}</text></literalExpression></decision>"
    )


IMPORT = f'<import name="base" namespace="base" importType="{NAMESPACE}"/>'
TOP = file("top", IMPORT, over("base.rate * 10", "base#rate"))
IMPORTING = source(
    RULE.format("top.dmn#rate"), {"top.dmn": TOP, "base.dmn": file("base", over("2"))}
)


def test_a_rule_file_reads_another_of_the_same_flow(flows):
    flow = publish(IMPORTING)

    assert flow.decisions["top.dmn"].evaluate(decision="rate", inputs={}).outputs == 20


@pytest.mark.parametrize(
    "rules",
    [
        {"top.dmn": TOP},
        {"top.dmn": TOP, "base.dmn": file("base", over("2").replace('id="rate"', 'id="other"'))},
        {"top.dmn": TOP, "base.dmn": file("base", IMPORT.replace("base", "top"), over("2"))},
    ],
)
def test_rules_that_lean_on_what_is_not_there_refuse_the_flow(flows, rules):
    with pytest.raises(ModelRefused) as refused:
        publish(replace(IMPORTING, rules=rules))

    assert {each.code for each in refused.value.findings} == {"import_unknown"}
    assert all(each.line for each in refused.value.findings)


def test_a_customer_nobody_can_ask_is_an_incident(flows, employee):
    asks = element(
        "userTask",
        '<frontline:assignment roles="customer"/><frontline:form key="confirm_payment"/>',
    )
    started = flows.started(publish(source(asks)))

    (incident,) = incidents(instance_id=started, limit=5)
    assert (incident.node, incident.code) == ("w", "customer_unreachable")
    (task,) = tasks(principal=employee, filters=TaskFilters())
    assert task.kind == "incident"

    answer = {"resolution": "retry"}
    complete(task_id=task.id, principal=employee, answer=answer, comment="", at=AT)

    (again,) = incidents(instance_id=started, limit=5)
    assert again.code == "customer_unreachable"
