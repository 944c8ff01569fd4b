"""Small flows of our own, drawn in a few lines."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from orchestration.durable import engine, store
from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.publication import publish
from orchestration.durable.starting import NewInstance
from orchestration.journeys import FlowContent, FlowSource
from sentinel.vocabulary import Principal

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:frontline="https://frontline.bank/bpmn/1.0"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="t">'
)


SCRIPTS = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<scriptTask id="double" scriptFormat="feel">
<extensionElements><frontline:script result="total"/></extensionElements>
<incoming>a</incoming><outgoing>b</outgoing><script>amount * 2</script></scriptTask>
<userTask id="check" name="Check {total}"><extensionElements>
<frontline:assignment roles="operations"/><frontline:sla due="PT4H" warn="PT3H"/>
<frontline:output name="checked" value="= result"/></extensionElements>
<incoming>b</incoming><outgoing>c</outgoing></userTask>
<endEvent id="e"><incoming>c</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="double"/>
<sequenceFlow id="b" sourceRef="double" targetRef="check"/>
<sequenceFlow id="c" sourceRef="check" targetRef="e"/>
"""
CALLS = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<serviceTask id="ask"><extensionElements><frontline:task call="{call}"/>
<frontline:input name="name" value="= name"/><frontline:input name="iban" value="= iban"/>
<frontline:output name="found" value="= result"/>
<frontline:retry attempts="{attempts}" backoff="PT1S"/></extensionElements>
<incoming>a</incoming><outgoing>b</outgoing></serviceTask>
<endEvent id="e"><incoming>b</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="ask"/>
<sequenceFlow id="b" sourceRef="ask" targetRef="e"/>
"""
TIMER = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<intermediateCatchEvent id="wait"><incoming>a</incoming><outgoing>b</outgoing>
<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>
</intermediateCatchEvent>
<endEvent id="e"><incoming>b</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="wait"/>
<sequenceFlow id="b" sourceRef="wait" targetRef="e"/>
"""


@dataclass(frozen=True)
class Flows:
    """Publishes and starts flows drawn in a few lines."""

    employee: Principal

    def published(
        self,
        body: str,
        *,
        process: str = "p",
        declared: str = "",
        purpose: str = "servicing",
        **content: object,
    ) -> PublishedFlow:
        executable = f'<process id="{process}" isExecutable="true">{body}</process>'
        drawing = f"{HEAD}{declared}{executable}</definitions>"
        return publish(
            FlowSource(
                journey="test",
                process=process,
                bpmn=drawing,
                rules={},
                content=FlowContent(
                    drawing="p.bpmn",
                    title="A test",
                    summary="A test is run.",
                    purpose=purpose,
                    **content,
                ),
                forms={},
            )
        )

    def started(self, flow: PublishedFlow, at: datetime = AT, **variables: object) -> UUID:
        instance_id = uuid4()
        engine.start(
            NewInstance(
                id=instance_id,
                flow=flow,
                principal=self.employee,
                variables=variables,
                at=at,
            )
        )
        return instance_id


def nodes_of(instance_id: UUID) -> set[str]:
    return {token.node for token in store.read_instance(instance_id).state.tokens}
