"""Deadlines in a drawing: where they may stand, and that they are kept, compared and refused."""

import pytest

from orchestration.bpmn import parse
from orchestration.bpmn.comparing import compare
from orchestration.bpmn.errors import DrawingRefused
from orchestration.bpmn.writing import Extended, edited, write
from tests.unit.orchestration.core.stage import (
    end,
    flow,
    node,
    process,
    service,
    start,
    timer,
    xml,
)
from tests.unit.orchestration.core.test_core_deadlines import of_process, within


@pytest.mark.parametrize("text", ["", "soon", "PT0S", "-PT5S", "P0M"])
def test_a_deadline_that_is_no_time_is_refused(text):
    at_step = (start(), service("ask", within(text)), end(), flow("start > ask > end"))
    whole = (of_process(text), start(), service("ask"), end(), flow("start > ask > end"))
    for parts in (at_step, whole):
        with pytest.raises(DrawingRefused) as refused:
            process(*parts)
        assert refused.value.code == "deadline_invalid"


@pytest.mark.parametrize(
    "place",
    [
        node("userTask", "place", extra=within("PT5S")),
        node("intermediateCatchEvent", "place", timer("PT1H"), within("PT5S")),
        node("scriptTask", "place", "<script>1</script>", within("PT5S")),
    ],
)
def test_a_deadline_stands_only_where_something_is_called(place):
    with pytest.raises(DrawingRefused) as refused:
        process(start(), place, end(), flow("start > place > end"))

    assert refused.value.code == "deadline_invalid"


def test_a_deadline_is_written_as_it_was_read_and_a_change_of_it_is_said():
    body = (start(), service("ask", within("PT10S")), end(), flow("start > ask > end"))
    drawing = parse(xml(of_process("PT1H"), *body))
    again = parse(write(drawing))

    changed = edited(
        drawing,
        [
            Extended("ask", "deadline", ({"within": "PT20S"},)),
            Extended("p", "deadline", ({"within": "PT2H"},)),
        ],
    )

    assert again.process().deadline == "PT1H"
    assert again.process().nodes["ask"].work.deadline == "PT10S"
    assert [each.words for each in compare(drawing, changed).changes] == [
        "ask (service task): how long it may take was “PT10S”, is “PT20S”",
        "the process p: how long it may take was “PT1H”, is “PT2H”",
    ]
