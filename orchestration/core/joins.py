"""Gateways where ways meet: parallel, inclusive and complex joins."""

from dataclasses import replace
from decimal import Decimal

from orchestration.bpmn.expressions import as_expression
from orchestration.bpmn.model import Kind, Node
from orchestration.core.flows import choose, leave, take
from orchestration.core.run import Finish, Run
from orchestration.core.state import Token, Variables, Wait


def enter_parallel(run: Run, token: Token, node: Node) -> None:
    """Wait until a token has come by every flow, then send one along each way out."""
    parked = [token]
    if len(node.incoming) > 1:
        run.waiting(token, Wait.JOIN)
        parked = _parked(run, token)
        if len(parked) < len(node.incoming):
            return
    for each in parked[:-1]:
        run.remove(each, "joined")
    survivor = parked[-1]
    run.remove(survivor, "done")
    for flow in run.definition.outgoing[node.id]:
        take(run, survivor, flow, reads={}, is_default=False)


def enter_inclusive(run: Run, token: Token, node: Node) -> None:
    """Wait until no further token can come, then take every way that holds."""
    if len(node.incoming) > 1:
        run.waiting(token, Wait.JOIN)
    else:
        leave(run, token)


def enter_complex(run: Run, token: Token, node: Node) -> None:
    """Wait until enough tokens have come for the activation condition, then take ways that hold.

    What comes later is taken in, too, until nothing further can come and the gateway starts anew.

    Raises:
        CannotGoOn: it opens, and no way out holds.
    """
    if len(node.incoming) < 2:
        leave(run, token)
        return
    run.waiting(token, Wait.JOIN)
    parked = _parked(run, token)
    if _resting(run, token) or not _is_activated(run, token, node, len(parked)):
        return
    counts: Variables = {"activationCount": Decimal(len(parked)), "waitingForStart": True}
    ways = choose(run, token, node, extra=counts)
    for each in parked:
        run.put(replace(each, wait=Wait.RESET))
    for flow, reads in ways:
        take(run, token, flow, reads=reads, is_default=flow.id == node.default_flow)


def _is_activated(run: Run, token: Token, node: Node, count: int) -> bool:
    text = as_expression(node.activation)
    if text is None:
        return count == len(node.incoming)
    counted: Variables = {"activationCount": Decimal(count)}
    return run.compute(node, token.scope, "activation", text, counted) is True


def open_join(run: Run) -> bool:
    """Let one join go on to which no further token can come; say if there was one."""
    for token in run.tokens.values():
        kind = run.definition.node(token.node).kind
        if token.wait is Wait.JOIN and kind is Kind.INCLUSIVE:
            parked = _parked(run, token)
            if not _is_awaited(run, token, {each.flow for each in parked}):
                _merge(run, parked)
                return True
        elif token.wait is Wait.RESET and not _is_awaited(run, token, _seen(run, token)):
            _start_anew(run, token)
            return True
    return False


def _parked(run: Run, token: Token) -> list[Token]:
    """Find the oldest token of every flow that waits at the same join."""
    found: dict[str | None, Token] = {}
    for each in run.tokens_in(token.scope):
        if each.node == token.node and each.wait is Wait.JOIN:
            found.setdefault(each.flow, each)
    return list(found.values())


def _resting(run: Run, token: Token) -> list[Token]:
    """Find the tokens a complex gateway has opened for and still stands on."""
    return [
        each
        for each in run.tokens_in(token.scope)
        if each.node == token.node and each.wait is Wait.RESET
    ]


def _seen(run: Run, token: Token) -> set[str | None]:
    return {each.flow for each in (*_resting(run, token), *_parked(run, token))}


def _is_awaited(run: Run, token: Token, arrived: set[str | None]) -> bool:
    """Tell whether a token may still come by a flow none has come by.

    One that may come by a flow with a token as well is not waited for, as the specification says.
    """
    reach = run.definition.reach[token.node]
    covered = {node for flow, nodes in reach.items() if flow in arrived for node in nodes}
    others = {each.node for each in run.tokens_in(token.scope) if each.node != token.node}
    return any(
        node in nodes and node not in covered
        for flow, nodes in reach.items()
        if flow not in arrived
        for node in others
    )


def _merge(run: Run, parked: list[Token]) -> None:
    survivor = parked[-1]
    for token in parked[:-1]:
        run.remove(token, "joined")
    run.waiting(survivor, Wait.EVENT)
    run.agenda.append(Finish(survivor.id, survivor.scope, is_repeated=True))


def _start_anew(run: Run, token: Token) -> None:
    """Take in what came late at a complex gateway; its ways out may ask for `waitingForStart`."""
    node = run.definition.node(token.node)
    late = _parked(run, token)
    counts: Variables = {"activationCount": Decimal(len(late)), "waitingForStart": False}
    ways = choose(run, token, node, extra=counts, may_be_none=True)
    resting = _resting(run, token)
    for each in (*resting, *late):
        run.remove(each, "joined")
    for flow, reads in ways:
        take(run, token, flow, reads=reads, is_default=False)
