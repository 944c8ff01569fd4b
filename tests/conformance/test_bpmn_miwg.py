"""The BPMN Model Interchange Working Group's reference models can all be read."""

import pytest

from orchestration.bpmn import check, parse
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


@needs_models
@pytest.mark.parametrize("path", sorted(MODELS.glob("*.bpmn")), ids=lambda path: path.name)
def test_reference_model_can_be_judged(path):
    drawing = parse(path.read_bytes())

    for finding in check(drawing):
        assert finding.code
        assert finding.words
        assert finding.line > 0
