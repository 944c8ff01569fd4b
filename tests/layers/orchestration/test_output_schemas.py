"""What a called step answers is checked against the schema its node names, before it flows on."""

from uuid import UUID

import pytest
from django.db import connection

from orchestration import steps
from orchestration.bpmn import parse
from orchestration.bpmn.errors import DrawingRefused
from orchestration.core import advance, deploy, new_state
from orchestration.core.events import FailureKind, IncidentResolved, Resolution, Started, TaskFailed
from orchestration.core.history import EventThrown, NodeEntered
from orchestration.durable import store
from orchestration.durable.publication import publish
from orchestration.journeys import FlowContent, FlowSource
from orchestration.output_schemas import SchemaRefused, checks_of
from orchestration.plain import plain_mapping
from orchestration.step_results import Answered
from tests.layers.orchestration.flows import AT, HEAD

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["label", "confidence_permille"],
    "properties": {
        "label": {"type": "string", "enum": ["balance", "pay"]},
        "confidence_permille": {"type": "integer", "minimum": 0, "maximum": 1000},
        "text": {"type": ["string", "null"], "maxLength": 9},
    },
}
CHAIN = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<serviceTask id="ask" name="Ask"><extensionElements>
<frontline:task call="read:reference" schema="{schema}"/>
<frontline:input name="said" value="= said"/>
<frontline:output name="found" value="= result"/></extensionElements>
<incoming>a</incoming><outgoing>b</outgoing></serviceTask>
<boundaryEvent id="wrong" attachedToRef="ask"><extensionElements>
<frontline:output name="fault" value="= result"/></extensionElements>
<outgoing>c</outgoing><errorEventDefinition errorRef="{caught}"/></boundaryEvent>
<endEvent id="good"><incoming>b</incoming></endEvent>
<userTask id="by_hand" name="By hand"><extensionElements>
<frontline:assignment roles="operations" priority="{priority}"/></extensionElements>
<incoming>c</incoming><outgoing>d</outgoing></userTask>
<endEvent id="done"><incoming>d</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="ask"/>
<sequenceFlow id="b" sourceRef="ask" targetRef="good"/>
<sequenceFlow id="c" sourceRef="wrong" targetRef="by_hand"/>
<sequenceFlow id="d" sourceRef="by_hand" targetRef="done"/>
"""
ERRORS = (
    '<error id="invalid" errorCode="output_invalid"/><error id="other" errorCode="something_else"/>'
)


@pytest.fixture
def answers(monkeypatch):
    """Let the step of the drawing answer what it is given."""

    def answer(_context, inputs):
        return Answered(inputs["said"])

    monkeypatch.setattr(steps, "_READS", {**steps._READS, "reference": answer})


def source(schemas=None, *, schema="classification", caught="invalid", priority="0"):
    body = CHAIN.format(schema=schema, caught=caught, priority=priority)
    executable = f'<process id="p" isExecutable="true">{body}</process>'
    content = FlowContent(drawing="p.bpmn", title="T", summary="S", purpose="servicing")
    return FlowSource(
        journey="test",
        process="p",
        bpmn=f"{HEAD}{ERRORS}{executable}</definitions>",
        rules={},
        content=content,
        forms={},
        schemas={"classification": SCHEMA} if schemas is None else schemas,
    )


def entered(instance_id: UUID):
    return [
        entry.node
        for line in store.history_of(instance_id)
        for entry in line.entries
        if isinstance(entry, NodeEntered)
    ]


GOOD = {"label": "balance", "confidence_permille": 900, "text": None}


@pytest.mark.django_db
def test_an_answer_of_the_schema_flows_on(flows, answers):
    instance_id = flows.started(publish(source()), said=GOOD)

    row = store.read_instance(instance_id)
    assert (row.status, entered(instance_id)[-1]) == ("completed", "good")
    assert plain_mapping(row.state.variables)["found"] == GOOD


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"label": "transfer everything"}, {"place": "label", "rule": "enum"}),
        ({"confidence_permille": 1001}, {"place": "confidence_permille", "rule": "maximum"}),
        ({"confidence_permille": "900"}, {"place": "confidence_permille", "rule": "type"}),
        ({"confidence_permille": 0.5}, {"place": "confidence_permille", "rule": "type"}),
        ({"text": "ten letter"}, {"place": "text", "rule": "maxLength"}),
        ({"more": 1}, {"place": "", "rule": "additionalProperties"}),
    ],
)
def test_any_other_answer_is_a_typed_error_and_goes_no_further(flows, answers, changes, fault):
    instance_id = flows.started(publish(source()), said={**GOOD, **changes})

    assert entered(instance_id) == ["s", "ask", "wrong", "by_hand"]
    values = plain_mapping(store.read_instance(instance_id).state.variables)
    assert values["found"] is None if "found" in values else True
    assert (values["fault"]["code"], values["fault"]["faults"]) == ("output_invalid", [fault])


@pytest.mark.django_db
def test_what_stood_in_a_refused_answer_is_not_repeated(flows, answers):
    instance_id = flows.started(publish(source()), said={**GOOD, "label": "NL91ABNA0417164300"})

    values = plain_mapping(store.read_instance(instance_id).state.variables)
    assert "NL91" not in str(values["fault"])


@pytest.mark.django_db
def test_an_error_nobody_catches_ends_the_run(flows, answers):
    instance_id = flows.started(publish(source(caught="other")), said={"label": "pay"})

    assert store.read_instance(instance_id).status == "failed"
    thrown = [
        entry.name
        for line in store.history_of(instance_id)
        for entry in line.entries
        if isinstance(entry, EventThrown)
    ]
    assert thrown == ["output_invalid"]


@pytest.mark.django_db
def test_a_missing_field_is_a_fault(flows, answers):
    instance_id = flows.started(publish(source()), said={"label": "pay"})

    values = plain_mapping(store.read_instance(instance_id).state.variables)
    assert values["fault"]["faults"] == [{"place": "", "rule": "required"}]


BROKEN = {
    "no_object": {"type": "string"},
    "open": {"type": "object", "properties": {}},
    "far_away": {**SCHEMA, "$ref": "https://example.org/schema.json"},
    "points": {**SCHEMA, "properties": {"label": {"$ref": "#"}}, "required": []},
    "untyped": {**SCHEMA, "properties": {"label": {}}, "required": []},
    "number": {**SCHEMA, "properties": {"label": {"type": "number"}}, "required": []},
    "lost": {**SCHEMA, "required": ["nobody"]},
    "bad_limit": {
        **SCHEMA,
        "properties": {"label": {"type": "string", "maxLength": "nine"}},
        "required": [],
    },
    "bad_pattern": {
        **SCHEMA,
        "properties": {"label": {"type": "string", "pattern": "("}},
        "required": [],
    },
    "list_of_anything": {**SCHEMA, "properties": {"label": {"type": "array"}}, "required": []},
    "no_mapping": ["type"],
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_schema_is_refused_when_the_flow_is_published(entity, name):
    with pytest.raises(SchemaRefused) as refused:
        publish(source({"classification": BROKEN[name]}))

    assert refused.value.schema == "p/classification"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orch_definition")
        assert cursor.fetchone()[0] == 0


@pytest.mark.django_db
def test_a_drawing_that_names_a_schema_nobody_has_is_refused_with_its_place(entity):
    with pytest.raises(DrawingRefused) as refused:
        publish(source(schema="elsewhere"))

    assert (refused.value.code, refused.value.element) == ("schema_unknown", "ask")


@pytest.mark.django_db
@pytest.mark.parametrize(("priority", "kept"), [("0", 0), ("2", 2), ('= "1"', 1), ("= 1", 1)])
def test_a_task_is_as_urgent_as_its_drawing_says(flows, answers, priority, kept):
    flows.started(publish(source(priority=priority.replace('"', "&quot;"))), said={"label": "pay"})

    with connection.cursor() as cursor:
        cursor.execute("SELECT priority FROM orch_task")
        assert cursor.fetchall() == [(kept,)]


@pytest.mark.django_db
def test_a_priority_there_is_not_is_refused(entity):
    with pytest.raises(DrawingRefused) as refused:
        publish(source(priority="9"))

    assert refused.value.code == "priority_invalid"


@pytest.mark.django_db
def test_a_flow_without_schemas_keeps_the_digest_it_had(entity):
    plain = source({})

    assert "schemas" not in plain.text
    assert source().digest != plain.digest


def test_what_a_person_gives_for_a_broken_step_must_meet_the_schema_too():
    drawn = source()
    definition = deploy(parse(drawn.bpmn.encode()), checks=checks_of(drawn.schemas))
    state = advance(definition, new_state(process="p"), Started({"said": 1}), at=AT).state
    token = state.tokens[0].id
    broken = TaskFailed(token, FailureKind.TECHNICAL, "step_failed")
    state = advance(definition, state, broken, at=AT).state

    wrong = IncidentResolved(token, Resolution.COMPLETE, {"label": "pay"})
    right = IncidentResolved(token, Resolution.COMPLETE, GOOD)

    refused = advance(definition, state, wrong, at=AT)
    assert (refused.ignored.reason, refused.state) == ("output_invalid", state)
    assert advance(definition, state, right, at=AT).state.is_ended
