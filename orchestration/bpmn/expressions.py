"""Where FEEL stands in a drawing, and which of its texts are FEEL at all."""

from collections.abc import Iterator

from orchestration.bpmn.model import Flow, Node, Process


def expression_of(text: str | None) -> str | None:
    """Give the FEEL of a text that begins with `=`; None for a plain text."""
    if text is None or not text.lstrip().startswith("="):
        return None
    return text.lstrip()[1:].strip()


def condition_of(flow: Flow) -> str | None:
    """Give the FEEL of a flow's condition; the `=` in front is optional there."""
    return as_expression(flow.condition)


def as_expression(text: str | None) -> str | None:
    """Give the FEEL of a place that always holds FEEL, with or without the `=` in front."""
    return None if text is None else expression_of(text) or text.strip()


def expression_texts(process: Process) -> Iterator[tuple[str, str]]:
    """List every FEEL text of a process with the id of the element it stands in."""
    for flow in process.flows.values():
        condition = condition_of(flow)
        if condition is not None:
            yield condition, flow.id
    for node in process.nodes.values():
        for text in _texts_of(node):
            if text is not None:
                yield text, node.id


def _texts_of(node: Node) -> Iterator[str | None]:
    work = node.work
    for assignment in (*work.inputs, *work.outputs):
        yield expression_of(assignment.value)
    for text in (
        work.roles,
        work.skills,
        work.exclude,
        work.due,
        work.warn,
        work.called,
        work.priority,
        work.deadline,
    ):
        yield expression_of(text)
    yield as_expression(work.script)
    yield as_expression(node.activation)
    for event in node.events:
        yield as_expression(event.correlation)
        yield expression_of(event.timer)
        yield as_expression(event.condition)
    yield from _loop_texts(node)


def _loop_texts(node: Node) -> Iterator[str | None]:
    if node.loop is not None:
        loop = node.loop
        for text in (loop.collection, loop.cardinality, loop.completion, loop.result):
            yield as_expression(text)
    if node.repeat is not None:
        yield as_expression(node.repeat.condition)
    if node.ad_hoc is not None:
        yield as_expression(node.ad_hoc.completion)


def names_in_scope(process: Process) -> frozenset[str]:
    """Collect the variable names a process mentions, so that those with spaces are known."""
    names = {"result", *process.variables}
    for node in process.nodes.values():
        work = node.work
        names.update(each.name for each in (*work.inputs, *work.outputs) if each.name)
        names.update({work.result or "", *_loop_names(node)})
    return frozenset(name for name in names if name)


def _loop_names(node: Node) -> set[str]:
    return set() if node.loop is None else {node.loop.item, node.loop.into or ""}
