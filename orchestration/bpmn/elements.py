"""Reading single elements: activities with their extensions, gateways, and events."""

from orchestration.bpmn.drawn_events import Declared, events_of
from orchestration.bpmn.extensions import extension, extensions, nested_extensions
from orchestration.bpmn.model import (
    AdHoc,
    Assignment,
    EventDefinition,
    Kind,
    MultiInstance,
    Node,
    StandardLoop,
    Work,
)
from orchestration.markup import Element, child, line_of, local_name, text_of

_UNSUPPORTED_TAGS = {"callChoreography", "choreographyTask", "subChoreography"}
NODE_TAGS = {kind.value for kind in Kind if kind is not Kind.UNSUPPORTED} | _UNSUPPORTED_TAGS


def read_node(element: Element, container: str, declared: Declared) -> Node:
    """Read one node; its flows and lane are filled in by the caller."""
    tag = local_name(element)
    events = events_of(element, declared)
    return Node(
        id=element.get("id") or element.getroottree().getpath(element),
        name=" ".join((element.get("name") or "").split()),
        kind=Kind.UNSUPPORTED if tag in _UNSUPPORTED_TAGS else Kind(tag),
        line=line_of(element),
        container=container,
        tag=tag,
        event=events[0] if events else EventDefinition(),
        events=events,
        is_parallel=_is_parallel(element),
        attached_to=element.get("attachedToRef"),
        is_interrupting=_is_interrupting(element),
        default_flow=element.get("default"),
        is_for_compensation=element.get("isForCompensation") == "true",
        is_event_sub_process=element.get("triggeredByEvent") == "true",
        work=_work(element),
        loop=_loop(element),
        repeat=_standard_loop(element),
        ad_hoc=_ad_hoc(element) if tag == Kind.AD_HOC.value else None,
        activation=text_of(child(element, "activationCondition")) or None,
        instantiates=element.get("instantiate") == "true",
    )


def _is_interrupting(element: Element) -> bool:
    flag = element.get("cancelActivity") or element.get("isInterrupting")
    return flag != "false"


def _is_parallel(element: Element) -> bool:
    is_multiple = element.get("parallelMultiple") == "true"
    return is_multiple or element.get("eventGatewayType") == "Parallel"


def _standard_loop(element: Element) -> StandardLoop | None:
    drawn = child(element, "standardLoopCharacteristics")
    if drawn is None:
        return None
    return StandardLoop(
        is_tested_first=drawn.get("testBefore") == "true",
        maximum=drawn.get("loopMaximum"),
        condition=text_of(child(drawn, "loopCondition")) or None,
    )


def _ad_hoc(element: Element) -> AdHoc:
    return AdHoc(
        is_sequential=element.get("ordering") == "Sequential",
        completion=text_of(child(element, "completionCondition")) or None,
        cancels_rest=element.get("cancelRemainingInstances") != "false",
    )


def _work(element: Element) -> Work:
    task, retry = extension(element, "task"), extension(element, "retry")
    assignment, sla = extension(element, "assignment"), extension(element, "sla")
    decision = extension(element, "decision")
    return Work(
        call=task.get("call"),
        inputs=_assignments(element, "input"),
        outputs=_assignments(element, "output"),
        # Text that is no number is kept as one that the linter refuses with its place.
        attempts=number_of(retry.get("attempts"), otherwise=0),
        backoff=retry.get("backoff"),
        jitter=number_of(retry.get("jitter"), otherwise=-1),
        limit=retry.get("limit"),
        form=extension(element, "form").get("key"),
        roles=assignment.get("roles"),
        skills=assignment.get("skills"),
        exclude=assignment.get("exclude"),
        due=sla.get("due"),
        warn=sla.get("warn"),
        decision=decision.get("ref"),
        result=decision.get("result") or extension(element, "script").get("result"),
        script=text_of(child(element, "script")) or None,
        called=element.get("calledElement"),
        binding=extension(element, "binding").get("version"),
        schema=task.get("schema"),
        priority=assignment.get("priority"),
        deadline=deadline_of(element),
        language=element.get("scriptFormat"),
        stays=bool(extensions(element, "stays")),
        fallback=retry.get("fallback"),
        apart=task.get("apart"),
    )


def deadline_of(element: Element) -> str | None:
    """Read how long an activity or a process may take; one that says nothing is no duration."""
    drawn = extensions(element, "deadline")
    return (drawn[0].get("within") or "") if drawn else None


def number_of(text: str | None, *, otherwise: int) -> int | None:
    """Read a whole number of at most nine digits; None for no text, `otherwise` for another."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else otherwise


def _assignments(element: Element, name: str) -> tuple[Assignment, ...]:
    # Inputs and outputs may stand beside `frontline:task` or inside it.
    drawn = extensions(element, name) + nested_extensions(element, "task", name)
    return tuple(
        Assignment(
            each.get("name") or "",
            each.get("value"),
            line_of(each),
            is_optional=each.get("optional") == "true",
        )
        for each in drawn
    )


def _loop(element: Element) -> MultiInstance | None:
    drawn = child(element, "multiInstanceLoopCharacteristics")
    if drawn is None:
        return None
    loop = extension(drawn, "loop")
    return MultiInstance(
        is_sequential=drawn.get("isSequential") == "true",
        collection=loop.get("collection"),
        item=loop.get("item", "item"),
        cardinality=text_of(child(drawn, "loopCardinality")) or None,
        completion=text_of(child(drawn, "completionCondition")) or None,
        into=loop.get("into"),
        result=loop.get("result"),
    )
