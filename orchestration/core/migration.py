"""Moving a running instance to another version of its drawing: first judged, then done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestration.bpmn.model import Kind, Node
from orchestration.core.definition import Definition
from orchestration.core.guards import renamed, renew_guards
from orchestration.core.history import InstanceMigrated
from orchestration.core.run import CannotGoOn, Run
from orchestration.core.state import InstanceState, Subscription, Timer, Token, Trigger, Undo, Wait
from orchestration.core.step import Step

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
    obstacles = (
        *_obstacles(old, new, state, mapping),
        *_ear_obstacles(old, new, state, mapping),
    )
    return _judged(obstacles)


def _judged(obstacles: tuple[Obstacle, ...]) -> Judgement:
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
    does not move. Work that was asked for stays asked for. What `judge` says of the ears of an
    instance is not asked here, so that what was moved before can be replayed.

    Raises:
        MigrationRefused: the instance cannot move.
    """
    judgement = _judged(tuple(_obstacles(old, new, state, mapping)))
    if judgement.verdict is not Verdict.SAFE:
        raise MigrationRefused(judgement.verdict.value, judgement.obstacles[0].words)
    run = Run(new, renamed(state, new, mapping), at, {})
    try:
        renew_guards(run, old, mapping)
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
    places += [place for scope in state.scopes for place in _undo_places(scope.undo)]
    for place in places:
        yield from _node_obstacles(old, new, place, mapping)
    ears: list[Timer | Subscription] = [*state.timers, *state.subscriptions]
    for ear in ears:
        if any(ear.owner == token.id for token in state.tokens) and not _is_guard(old, ear):
            yield from _node_obstacles(old, new, ear.node, mapping)


def _node_obstacles(
    old: Definition, new: Definition, node_id: str, mapping: Mapping[str, str]
) -> Iterator[Obstacle]:
    before = old.node(node_id)
    after = new.process.nodes.get(mapping.get(node_id, node_id))
    if after is None:
        words = f"{node_id} is not in the new version"
        yield Obstacle(node_id, Verdict.NEEDS_MAPPING, words)
    elif after.kind is not before.kind or _event_types(after) != _event_types(before):
        words = f"{node_id} is a {after.tag} in the new version, not a {before.tag}"
        yield Obstacle(node_id, Verdict.BLOCKED, words)
    elif _container(after, new) != _container(before, old, mapping):
        words = f"{node_id} stands in another sub-process in the new version"
        yield Obstacle(node_id, Verdict.BLOCKED, words)
    elif _repetition(after) != _repetition(before):
        words = f"{node_id} is repeated in one version only"
        yield Obstacle(node_id, Verdict.BLOCKED, words)


def _ear_obstacles(
    old: Definition, new: Definition, state: InstanceState, mapping: Mapping[str, str]
) -> Iterator[Obstacle]:
    """Find what the instance would go on to listen for though the new version awaits another."""
    for ear in state.subscriptions:
        before = old.node(ear.node)
        after = new.process.nodes.get(mapping.get(ear.node, ear.node))
        if after is None or _event_types(after) != _event_types(before):
            continue
        heard, awaited = before.events[ear.event].name, after.events[ear.event].name
        if ear.trigger is not Trigger.CONDITION and heard != awaited:
            words = f"{ear.node} awaits {awaited} in the new version, and the case awaits {heard}"
            yield Obstacle(ear.node, Verdict.BLOCKED, words)
    for token in state.tokens:
        after = new.process.nodes.get(mapping.get(token.node, token.node))
        if after is None or after.kind is not Kind.EVENT_BASED or token.wait is not Wait.EVENT:
            continue
        known = {mapping.get(flow.target, flow.target) for flow in old.outgoing[token.node]}
        if known != {flow.target for flow in new.outgoing[after.id]}:
            words = f"{token.node} awaits other events in the new version than the case does"
            yield Obstacle(token.node, Verdict.BLOCKED, words)


def _undo_places(undone: tuple[Undo, ...]) -> Iterator[str]:
    for each in undone:
        yield each.node
        if each.handler is not None:
            yield each.handler
        yield from _undo_places(each.inner)


def _is_guard(definition: Definition, ear: Timer | Subscription) -> bool:
    return definition.node(ear.node).attached_to is not None


def _event_types(node: Node) -> tuple[str, ...]:
    return tuple(event.type.value for event in node.events)


def _repetition(node: Node) -> tuple[bool, bool, bool]:
    return node.loop is None, node.repeat is None, node.is_event_sub_process


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
    if (
        token.wait in {Wait.JOIN, Wait.RESET}
        and after is not None
        and token.flow not in after.incoming
    ):
        words = f"{token.node} waits for a flow that the new version does not have"
        yield Obstacle(token.node, Verdict.BLOCKED, words)
