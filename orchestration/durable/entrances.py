"""How a published flow is begun from outside: what sets it off, and what never can."""

from collections.abc import Iterator

import nexus.public
from orchestration.bpmn.errors import DrawingRefused, Finding
from orchestration.bpmn.model import EventType
from orchestration.core.definition import Definition
from orchestration.core.openings import Opening, begins_plainly, openings
from orchestration.journeys import FlowContent

CODE = "start_never_comes"
_BY_BUS = {EventType.MESSAGE, EventType.SIGNAL}


def begun_by_bus(definition: Definition) -> dict[tuple[str, str], str]:
    """Return the nodes that a message or a signal sets off, by trigger and name."""
    return {
        (each.event.type.value, each.event.name or ""): each.node
        for each in openings(definition)
        if each.event.type in _BY_BUS
    }


def begun_by_condition(definition: Definition) -> tuple[Opening, ...]:
    """Return the conditional starts: they begin an instance when data makes them true."""
    return tuple(each for each in openings(definition) if each.event.type is EventType.CONDITIONAL)


def scheduled_start(definition: Definition) -> str | None:
    """Return the node at which a schedule begins a flow that has no plain start."""
    if begins_plainly(definition):
        return None
    timers = (each for each in openings(definition) if each.event.type is EventType.TIMER)
    return next((each.node for each in timers), None)


def require_startable(definition: Definition, content: FlowContent) -> None:
    """Refuse a flow of which a beginning can never come.

    Raises:
        DrawingRefused: nothing sets off one of its starts, or a trigger has none to begin at.
    """
    findings = tuple(_unreachable(definition, content))
    if findings:
        first = findings[0]
        raise DrawingRefused(first.code, first.element, first.line, first.words, findings)


def _unreachable(definition: Definition, content: FlowContent) -> Iterator[Finding]:
    kinds = {trigger.kind for trigger in content.triggers.values()}
    for each in {opening.node: opening for opening in openings(definition)}.values():
        node = definition.node(each.node)
        if each.event.type is EventType.TIMER and "schedule" not in kinds:
            words = "A timer begins nothing unless the flow declares a trigger with a schedule."
            yield Finding(CODE, node.id, node.line, words)
    process = definition.process
    if begun_by_condition(definition) and content.purpose not in nexus.public.PURPOSES:
        words = f"Its conditions may read nothing: Nexus knows no purpose {content.purpose}."
        yield Finding(CODE, process.id, process.line, words)
    if begins_plainly(definition):
        return
    able = {"schedule"} if scheduled_start(definition) else set()
    unable = sorted({*kinds} - able) + (["batches"] if content.batches else [])
    if unable:
        words = f"There is no plain start for what {unable[0]} begins."
        yield Finding(CODE, process.id, process.line, words)
