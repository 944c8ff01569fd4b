"""Small drawings and scenario files to try out."""

import json

from orchestration.journeys import FlowContent, FlowSource
from orchestration.trying.drawings import flow_to_try
from orchestration.trying.running import run_file
from orchestration.trying.scenarios import read_scenarios
from tests.layers.orchestration.flows import HEAD

ERROR = '<error id="denied" errorCode="denied"/><message id="m" name="paid"/>'
# A service that may be refused, then a person who has an hour.
ASKS = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<serviceTask id="look" name="Look"><extensionElements><frontline:task call="read:balance"/>
<frontline:input name="of" value="= who" optional="true"/>
<frontline:output name="found" value="= result"/>
</extensionElements><incoming>a</incoming><outgoing>b</outgoing></serviceTask>
<boundaryEvent id="no" attachedToRef="look"><extensionElements>
<frontline:output name="denial" value="= result"/></extensionElements><outgoing>c</outgoing>
<errorEventDefinition errorRef="denied"/></boundaryEvent>
<userTask id="check" name="Check"><extensionElements><frontline:form key="check"/>
<frontline:assignment roles="operations"/><frontline:output name="checked" value="= result"/>
</extensionElements><incoming>b</incoming><outgoing>d</outgoing></userTask>
<boundaryEvent id="late" attachedToRef="check"><outgoing>e</outgoing>
<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>
<endEvent id="good"><incoming>d</incoming></endEvent>
<endEvent id="bad"><incoming>c</incoming></endEvent>
<endEvent id="slow"><incoming>e</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="look"/>
<sequenceFlow id="b" sourceRef="look" targetRef="check"/>
<sequenceFlow id="c" sourceRef="no" targetRef="bad"/>
<sequenceFlow id="d" sourceRef="check" targetRef="good"/>
<sequenceFlow id="e" sourceRef="late" targetRef="slow"/>
"""
FORM = {
    "type": "object",
    "properties": {"is_fine": {"type": "boolean", "title": "Fine"}},
    "required": ["is_fine"],
}
WAITS = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<intermediateCatchEvent id="hear"><extensionElements>
<frontline:correlation value="= order"/><frontline:output name="came" value="= result"/>
</extensionElements><incoming>a</incoming><outgoing>b</outgoing>
<messageEventDefinition messageRef="m"/></intermediateCatchEvent>
<endEvent id="e"><incoming>b</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="hear"/>
<sequenceFlow id="b" sourceRef="hear" targetRef="e"/>
"""
LOOPS = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<exclusiveGateway id="again"><incoming>a</incoming><incoming>c</incoming><outgoing>b</outgoing>
</exclusiveGateway>
<serviceTask id="look"><extensionElements><frontline:task call="read:balance"/></extensionElements>
<incoming>b</incoming><outgoing>d</outgoing></serviceTask>
<exclusiveGateway id="more" default="c"><incoming>d</incoming><outgoing>c</outgoing>
<outgoing>f</outgoing></exclusiveGateway>
<endEvent id="e"><incoming>f</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="again"/>
<sequenceFlow id="b" sourceRef="again" targetRef="look"/>
<sequenceFlow id="d" sourceRef="look" targetRef="more"/>
<sequenceFlow id="c" sourceRef="more" targetRef="again"/>
<sequenceFlow id="f" sourceRef="more" targetRef="e">
<conditionExpression xsi:type="tFormalExpression">false</conditionExpression></sequenceFlow>
"""
CALLS = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<callActivity id="sub" calledElement="other"><extensionElements>
<frontline:output name="sub" value="= result"/></extensionElements>
<incoming>a</incoming><outgoing>b</outgoing></callActivity>
<boundaryEvent id="no" attachedToRef="sub"><outgoing>c</outgoing>
<errorEventDefinition errorRef="denied"/></boundaryEvent>
<endEvent id="e"><incoming>b</incoming></endEvent>
<endEvent id="bad"><incoming>c</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="sub"/>
<sequenceFlow id="b" sourceRef="sub" targetRef="e"/>
<sequenceFlow id="c" sourceRef="no" targetRef="bad"/>
"""
PAYS = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<serviceTask id="pay"><extensionElements><frontline:task call="{call}"/>
<frontline:input name="parameters" value="= parameters"/></extensionElements>
<incoming>a</incoming><outgoing>b</outgoing></serviceTask>
<endEvent id="e"><incoming>b</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="pay"/>
<sequenceFlow id="b" sourceRef="pay" targetRef="e"/>
"""


def source_of(body=ASKS, scenarios="", **content):
    drawing = f'{HEAD}{ERROR}<process id="p" isExecutable="true">{body}</process></definitions>'
    told = FlowContent(drawing="p.bpmn", title="T", summary="S.", purpose="servicing", **content)
    return FlowSource("test", "p", drawing, {}, told, {"check": FORM}, scenarios)


def written(*scenarios, **head):
    """A scenario file as text."""
    return json.dumps({"flow": "p", **head, "scenarios": list(scenarios)})


def story(name="One", **parts):
    parts.setdefault("expect", {"end": "good"})
    return {"name": name, **parts}


def ran(*scenarios, body=ASKS, **head):
    """What came of scenarios on a drawing."""
    flow = flow_to_try(source_of(body))
    return list(run_file(read_scenarios(name="p", text=written(*scenarios, **head)), flow))
