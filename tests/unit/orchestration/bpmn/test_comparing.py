"""Two drawings compared: what was added, removed, changed and moved, and what is only layout."""

from dataclasses import replace
from pathlib import Path

import pytest

from orchestration import bpmn
from orchestration.bpmn.comparing import ChangeKind

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:frontline="https://frontline.bank/bpmn/1.0" id="d" targetNamespace="t">'
)
BODY = """<process id="p" isExecutable="true">
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<userTask id="check" name="Check"><extensionElements>
<frontline:assignment roles="operations"/><frontline:sla due="PT4H" warn="PT3H"/>
<frontline:input name="amount" value="= amount"/></extensionElements>
<incoming>a</incoming><outgoing>b</outgoing></userTask>
<endEvent id="e" name="Done"><incoming>b</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="check"/>
<sequenceFlow id="b" sourceRef="check" targetRef="e"/>
</process>"""
PAYMENT = Path("apps/journeys/payments/send_money.bpmn")


def read(body: str) -> bpmn.Drawing:
    return bpmn.parse(f"{HEAD}{body}</definitions>".encode())


def words(old: str, new: str) -> list[tuple[str, str, str]]:
    changes = bpmn.compare(read(old), read(new)).changes
    return [(each.kind.value, each.element, each.words) for each in changes]


def test_the_same_drawing_differs_in_nothing():
    drawing = read(BODY)

    assert bpmn.compare(drawing, drawing) == bpmn.Difference((), is_layout_only=False)


def test_spaces_and_places_are_layout():
    difference = bpmn.compare(read(BODY), read(BODY.replace("\n", "\n  ")))

    assert difference == bpmn.Difference((), is_layout_only=True)


def test_another_fallback_is_said_in_words():
    calling = BODY.replace("userTask", "serviceTask").replace(
        "<frontline:assignment", '<frontline:retry fallback="slow"/><frontline:assignment'
    )

    ((_, _, said),) = words(calling, calling.replace('"slow"', '"gone"'))

    assert said == (
        "Check (service task): the error it ends with when no attempt is left was “slow”, is “gone”"
    )


def test_what_is_done_beside_others_is_said_in_words():
    calling = BODY.replace("userTask", "serviceTask").replace(
        "<frontline:assignment", '<frontline:task call="read:a" apart="true"/><frontline:assignment'
    )

    ((_, _, said),) = words(calling, calling.replace('apart="true"', 'apart="false"'))

    assert said == (
        "Check (service task): whether it is done beside other branches was “true”, is “false”"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'due="PT4H"',
            'due="PT2H"',
            "Check (user task): when it is due was “PT4H”, is “PT2H”",
        ),
        (
            'roles="operations"',
            'roles="operations" skills="dutch"',
            "Check (user task): what one must be able to do was nothing, is “dutch”",
        ),
        (
            'value="= amount"',
            'value="= fee"',
            "Check (user task): what it is given was “amount = amount”, is “amount = fee”",
        ),
        ('name="Check"', 'name="Look"', "Look (user task): its name was “Check”, is “Look”"),
    ],
)
def test_what_changed_is_said_in_words(old, new, said):
    assert words(BODY, BODY.replace(old, new)) == [("changed", "check", said)]


def test_another_kind_of_task_is_a_change():
    manual = BODY.replace("userTask", "manualTask")

    assert ("changed", "check") in {each[:2] for each in words(BODY, manual)}


def test_elements_come_and_go():
    longer = BODY.replace(
        '<sequenceFlow id="b" sourceRef="check" targetRef="e"/>',
        '<manualTask id="m" name="Sign"><incoming>b</incoming><outgoing>c</outgoing></manualTask>'
        '<sequenceFlow id="b" sourceRef="check" targetRef="m"/>'
        '<sequenceFlow id="c" sourceRef="m" targetRef="e"/>',
    ).replace(
        '<endEvent id="e" name="Done"><incoming>b', '<endEvent id="e" name="Done"><incoming>c'
    )

    added = words(BODY, longer)
    removed = words(longer, BODY)

    assert [each[:2] for each in added] == [("added", "m"), ("added", "c"), ("changed", "b")]
    assert added[0][2] == "Sign (manual task) was added"
    assert added[2][2] == "the flow from Check to Sign: where it goes to was “Done”, is “Sign”"
    assert [each[:2] for each in removed] == [("removed", "m"), ("removed", "c"), ("changed", "b")]


def test_an_element_in_another_sub_process_has_moved():
    inner = BODY.replace("<userTask", '<subProcess id="sub" name="Sub"><userTask').replace(
        "</userTask>", "</userTask></subProcess>"
    )

    difference = bpmn.compare(read(BODY), read(inner))

    assert difference.elements(ChangeKind.MOVED) == ("check",)
    assert difference.elements(ChangeKind.ADDED) == ("sub",)


def test_the_second_event_of_several_is_compared_too():
    start = (
        '<startEvent id="s" name="Begin"><outgoing>a</outgoing><timerEventDefinition>'
        "<timeDuration>PT1H</timeDuration></timerEventDefinition><timerEventDefinition>"
        "<timeDuration>{}</timeDuration></timerEventDefinition></startEvent>"
    )
    drawn = BODY.replace('<startEvent id="s"><outgoing>a</outgoing></startEvent>', start)

    said = words(drawn.format("PT2H"), drawn.format("PT3H"))

    assert said == [
        ("changed", "s", "Begin (start event): its time was “PT2H”, is “PT3H”"),
    ]


def test_a_real_drawing_says_which_deadline_changed():
    text = PAYMENT.read_text(encoding="utf-8")
    changed = text.replace('due="PT2H"', 'due="PT1H"', 1)

    difference = bpmn.compare(bpmn.parse(text.encode()), bpmn.parse(changed.encode()))

    (change,) = difference.changes
    assert change.kind is ChangeKind.CHANGED
    assert change.words.endswith("when it is due was “PT2H”, is “PT1H”")


def test_names_stand_where_the_drawing_has_them():
    named = BODY.replace('<process id="p"', '<process id="p" name="Look at it"')
    inside = named.replace(
        '<userTask id="check"', '<subProcess id="part" name="A part"/><userTask id="check"'
    )
    drawn, moved = read(inside), read(inside)
    process = drawn.processes[0]
    check = replace(process.nodes["check"], container="part")
    changed = replace(process, nodes={**process.nodes, "check": check})

    (change,) = bpmn.compare(drawn, replace(moved, processes=(changed,))).changes

    assert change.words == "Check (user task) moved from Look at it to A part"
