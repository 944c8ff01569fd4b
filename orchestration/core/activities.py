"""Activities: asking for work, doing what needs nobody, and taking the answer in."""

from collections.abc import Callable

from orchestration.bpmn.expressions import as_expression, expression_of
from orchestration.bpmn.model import Assignment, Kind, Node
from orchestration.core import history as past
from orchestration.core.commands import (
    CallKind,
    CallService,
    CreateHumanTask,
    RetryPolicy,
    SendMessage,
    StartChild,
)
from orchestration.core.ears import arm, correlation_of
from orchestration.core.rules import decide
from orchestration.core.run import Arrival, CannotGoOn, Finish, Run
from orchestration.core.state import Scope, Token, Variables, Wait
from orchestration.feel.formatting import text_of
from orchestration.feel.values import FeelValue

_DEFAULT_RETRY = RetryPolicy()


def start_work(run: Run, token: Token, node: Node) -> None:
    """Do what an activity says, or ask for it to be done.

    Raises:
        CannotGoOn: something it needs has no value.
    """
    _STARTERS[node.kind](run, token, node)


def inputs_of(run: Run, token: Token, node: Node) -> Variables:
    """Compute the declared inputs of a node."""
    return {each.name: _value(run, token.scope, node, each, "input") for each in node.work.inputs}


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
    )
    run.waiting(token, Wait.SERVICE)
    run.command(CallService(token.id, node.id, token.visit, CallKind(kind), name, inputs, retry))
    run.record(past.WorkAsked(node.id, token.id, token.visit, work.call or "", inputs))


def _send(run: Run, token: Token, node: Node) -> None:
    if node.work.call is not None:
        _call_service(run, token, node)
        return
    send_message(run, token, node)
    run.agenda.append(Finish(token.id, token.scope))


def send_message(run: Run, token: Token, node: Node) -> None:
    """Put the message of a throwing node on the bus, with its inputs as payload.

    Raises:
        CannotGoOn: its correlation has no value.
    """
    name = node.event.name or node.name
    key = correlation_of(run, node, token.scope)
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
        )
    )
    run.record(past.WorkAsked(node.id, token.id, token.visit, "human task", inputs))


def _names(run: Run, token: Token, node: Node, text: str | None) -> tuple[str, ...]:
    """Read a list of names: written out with commas, or computed."""
    feel = expression_of(text)
    if feel is None:
        return tuple(part.strip() for part in (text or "").split(",") if part.strip())
    value = run.compute(node, token.scope, "assignment", feel)
    items = value if isinstance(value, tuple) else (value,)
    return tuple(item for item in items if isinstance(item, str))


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


def _open_sub_process(run: Run, token: Token, node: Node) -> None:
    scope = Scope(
        id=f"s{run.next_number()}",
        node=node.id,
        parent=token.scope,
        owner=token.id,
        variables=inputs_of(run, token, node),
    )
    run.open_scope(scope)
    run.waiting(token, Wait.SCOPE)
    for start in run.definition.starts.get(node.id, ()):
        run.agenda.append(Arrival(start.id, scope.id, is_triggered=True))


def _start_child(run: Run, token: Token, node: Node) -> None:
    feel = expression_of(node.work.called)
    called = node.work.called if feel is None else run.compute(node, token.scope, "process", feel)
    if not isinstance(called, str):
        raise CannotGoOn("process_unknown", f"{node.id}: the called process has no name")
    inputs = inputs_of(run, token, node)
    run.waiting(token, Wait.CHILD)
    run.command(StartChild(token.id, node.id, token.visit, called, inputs))
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
    Kind.CALL: _start_child,
}
