"""A drawing is written as it was read, and an edit touches what it names and nothing else."""

import pytest
from lxml import etree

from orchestration.bpmn import (
    Conditioned,
    Defaulted,
    Documented,
    DrawingRefused,
    Extended,
    Named,
    edited,
    parse,
    write,
)

DRAWING = b"""<?xml version="1.0" encoding="UTF-8"?>
<!-- kept: a comment in front -->
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI"
    xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0" xmlns:acme="urn:acme"
    xmlns:f="https://frontline.bank/bpmn/1.0" id="d" acme:stamp="7">
  <bpmn:collaboration id="c"><bpmn:participant id="pool" name="Bank" processRef="p"/>
    <bpmn:messageFlow id="mf" sourceRef="pool" targetRef="work"/></bpmn:collaboration>
  <bpmn:process id="p" isExecutable="true">
    <bpmn:laneSet id="ls"><bpmn:lane id="l" name="Desk"><bpmn:flowNodeRef>work</bpmn:flowNodeRef>
    </bpmn:lane></bpmn:laneSet>
    <bpmn:startEvent id="start"/>
    <bpmn:userTask id="work" name="Check &amp; sign">
      <bpmn:documentation>Why.</bpmn:documentation>
      <bpmn:extensionElements>
        <acme:note level="3">kept <acme:deep/> whole</acme:note>
        <f:form key="one"/>
        <f:sla due="PT4H"/>
      </bpmn:extensionElements>
    </bpmn:userTask>
    <bpmn:endEvent id="end"/>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
    <bpmn:sequenceFlow id="f2" sourceRef="work" targetRef="end">
      <bpmn:conditionExpression>a &lt; 1</bpmn:conditionExpression></bpmn:sequenceFlow>
    <acme:extra>of another namespace</acme:extra>
  </bpmn:process>
  <di:BPMNDiagram id="dia"><di:BPMNPlane id="pl" bpmnElement="p">
    <di:BPMNShape id="s" bpmnElement="work" bioc:stroke="#123456"/></di:BPMNPlane></di:BPMNDiagram>
</bpmn:definitions>
"""


def canonical(xml: bytes) -> bytes:
    tree = etree.fromstring(xml).getroottree()
    return etree.canonicalize(tree, with_comments=True).encode()


def lines_changed(before: bytes, after: bytes) -> set[bytes]:
    return set(canonical(before).split(b"\n")) ^ set(canonical(after).split(b"\n"))


def test_everything_is_kept():
    drawing = parse(DRAWING)

    written = write(drawing)

    assert canonical(written) == canonical(DRAWING)
    assert [*parse(written).process().nodes] == [*drawing.process().nodes]
    assert write(parse(written)) == written


@pytest.mark.parametrize(
    ("edit", "back"),
    [
        (Named("work", 'Check "twice"'), Named("work", "Check & sign")),
        (Documented("work", "Because <x>."), Documented("work", "Why.")),
        (Conditioned("f2", "a > 2"), Conditioned("f2", "a < 1")),
        (Defaulted("work", "f2"), Defaulted("work", None)),
        (Extended("work", "form", ({"key": "two"},)), Extended("work", "form", ({"key": "one"},))),
        (Named("pool", "Branch"), Named("pool", "Bank")),
    ],
)
def test_edit_and_its_reverse_leave_the_drawing_as_it_was(edit, back):
    drawing = parse(DRAWING)

    changed = edited(drawing, [edit])

    assert 0 < len(lines_changed(DRAWING, changed.xml)) <= 2
    assert canonical(edited(changed, [back]).xml) == canonical(DRAWING)


def test_edits_are_read_back():
    changed = edited(
        parse(DRAWING),
        [
            Named("start", "Asked for"),
            Conditioned("f1", "b"),
            Extended("start", "output", ({"name": "x", "value": "= y"}, {"name": "z"})),
            Extended("end", "retry", ({"fallback": "not_reached"},)),
            Extended("end", "task", ({"call": "read:balance", "apart": "true"},)),
            Documented("end", "Done."),
        ],
    )

    process = changed.process()
    assert process.nodes["start"].name == "Asked for"
    assert process.flows["f1"].condition == "b"
    outputs = [(each.name, each.value) for each in process.nodes["start"].work.outputs]
    assert outputs == [("x", "= y"), ("z", None)]
    assert process.nodes["end"].work.fallback == "not_reached"
    assert process.nodes["end"].work.apart == "true"
    assert b"<bpmn:documentation>Done.</bpmn:documentation>" in changed.xml


def test_what_is_taken_away_is_gone_and_its_neighbours_stay():
    changed = edited(
        parse(DRAWING),
        [Extended("work", "form"), Extended("work", "sla"), Documented("work", "")],
    )

    node = changed.process().nodes["work"]
    assert (node.work.form, node.work.due) == (None, None)
    assert b"<acme:note" in changed.xml
    assert b"Why." not in changed.xml


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (Named("nobody", "x"), "element_unknown"),
        (Named("work", "\x00"), "text_refused"),
        (Extended("work", "not a name", ({"a": "b"},)), "text_refused"),
    ],
)
def test_edit_that_cannot_be_made_is_refused(edit, code):
    drawing = parse(DRAWING)

    with pytest.raises(DrawingRefused) as refused:
        edited(drawing, [edit])

    assert refused.value.code == code
    assert drawing.xml == DRAWING
