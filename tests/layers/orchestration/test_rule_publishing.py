"""A flow that cannot be relied on to run is not published, and nothing is kept of it."""

from dataclasses import replace

import pytest
from django.db import connection

from orchestration.dmn import ModelRefused
from orchestration.durable.publication import publish
from orchestration.journeys import FlowContent, FlowSource
from tests.layers.orchestration.flows import HEAD, SCRIPTS
from tests.unit.orchestration.dmn.models import decision, input_data, model, rule, table


def source(rules: bytes) -> FlowSource:
    return FlowSource(
        journey="test",
        process="p",
        bpmn=f'{HEAD}<process id="p" isExecutable="true">{SCRIPTS}</process></definitions>',
        rules={"r.dmn": rules.decode()},
        content=FlowContent(drawing="p.bpmn", title="T", summary="S.", purpose="servicing"),
        forms={},
    )


def banded(*rules: str) -> bytes:
    return model(input_data("x", "number"), decision("d", table("", ["x"], ["o"], *rules), "x"))


def kept() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orch_definition WHERE process = 'p'")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (banded(rule("a", "&lt;= 5", "1"), rule("b", ">= 5", "2")), "overlap"),
        (banded(rule("a", "&lt;= (", "1")), "feel_error"),
        (b"<nothing/>", "not_dmn"),
    ],
)
def test_rules_that_cannot_be_relied_on_refuse_the_flow(flows, rules, code):
    before = kept()

    with pytest.raises(ModelRefused) as refused:
        publish(source(rules))

    assert refused.value.code == code
    assert kept() == before


def test_rules_with_a_gap_are_published(flows):
    gapped = source(banded(rule("a", "&lt; 5", "1"), rule("b", "> 5", "2")))

    flow = publish(gapped)

    assert flow.digest == replace(gapped).digest
    assert flow.decisions["r.dmn"].evaluate(decision="d", inputs={"x": 5}).outputs is None
