"""The BPMN Model Interchange Working Group's reference models can all be read."""

from pathlib import Path

import pytest
from lxml import etree

from orchestration.bpmn import Named, check, edited, parse, write
from orchestration.bpmn.model import Kind
from tests.conformance.tck import data_folder

MODELS = data_folder() / "bpmn-miwg"
needs_models = pytest.mark.skipif(
    not MODELS.is_dir(),
    reason="the MIWG models are not here; FRONTLINE_DATA names the folder they lie in",
)


@needs_models
@pytest.mark.parametrize("path", sorted(MODELS.glob("*.bpmn")), ids=lambda path: path.name)
def test_reference_model_is_read_whole(path):
    xml = path.read_bytes()

    drawing = parse(xml)

    assert drawing.xml == xml
    for process in drawing.processes:
        for flow in process.flows.values():
            assert flow.source in process.nodes
            assert flow.target in process.nodes
        drawn = xml.count(b"userTask id=") + xml.count(b"userTask completionQuantity=")
        read = sum(
            node.kind is Kind.USER for each in drawing.processes for node in each.nodes.values()
        )
        assert read >= min(drawn, 1)


def canonical(xml: bytes) -> str:
    """Two files of the same canonical form say the same, diagram and unknown elements included."""
    return etree.canonicalize(etree.fromstring(xml).getroottree(), with_comments=True)


OWN = sorted((Path(__file__).parents[2] / "apps" / "journeys").rglob("*.bpmn"))


def test_own_drawings_and_reference_models_are_there():
    assert OWN
    if MODELS.is_dir():
        assert len(list(MODELS.glob("*.bpmn"))) == 21


@pytest.mark.parametrize("path", [*OWN, *sorted(MODELS.glob("*.bpmn"))], ids=lambda path: path.name)
def test_drawing_is_written_as_it_was_read(path):
    source = path.read_bytes()
    drawing = parse(source)

    written = write(drawing)

    assert canonical(written) == canonical(source)
    again = parse(written)
    assert [shape(each) for each in again.processes] == [shape(each) for each in drawing.processes]
    assert (again.pools, again.kept) == (drawing.pools, drawing.kept)


def shape(process) -> list[tuple[object, ...]]:
    """Everything read of a process but the lines, which writing may move."""
    return [
        *((each.id, each.name, each.kind, each.events) for each in process.nodes.values()),
        *((each.id, each.lane, each.line > 0) for each in process.nodes.values()),
        *((each.id, each.source, each.target, each.condition) for each in process.flows.values()),
    ]


@pytest.mark.parametrize("path", [*OWN, *sorted(MODELS.glob("*.bpmn"))], ids=lambda path: path.name)
def test_renaming_every_node_and_back_changes_nothing(path):
    drawing = parse(path.read_bytes())
    drawn = {
        each.get("id"): each.get("name") for each in etree.fromstring(drawing.xml).iter("{*}*")
    }
    read = [node for process in drawing.processes for node in process.nodes.values()]
    nodes = [(each.id, each.name) for each in read if each.name and drawn[each.id] == each.name]

    renamed = edited(drawing, [Named(identity, f"{name}!") for identity, name in nodes])
    back = edited(renamed, [Named(identity, name) for identity, name in nodes])

    found = {each.id: each.name for process in renamed.processes for each in process.nodes.values()}
    assert all(found[identity] == f"{name}!" for identity, name in nodes)
    assert canonical(back.xml) == canonical(drawing.xml)


@needs_models
@pytest.mark.parametrize("path", sorted(MODELS.glob("*.bpmn")), ids=lambda path: path.name)
def test_reference_model_can_be_judged(path):
    drawing = parse(path.read_bytes())

    for finding in check(drawing):
        assert finding.code
        assert finding.words
        assert finding.line > 0
