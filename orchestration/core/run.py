"""The workbench of one step: a state opened for change, with what it causes written down."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestration.bpmn.model import Kind, Node
from orchestration.core import history as past
from orchestration.core.commands import CancelTimer, Command, Unsubscribe, WithdrawActivities
from orchestration.core.definition import Definition
from orchestration.core.state import (
    InstanceState,
    Scope,
    Status,
    Subscription,
    Timer,
    Token,
    Trigger,
    Undo,
    Variables,
    Wait,
    with_value,
)
from orchestration.dmn.result import DecisionModel
from orchestration.feel import Expression, Result
from orchestration.feel.values import FeelValue, data_only

_NOTHING: Variables = {}


class CannotGoOn(Exception):
    """A token cannot do what its node says; it becomes an incident."""

    code = "cannot_go_on"
    is_retryable = False

    def __init__(self, incident: str, words: str) -> None:
        super().__init__(incident, words)
        self.incident, self.words = incident, words


@dataclass(frozen=True, slots=True)
class Arrival:
    """A token about to enter a node; `is_triggered` says that the event there has happened."""

    node: str
    scope: str
    flow: str | None = None
    item: int | None = None
    is_triggered: bool = False
    payload: Variables = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finish:
    """A token whose work or event is done, with what came back.

    `is_repeated` says that the answer was taken in before and only the way on was missing, `inner`
    what was completed inside and can be undone.
    """

    token: str
    scope: str
    payload: Variables = field(default_factory=dict)
    is_repeated: bool = False
    inner: tuple[Undo, ...] = ()


@dataclass(frozen=True, slots=True)
class Enter:
    """A token that is to enter its node once more, or with `work` only to ask for that again.

    For an event sub-process `payload` is what its start event brought, and `inner` what it is there
    to undo.
    """

    token: str
    scope: str
    work: Wait | None = None
    payload: Variables = field(default_factory=dict)
    inner: tuple[Undo, ...] = ()


class Run:
    """One step in the making. Only `advance` creates it, and freezes it at the end."""

    def __init__(
        self,
        definition: Definition,
        state: InstanceState,
        at: datetime,
        decisions: Mapping[str, DecisionModel],
    ) -> None:
        self.definition, self.at, self.decisions = definition, at, decisions
        self.process, self.status, self.code = state.process, state.status, state.code
        self.counter, self.requires_inputs = state.counter, state.requires_inputs
        self.tokens = {token.id: token for token in state.tokens}
        self.scopes = {scope.id: scope for scope in state.scopes}
        self.timers = {timer.id: timer for timer in state.timers}
        self.subscriptions = {each.id: each for each in state.subscriptions}
        # Whether a variable changed, so that conditions must be looked at again.
        self.is_changed = False
        # Whether something in this step went too far, so that the rest is held.
        self.is_exhausted = False
        # What the expressions and decisions of this step took to compute.
        self.spent = 0
        self.agenda: deque[Arrival | Finish | Enter] = deque()
        self.commands: list[Command] = []
        self.history: list[past.Entry] = []

    def frozen(self) -> InstanceState:
        """Give the state as it now is."""
        return InstanceState(
            process=self.process,
            status=self.status,
            counter=self.counter,
            tokens=tuple(self.tokens.values()),
            scopes=tuple(self.scopes.values()),
            timers=tuple(self.timers.values()),
            subscriptions=tuple(self.subscriptions.values()),
            code=self.code,
            requires_inputs=self.requires_inputs,
        )

    @property
    def is_running(self) -> bool:
        """Tell whether the instance still lives."""
        return self.status is Status.RUNNING

    def command(self, command: Command) -> None:
        """Ask the shell for something."""
        self.commands.append(command)

    def record(self, entry: past.Entry) -> None:
        """Write down what happened."""
        self.history.append(entry)

    def next_number(self) -> int:
        """Give the next number of the instance's own counter."""
        self.counter += 1
        return self.counter

    # Tokens.

    def place(self, arrival: Arrival) -> Token:
        """Put a new token on the node an arrival leads to."""
        visit = self.next_number()
        token = Token(
            id=f"t{visit}",
            node=arrival.node,
            scope=arrival.scope,
            visit=visit,
            wait=Wait.EVENT,
            flow=arrival.flow,
            item=arrival.item,
        )
        self.tokens[token.id] = token
        self.record(past.NodeEntered(token.node, token.id, visit, token.scope))
        return token

    def put(self, token: Token) -> None:
        """Store a token, new or changed."""
        self.tokens[token.id] = token

    def waiting(self, token: Token, wait: Wait) -> Token:
        """Let a token wait where it stands."""
        changed = replace(token, wait=wait, work=None)
        self.tokens[token.id] = changed
        return changed

    def tokens_in(self, scope: str) -> list[Token]:
        """List the tokens of a scope, oldest first."""
        return [token for token in self.tokens.values() if token.scope == scope]

    def remove(self, token: Token, because: str) -> None:
        """Take a token off its node, with every ear it had open."""
        self.disarm(token.id)
        self.tokens.pop(token.id, None)
        self.record(past.NodeLeft(token.node, token.id, token.visit, because))

    def disarm(self, owner: str) -> None:
        """Cancel the timers and subscriptions of a token or scope."""
        for timer in [each for each in self.timers.values() if each.owner == owner]:
            self.drop_timer(timer)
        for ear in [each for each in self.subscriptions.values() if each.owner == owner]:
            self.drop_subscription(ear)

    def drop_timer(self, timer: Timer) -> None:
        """Cancel one timer."""
        del self.timers[timer.id]
        self.command(CancelTimer(timer.id))

    def drop_subscription(self, subscription: Subscription) -> None:
        """Close one subscription."""
        del self.subscriptions[subscription.id]
        if subscription.trigger is not Trigger.CONDITION and subscription.heard is None:
            self.command(Unsubscribe(subscription.id))

    # Scopes and variables.

    def open_scope(self, scope: Scope) -> None:
        """Store a scope, new or changed."""
        self.scopes[scope.id] = scope

    def close_scope(self, scope: Scope) -> None:
        """Forget a scope, with every ear it had open and every choice it offered."""
        self.disarm(scope.id)
        del self.scopes[scope.id]
        if scope.is_inside and scope.owner is not None and not scope.is_closing:
            owner = self.tokens.get(scope.owner)
            if owner is not None and self.definition.node(owner.node).kind is Kind.AD_HOC:
                self.command(WithdrawActivities(owner.id, owner.node, owner.visit))

    def home_of(self, scope_id: str) -> Scope:
        """Give the scope that a token's container, or its whole loop, runs in."""
        scope = self.scopes[scope_id]
        while scope.owner is None and scope.parent is not None and not scope.is_compensation:
            scope = self.scopes[scope.parent]
        return scope

    def scopes_of(self, owner: str) -> list[Scope]:
        """List the scopes a token waits for."""
        return [scope for scope in self.scopes.values() if scope.owner == owner]

    def visible(self, scope_id: str) -> Variables:
        """Give the variables seen from a scope, inner ones hiding outer ones."""
        scope = self.scopes[scope_id]
        if scope.parent is None:
            return scope.variables
        outer = self.visible(scope.parent)
        return {**outer, **scope.variables} if scope.variables else outer

    def set_variable(self, scope_id: str, name: str, value: FeelValue, node: str | None) -> None:
        """Set a variable where it is known, or in the process when it is new.

        What an undoing sees is a copy, so that what it sets goes on to where the variable lives.
        """
        scope = self.scopes[scope_id]
        while scope.parent is not None:
            if scope.is_compensation:
                self._assign(scope, name, value)
            elif name in scope.variables:
                break
            scope = self.scopes[scope.parent]
        self._assign(scope, name, value)
        self.is_changed = True
        self.record(past.VariableSet(name, value, scope.id, node))

    def _assign(self, scope: Scope, name: str, value: FeelValue) -> None:
        self.scopes[scope.id] = replace(scope, variables=with_value(scope.variables, name, value))

    # Expressions.

    def evaluate(
        self, text: str, scope: str, extra: Variables = _NOTHING
    ) -> tuple[Result, Expression, Variables]:
        """Run one of the definition's expressions on what a scope sees."""
        expression = self.definition.expressions[text]
        context = {**self.visible(scope), **extra} if extra else self.visible(scope)
        result = expression.evaluate(context, at=self.at)
        self.spent += result.cost
        return replace(result, value=data_only(result.value)), expression, context

    def compute(
        self,
        node: Node,
        scope: str,
        purpose: str,
        text: str,
        extra: Variables = _NOTHING,
    ) -> FeelValue:
        """Run an expression and, where a null needs explaining, write down why."""
        result, expression, context = self.evaluate(text, scope, extra)
        if result.reasons:
            reads = expression.values_read(context)
            self.record(
                past.ExpressionEvaluated(
                    node.id, purpose, text, reads, result.value, result.reasons
                )
            )
        return result.value
