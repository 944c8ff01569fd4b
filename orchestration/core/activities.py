"""Activities: asking for work, doing what needs nobody, and taking the answer in."""

from collections.abc import Callable

from orchestration.bpmn.expressions import as_expression, expression_of
from orchestration.bpmn.model import Assignment, EventDefinition, Kind, Node
from orchestration.bpmn.node_checks import PRIORITIES
from orchestration.core import history as past
from orchestration.core.arming import arm, arm_event_sub_processes, correlation_of
from orchestration.core.choosing import offer
from orchestration.core.commands import (
    CallKind,
    CallService,
    CreateHumanTask,
    RetryPolicy,
    SendMessage,
    StartChild,
)
from orchestration.core.deadlines import deadline_of, may_begin
from orchestration.core.rules import decide
from orchestration.core.run import Arrival, CannotGoOn, Finish, Run
from orchestration.core.state import Scope, Token, Undo, Variables, Wait
from orchestration.feel.formatting import text_of
from orchestration.feel.values import FeelValue

_DEFAULT_RETRY = RetryPolicy()


def start_work(run: Run, token: Token, node: Node) -> None:
    """Do what an activity says, or ask for it to be done.

    Raises:
        CannotGoOn: something it needs has no value.
    """
    if may_begin(run, token, node):
        _STARTERS[node.kind](run, token, node)


def inputs_of(run: Run, token: Token, node: Node) -> Variables:
    """Compute the declared inputs of a node.

    Raises:
        CannotGoOn: an activity needs a variable that was never set.
    """
    if run.requires_inputs and node.kind in _STARTERS:
        _require_inputs(run, token, node)
    return {each.name: _value(run, token.scope, node, each, "input") for each in node.work.inputs}


def _require_inputs(run: Run, token: Token, node: Node) -> None:
    """Let no activity begin before its inputs exist; one that was set to null does exist."""
    known = run.visible(token.scope)
    for each in node.work.inputs:
        for name in () if each.is_optional else _named_in(run, each):
            if name not in known:
                words = f"{node.id}: the input {each.name!r} needs {name!r}, which was never set"
                raise CannotGoOn("input_missing", words)


def _named_in(run: Run, each: Assignment) -> tuple[str, ...]:
    """List the variables an input names."""
    if each.value is None:
        return (each.name,)
    feel = expression_of(each.value)
    if feel is None:
        return ()
    return tuple(path[0] for path in run.definition.expressions[feel].reads)


def _value(run: Run, scope: str, node: Node, each: Assignment, purpose: str) -> FeelValue:
    if each.value is None:
        return run.visible(scope).get(each.name)
    feel = expression_of(each.value)
    return each.value if feel is None else run.compute(node, scope, purpose, feel)


def keep_outputs(run: Run, token: Token, node: Node, payload: Variables) -> None:
    """Set the variables a node's outputs name from what came back, seen as `result`.

    Nothing else of the answer is kept: what an outside system sends cannot overwrite a variable
    that the drawing does not hand to it.
    """
    for each in node.work.outputs:
        feel = expression_of(each.value)
        if each.value is None:
            value = payload.get(each.name)
        elif feel is None:
            value = each.value
        else:
            value = run.compute(node, token.scope, "output", feel, {"result": payload})
        run.set_variable(token.scope, each.name, value, node.id)


def _pass_through(run: Run, token: Token, node: Node) -> None:
    del node
    run.agenda.append(Finish(token.id, token.scope))


def _call_service(run: Run, token: Token, node: Node) -> None:
    work = node.work
    kind, _, name = (work.call or "").partition(":")
    inputs = inputs_of(run, token, node)
    retry = RetryPolicy(
        work.attempts if work.attempts is not None else _DEFAULT_RETRY.attempts,
        work.backoff or _DEFAULT_RETRY.backoff,
        work.jitter if work.jitter is not None else _DEFAULT_RETRY.jitter,
        work.limit or _DEFAULT_RETRY.limit,
    )
    run.waiting(token, Wait.SERVICE)
    due = deadline_of(run, token)
    call = CallService(token.id, node.id, token.visit, CallKind(kind), name, inputs, retry, due)
    run.command(call)
    run.record(past.WorkAsked(node.id, token.id, token.visit, work.call or "", inputs))


def _send(run: Run, token: Token, node: Node) -> None:
    if node.work.call is not None:
        _call_service(run, token, node)
        return
    send_message(run, token, node, node.event)
    run.agenda.append(Finish(token.id, token.scope))


def send_message(run: Run, token: Token, node: Node, event: EventDefinition) -> None:
    """Put a message of a throwing node on the bus, with its inputs as payload.

    Raises:
        CannotGoOn: its correlation has no value.
    """
    name = event.name or node.name
    key = correlation_of(run, node, event, token.scope)
    payload = inputs_of(run, token, node)
    run.record(past.EventThrown(node.id, "message", name))
    run.command(SendMessage(node.id, token.visit, name, key, payload))


def _receive(run: Run, token: Token, node: Node) -> None:
    run.waiting(token, Wait.EVENT)
    arm(run, token, node)


def _create_human_task(run: Run, token: Token, node: Node) -> None:
    work = node.work
    inputs = inputs_of(run, token, node)
    roles = _names(run, token, node, work.roles) or ((node.lane,) if node.lane else ())
    if work.roles and not roles:
        raise CannotGoOn("assignment_invalid", f"{node.id}: no role may do this")
    run.waiting(token, Wait.HUMAN)
    run.command(
        CreateHumanTask(
            token=token.id,
            node=node.id,
            visit=token.visit,
            title=node.name,
            form=work.form,
            roles=roles,
            skills=_names(run, token, node, work.skills),
            exclude=_names(run, token, node, work.exclude),
            due=_text(run, token, node, work.due),
            warn=_text(run, token, node, work.warn),
            inputs=inputs,
            priority=_priority(run, token, node),
        )
    )
    run.record(past.WorkAsked(node.id, token.id, token.visit, "human task", inputs))


def _priority(run: Run, token: Token, node: Node) -> int:
    """Return how urgent a task is; what is no priority is none."""
    text = _text(run, token, node, node.work.priority)
    return PRIORITIES.index(text) if text in PRIORITIES else 0


def _names(run: Run, token: Token, node: Node, text: str | None) -> tuple[str, ...]:
    """Read a list of names: written out with commas, or computed.

    Raises:
        CannotGoOn: what is computed is no name or list of names. To leave one out would let in
            whoever it was to keep away.
    """
    feel = expression_of(text)
    if feel is None:
        return tuple(part.strip() for part in (text or "").split(",") if part.strip())
    value = run.compute(node, token.scope, "assignment", feel)
    items = value if isinstance(value, tuple) else (value,)
    names = tuple(item.strip() for item in items if isinstance(item, str))
    if len(names) < len(items) or not all(names):
        words = f"{node.id}: {feel} must give names, and gives something else or nothing"
        raise CannotGoOn("assignment_invalid", words)
    return names


def _text(run: Run, token: Token, node: Node, text: str | None) -> str | None:
    feel = expression_of(text)
    if feel is None:
        return text
    value = run.compute(node, token.scope, "service level", feel)
    return None if value is None else text_of(value)


def _run_script(run: Run, token: Token, node: Node) -> None:
    text = as_expression(node.work.script) or "null"
    result, expression, context = run.evaluate(text, token.scope)
    run.record(
        past.ExpressionEvaluated(
            node.id, "script", text, expression.values_read(context), result.value, result.reasons
        )
    )
    _keep_result(run, token, node, result.value)


def _make_decision(run: Run, token: Token, node: Node) -> None:
    _keep_result(run, token, node, decide(run, token, node, inputs_of(run, token, node)))


def _keep_result(run: Run, token: Token, node: Node, value: FeelValue) -> None:
    if node.work.result is not None:
        run.set_variable(token.scope, node.work.result, value, node.id)
    payload = value if isinstance(value, dict) else {"value": value}
    run.agenda.append(Finish(token.id, token.scope, payload))


def open_inside(
    run: Run, token: Token, node: Node, variables: Variables, undo: tuple[Undo, ...] = ()
) -> Scope:
    """Open the scope of a sub-process, with the ears of the event sub-processes in it.

    Raises:
        CannotGoOn: one of them cannot be armed; nothing is open then.
    """
    scope = Scope(f"s{run.next_number()}", node.id, token.scope, token.id, variables, undo)
    run.open_scope(scope)
    try:
        arm_event_sub_processes(run, scope, node.id)
    except CannotGoOn:
        run.close_scope(scope)
        raise
    run.waiting(token, Wait.SCOPE)
    return scope


def _open_sub_process(run: Run, token: Token, node: Node) -> None:
    scope = open_inside(run, token, node, inputs_of(run, token, node))
    for start in run.definition.starts.get(node.id, ()):
        run.agenda.append(Arrival(start.id, scope.id, is_triggered=True))


def _open_ad_hoc(run: Run, token: Token, node: Node) -> None:
    scope = open_inside(run, token, node, inputs_of(run, token, node))
    offer(run, token, scope.variables)


def _start_child(run: Run, token: Token, node: Node) -> None:
    feel = expression_of(node.work.called)
    called = node.work.called if feel is None else run.compute(node, token.scope, "process", feel)
    if not isinstance(called, str):
        raise CannotGoOn("process_unknown", f"{node.id}: the called process has no name")
    inputs = inputs_of(run, token, node)
    run.waiting(token, Wait.CHILD)
    binding = node.work.binding or "latest"
    due = deadline_of(run, token)
    run.command(StartChild(token.id, node.id, token.visit, called, inputs, binding, due))
    run.record(past.WorkAsked(node.id, token.id, token.visit, f"process {called}", inputs))


_STARTERS: dict[Kind, Callable[[Run, Token, Node], None]] = {
    Kind.TASK: _pass_through,
    Kind.MANUAL: _pass_through,
    Kind.SERVICE: _call_service,
    Kind.SEND: _send,
    Kind.RECEIVE: _receive,
    Kind.USER: _create_human_task,
    Kind.SCRIPT: _run_script,
    Kind.RULE: _make_decision,
    Kind.SUB_PROCESS: _open_sub_process,
    Kind.TRANSACTION: _open_sub_process,
    Kind.AD_HOC: _open_ad_hoc,
    Kind.CALL: _start_child,
}
