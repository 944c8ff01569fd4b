"""A running instance goes over to a new version, or stays exactly where it is."""

from datetime import timedelta

import pytest

from orchestration.core import MigrationRefused, Verdict, judge, migrate
from orchestration.core import commands as c
from orchestration.core.history import InstanceMigrated
from tests.unit.orchestration.core.stage import (
    NOON,
    Player,
    boundary,
    end,
    flow,
    node,
    output,
    process,
    service,
    start,
    timer,
)


def version(*parts: str, path: str = "start > work > end"):
    return process(start(), *parts, end(), flow(path))


OLD = version(service("work"))


def running(definition=OLD) -> Player:
    play = Player(definition)
    play.start()
    return play


def go_over(play: Player, new, mapping=None):
    step = migrate(old=play.definition, new=new, state=play.state, at=NOON, mapping=mapping or {})
    moved = Player(new)
    moved.state = step.state
    moved._prove = lambda before: None  # Its history began in another version.
    return step, moved


def test_same_place_in_a_longer_drawing_is_safe_and_goes_on_there():
    new = version(
        service("work", output("x", "= result.x")),
        service("check"),
        path="start > work > check > end",
    )
    play = running()

    assert judge(old=OLD, new=new, state=play.state).verdict is Verdict.SAFE
    step, moved = go_over(play, new)
    moved.complete("work", x=1)

    assert step.commands == ()
    assert step.history == (InstanceMigrated(OLD.digest, new.digest, ()),)
    assert moved.variables == {"x": 1}
    assert moved.waiting == ["check"]


def test_renamed_node_needs_a_mapping():
    new = version(service("labour"), path="start > labour > end")
    play = running()

    judgement = judge(old=OLD, new=new, state=play.state)
    assert judgement.verdict is Verdict.NEEDS_MAPPING
    assert judgement.obstacles[0].node == "work"
    with pytest.raises(MigrationRefused):
        go_over(play, new)

    step, moved = go_over(play, new, {"work": "labour"})
    moved.complete("labour")

    assert step.history[0].moved == (("work", "labour"),)
    assert moved.is_completed


@pytest.mark.parametrize(
    "new",
    [
        version(node("userTask", "work")),
        process(
            start(),
            node("subProcess", "sub", start("in") + service("work") + flow("in > work")),
            end(),
            flow("start > sub > end"),
        ),
        version(
            service(
                "work",
                "",
                "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>"
                "</multiInstanceLoopCharacteristics>",
            )
        ),
    ],
)
def test_another_kind_of_place_blocks(new):
    play = running()
    before = play.state

    assert judge(old=OLD, new=new, state=play.state).verdict is Verdict.BLOCKED
    with pytest.raises(MigrationRefused):
        go_over(play, new)
    assert play.state == before


def test_join_that_lost_its_flow_blocks():
    def forked(*ways: str):
        parts = [part for way in ways for part in (service(way), flow(f"fork > {way} > join"))]
        gates = (node("parallelGateway", "fork"), node("parallelGateway", "join"))
        return process(start(), *gates, *parts, end(), flow("start > fork"), flow("join > end"))

    old, new = forked("a", "b"), forked("b", "c")
    play = running(old)
    play.complete("a")

    assert judge(old=old, new=new, state=play.state).verdict is Verdict.BLOCKED


def guarded(*guards: str):
    ways = [flow(f"{name} > end") for name in ("g1", "g2") if any(f'"{name}"' in g for g in guards)]
    return version(service("work"), *guards, *ways)


def test_new_guards_are_armed_and_lost_ones_disarmed():
    old = guarded(boundary("g1", "work", timer("PT1H")))
    new = guarded(boundary("g2", "work", timer("PT2H")))

    step, moved = go_over(running(old), new)

    assert [type(each) for each in step.commands] == [c.CancelTimer, c.ArmTimer]
    assert [each.node for each in moved.state.timers] == ["g2"]
    assert moved.state.timers[0].due_at == NOON + timedelta(hours=2)
    moved.fire("g2")
    assert moved.is_completed


def test_agreed_deadline_does_not_move():
    old = guarded(boundary("g1", "work", timer("PT1H")))
    new = guarded(boundary("g1", "work", timer("PT9H")))

    step, moved = go_over(running(old), new)

    assert step.commands == ()
    assert moved.state.timers[0].due_at == NOON + timedelta(hours=1)


def test_ended_instance_has_no_obstacle():
    play = running()
    play.complete("work")

    judged = judge(
        old=OLD, new=version(service("other"), path="start > other > end"), state=play.state
    )

    assert judged.verdict is Verdict.SAFE
