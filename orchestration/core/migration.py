"""Moving a running instance to another version of its drawing: first judged, then done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from orchestration.bpmn.model import ACTIVITIES, EventType, Node
from orchestration.core.definition import Definition
from orchestration.core.ears import arm
from orchestration.core.history import InstanceMigrated
from orchestration.core.run import CannotGoOn, Run
from orchestration.core.state import InstanceState, Subscription, Timer, Token, Wait
from orchestration.core.step import Step

_EARS = {EventType.TIMER, EventType.MESSAGE, EventType.SIGNAL}
_NO_MAPPING: Mapping[str, str] = {}


class Verdict(StrEnum):
    """Whether an instance can move, and if not, whether a mapping would help."""

    SAFE = "safe"
    NEEDS_MAPPING = "needs mapping"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way of one place of the instance."""

    node: str
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one instance, with every obstacle."""

    verdict: Verdict
    obstacles: tuple[Obstacle, ...]


class MigrationRefused(ValueError):
    """The instance cannot move to this version with this mapping; nothing has changed."""

    code = "migration_refused"
    is_retryable = False

    def __init__(self, verdict: str, words: str) -> None:
        super().__init__(verdict, words)
        self.verdict, self.words = verdict, words


def judge(
    *,
    old: Definition,
    new: Definition,
    state: InstanceState,
    mapping: Mapping[str, str] = _NO_MAPPING,
) -> Judgement:
    """Say whether an instance of one version can go on in another.

    `mapping` gives for nodes of the old version their place in the new one; every other node keeps
    its id.
    """
    obstacles = tuple(_obstacles(old, new, state, mapping))
    kinds = {obstacle.verdict for obstacle in obstacles}
    for verdict in (Verdict.BLOCKED, Verdict.NEEDS_MAPPING):
        if verdict in kinds:
            return Judgement(verdict, obstacles)
    return Judgement(Verdict.SAFE, obstacles)


def migrate(
    *,
    old: Definition,
    new: Definition,
    state: InstanceState,
    at: datetime,
    mapping: Mapping[str, str] = _NO_MAPPING,
) -> Step:
    """Move an instance: guards the new version lacks are disarmed, new ones armed as of `at`.

    A guard both versions have keeps what it was armed with, because a deadline that was agreed
    does not move. Work that was asked for stays asked for.

    Raises:
        MigrationRefused: the instance cannot move.
    """
    judgement = judge(old=old, new=new, state=state, mapping=mapping)
    if judgement.verdict is not Verdict.SAFE:
        raise MigrationRefused(judgement.verdict.value, judgement.obstacles[0].words)
    run = Run(new, _renamed(state, new, mapping), at, {})
    try:
        _renew_guards(run, old, new, mapping)
    except CannotGoOn as error:
        raise MigrationRefused(Verdict.BLOCKED.value, error.words) from error
    moved = tuple(sorted(mapping.items()))
    run.record(InstanceMigrated(old.digest, new.digest, moved))
    return Step(run.frozen(), tuple(run.commands), tuple(run.history))


def _obstacles(
    old: Definition, new: Definition, state: InstanceState, mapping: Mapping[str, str]
) -> Iterator[Obstacle]:
    for token in state.tokens:
        yield from _node_obstacles(old, new, token.node, mapping)
        yield from _join_obstacles(new, token, mapping)
    places = [scope.node for scope in state.scopes if scope.node is not None]
    places += [undo.handler for scope in state.scopes for undo in scope.undo]
    for place in places:
        yield from _node_obstacles(old, new, place, mapping)
    ears: list[Timer | Subscription] = [*state.timers, *state.subscriptions]
    for ear in ears:
        if old.node(ear.node).attached_to is None:
            yield from _node_obstacles(old, new, ear.node, mapping)


def _node_obstacles(
    old: Definition, new: Definition, node_id: str, mapping: Mapping[str, str]
) -> Iterator[Obstacle]:
    before = old.node(node_id)
    after = new.process.nodes.get(mapping.get(node_id, node_id))
    if after is None:
        words = f"{node_id} is not in the new version"
        yield Obstacle(node_id, Verdict.NEEDS_MAPPING, words)
    elif after.kind is not before.kind or after.event.type is not before.event.type:
        words = f"{node_id} is a {after.tag} in the new version, not a {before.tag}"
        yield Obstacle(node_id, Verdict.BLOCKED, words)
    elif _container(after, new) != _container(before, old, mapping):
        words = f"{node_id} stands in another sub-process in the new version"
        yield Obstacle(node_id, Verdict.BLOCKED, words)
    elif (after.loop is None) != (before.loop is None):
        words = f"{node_id} is repeated in one version only"
        yield Obstacle(node_id, Verdict.BLOCKED, words)


def _container(
    node: Node, definition: Definition, mapping: Mapping[str, str] = _NO_MAPPING
) -> str | None:
    if node.container == definition.process.id:
        return None
    return mapping.get(node.container, node.container)


def _join_obstacles(
    new: Definition, token: Token, mapping: Mapping[str, str]
) -> Iterator[Obstacle]:
    after = new.process.nodes.get(mapping.get(token.node, token.node))
    if token.wait is Wait.JOIN and after is not None and token.flow not in after.incoming:
        words = f"{token.node} waits for a flow that the new version does not have"
        yield Obstacle(token.node, Verdict.BLOCKED, words)


def _renamed(state: InstanceState, new: Definition, mapping: Mapping[str, str]) -> InstanceState:
    def name(node: str) -> str:
        return mapping.get(node, node)

    scopes = tuple(
        replace(
            scope,
            node=None if scope.node is None else name(scope.node),
            undo=tuple(
                replace(each, node=name(each.node), handler=name(each.handler))
                for each in scope.undo
            ),
        )
        for scope in state.scopes
    )
    return replace(
        state,
        process=new.process.id,
        tokens=tuple(replace(each, node=name(each.node)) for each in state.tokens),
        scopes=scopes,
        timers=tuple(replace(each, node=name(each.node)) for each in state.timers),
        subscriptions=tuple(replace(each, node=name(each.node)) for each in state.subscriptions),
    )


def _renew_guards(run: Run, old: Definition, new: Definition, mapping: Mapping[str, str]) -> None:
    """Give every activity under way the boundary events of the new version."""
    had = {
        mapping.get(boundary.id, boundary.id)
        for boundaries in old.boundaries.values()
        for boundary in boundaries
    }
    for timer in tuple(run.timers.values()):
        if _is_gone(timer, run, new):
            run.drop_timer(timer)
    for ear in tuple(run.subscriptions.values()):
        if _is_gone(ear, run, new):
            run.drop_subscription(ear)
    for token in tuple(run.tokens.values()):
        is_guarded = new.node(token.node).kind in ACTIVITIES and token.item is None
        for boundary in new.boundaries.get(token.node, ()) if is_guarded else ():
            if boundary.id not in had and boundary.event.type in _EARS:
                arm(run, token, boundary)


def _is_gone(ear: Timer | Subscription, run: Run, new: Definition) -> bool:
    node = new.process.nodes.get(ear.node)
    if node is None:
        return True
    return node.attached_to is not None and node.attached_to != run.tokens[ear.owner].node
