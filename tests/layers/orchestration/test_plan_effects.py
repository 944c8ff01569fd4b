"""Which actions a flow performs, and without which of them its request is not done."""

from orchestration.planning.effects import effects_of

DENIED = '<error id="denied" errorCode="denied"/>'


def action(node, kind, more=""):
    return (
        f'<serviceTask id="{node}"><extensionElements>'
        f'<frontline:task call="action:{kind}"/><frontline:stays/>'
        f'<frontline:input name="parameters" value="= {{}}"/></extensionElements>{more}'
        "</serviceTask>"
    )


def way(source, target, more=""):
    return (
        f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">{more}'
        "</sequenceFlow>"
    )


def found(flows, body):
    states = {"e": "done"} | ({"no": "refused"} if 'id="no"' in body else {})
    flow = flows.published(body, declared=DENIED, states=states)
    return [(each.kind, each.is_needed) for each in effects_of(flow)]


def test_every_action_on_the_only_way_is_needed(flows):
    body = (
        '<startEvent id="s"/><endEvent id="e"/>'
        + action("one", "cards.block")
        + action("two", "cards.stop")
        + way("s", "one")
        + way("one", "two")
        + way("two", "e")
    )

    assert found(flows, body) == [("cards.block", True), ("cards.stop", True)]


def test_what_only_one_of_two_ways_does_is_not_needed(flows):
    choice = '<exclusiveGateway id="g" default="g-e"/><exclusiveGateway id="j"/>'
    condition = "<conditionExpression>x = 1</conditionExpression>"
    body = (
        f'<startEvent id="s"/><endEvent id="e"/>{choice.replace("g-e", "g-j")}'
        + action("one", "cards.block")
        + way("s", "g")
        + way("g", "one", condition)
        + way("g", "j")
        + way("one", "j")
        + way("j", "e")
    )

    assert found(flows, body) == [("cards.block", False)]


def test_a_refusal_that_ends_the_flow_is_needed_and_one_that_goes_on_is_not(flows):
    def body(ends):
        return (
            '<startEvent id="s"/><endEvent id="e"/><endEvent id="no"/>'
            + action("one", "cards.block")
            + '<boundaryEvent id="b" attachedToRef="one">'
            '<errorEventDefinition errorRef="denied"/></boundaryEvent>'
            + way("s", "one")
            + way("one", "e")
            + way("b", ends)
        )

    assert found(flows, body("no")) == [("cards.block", True)]


def test_what_undoes_is_no_action_of_the_way(flows):
    body = (
        '<startEvent id="s"/><endEvent id="e"><compensateEventDefinition/></endEvent>'
        + action("one", "cards.block").replace("<frontline:stays/>", "")
        + '<boundaryEvent id="b" attachedToRef="one"><compensateEventDefinition/></boundaryEvent>'
        + action("undo", "cards.release").replace(
            '<serviceTask id="undo"', '<serviceTask id="undo" isForCompensation="true"'
        )
        + '<association id="a" sourceRef="b" targetRef="undo" associationDirection="One"/>'
        + way("s", "one")
        + way("one", "e")
    )

    assert found(flows, body) == [("cards.block", True)]
