"""What is meant to break the engine: refused with its place, or given a defined outcome."""

from datetime import timedelta
from time import monotonic
from xml.sax.saxutils import escape

import pytest

from orchestration.bpmn import DrawingRefused, check, parse
from orchestration.bpmn.reading import ELEMENTS_MAX
from orchestration.core import advance, deploy, new_state
from orchestration.core import commands as c
from orchestration.core import events as e
from orchestration.core.state import Status, Wait
from tests.unit.orchestration.core.stage import (
    NAMESPACES,
    NOON,
    Player,
    boundary,
    end,
    flow,
    node,
    process,
    service,
    start,
    timer,
    xml,
)

TENFOLD = "".join(f'<!ENTITY l{n} "' + f"&l{n - 1};" * 10 + '">' for n in range(1, 10))
LAUGHS = f'<!DOCTYPE d [<!ENTITY l0 "ha">{TENFOLD}]><d>&l9;</d>'
OUTSIDE = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><d>&x;</d>'
PARAMETER = '<!DOCTYPE d [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]><d/>'
DEEP = "<a>" * 200_000
WIDE = "<d " + " ".join(f"a{n}='1'" for n in range(100_000)) + "/>"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (LAUGHS, "has_document_type"),
        (OUTSIDE, "has_document_type"),
        (PARAMETER, "has_document_type"),
        ("<!DOCTYPE d><d/>", "has_document_type"),
        (DEEP, "nests_too_deeply"),
        (WIDE, "not_bpmn"),
        ("x" * 20_000_000, "too_large"),
        (f"<definitions {NAMESPACES}><process", "not_well_formed"),
        ("\x00\x01\x02", "not_well_formed"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)
def test_hostile_file_is_refused_quickly_with_its_line(source, code):
    before = monotonic()

    with pytest.raises(DrawingRefused) as refused:
        parse(source.encode())

    assert refused.value.code == code
    assert refused.value.line >= (0 if code == "too_large" else 1)
    assert monotonic() - before < 5


def test_drawing_of_too_many_elements_is_refused():
    nodes = "".join(f'<task id="t{n}"/>' for n in range(ELEMENTS_MAX + 1))

    with pytest.raises(DrawingRefused) as refused:
        parse(xml(nodes))

    assert refused.value.code == "too_many_elements"
    assert refused.value.element == f"t{ELEMENTS_MAX}"


def test_largest_drawing_is_read_and_judged_in_bounded_time():
    before = monotonic()
    count = ELEMENTS_MAX // 2 - 2
    parts = [start(), end(), flow("start > t0"), flow(f"t{count - 1} > end")]
    parts += [node("inclusiveGateway", f"t{n}") for n in range(count)]
    parts += [flow(f"t{n} > t{n + 1}") for n in range(count - 1)]

    found = {each.code for each in check(parse(xml(*parts)))}

    assert found == {"gateway_superfluous"}
    assert monotonic() - before < 20


def test_nested_lanes_are_bounded():
    opened = '<laneSet id="s"><lane id="l">' * 30

    with pytest.raises(DrawingRefused) as refused:
        parse(xml(opened + "</lane></laneSet>" * 30))

    assert refused.value.code == "nests_too_deeply"


def exploding():
    """A drawing that doubles its tokens in every round."""
    gates = node("parallelGateway", "fork") + node("exclusiveGateway", "join")
    back = flow("fork > join") + '<sequenceFlow id="b2" sourceRef="fork" targetRef="again"/>'
    again = node("exclusiveGateway", "again") + flow("again > join")
    return process(start(), gates, again, back, flow("start > join > fork"))


def test_token_explosion_ends_in_incidents_and_can_be_cancelled():
    definition = exploding()
    before = monotonic()

    step = advance(definition, new_state(process="p"), e.Started(), at=NOON, moves_max=500)

    incidents = [each for each in step.commands if isinstance(each, c.RaiseIncident)]
    assert [each.code for each in incidents] == ["moves_exhausted"]
    assert {token.wait for token in step.state.tokens} <= {Wait.INCIDENT, Wait.HELD}
    assert monotonic() - before < 10
    ended = advance(definition, step.state, e.Cancelled("too many"), at=NOON)
    assert ended.state.status is Status.CANCELLED
    assert ended.state.tokens == ()


def rounds_of(script):
    """A drawing that runs one script again and again, as often as a loop may."""
    rounds = (
        "<standardLoopCharacteristics><loopCondition>true</loopCondition>"
        "</standardLoopCharacteristics>"
    )
    what = f"<script>{escape(script)}</script>{rounds}"
    work = node("scriptTask", "work", what, '<f:script result="found"/>')
    return process(start(), work, end(), flow("start > work > end"))


@pytest.mark.parametrize(
    "script",
    [
        "count(for i in 1..30000 return i * i)",
        "if found = null then [1] else append(found, count(found))",
        'if found = null then "a" else found + "0123456789"',
        'matches(string join(for i in 1..2000 return "ab", ""), "(a|b|ab)*c")',
    ],
)
def test_work_of_many_rounds_together_has_a_bound(script):
    definition = rounds_of(script)
    before = monotonic()

    step = advance(definition, new_state(process="p"), e.Started(), at=NOON)

    codes = [each.code for each in step.commands if isinstance(each, c.RaiseIncident)]
    assert codes in (["work_exhausted"], ["moves_exhausted"])
    assert monotonic() - before < 30


def test_too_many_places_at_once_are_incidents():
    many = "<loopCardinality>1000</loopCardinality>"
    loop = f"<multiInstanceLoopCharacteristics>{many}</multiInstanceLoopCharacteristics>"
    host = node(
        "subProcess", "sub", start("in") + service("deep", "", loop) + flow("in > deep") + loop
    )
    definition = process(start(), host, end(), flow("start > sub > end"))

    before = monotonic()

    step = advance(definition, new_state(process="p"), e.Started(), at=NOON)

    codes = [each.code for each in step.commands if isinstance(each, c.RaiseIncident)]
    assert codes in (["tokens_exhausted"], ["moves_exhausted"])
    assert len(step.state.tokens) < 20_000
    assert monotonic() - before < 30


def test_what_was_held_goes_on_when_the_incident_is_resolved():
    loop = (
        "<multiInstanceLoopCharacteristics><loopCardinality>40</loopCardinality>"
        "</multiInstanceLoopCharacteristics>"
    )
    definition = process(start(), node("task", "work", loop), end(), flow("start > work > end"))
    step = advance(definition, new_state(process="p"), e.Started(), at=NOON, moves_max=30)
    assert [each.wait for each in step.state.tokens].count(Wait.INCIDENT) == 1

    while step.state.status is Status.RUNNING:
        (stopped,) = (each.id for each in step.state.tokens if each.wait is Wait.INCIDENT)
        retry = e.IncidentResolved(stopped, e.Resolution.RETRY)
        step = advance(definition, step.state, retry, at=NOON, moves_max=30)

    assert step.state.status is Status.COMPLETED


def test_loop_of_a_thousand_items_is_no_incident():
    loop = (
        "<multiInstanceLoopCharacteristics><loopCardinality>1000</loopCardinality>"
        "</multiInstanceLoopCharacteristics>"
    )
    definition = process(start(), service("work", "", loop), end(), flow("start > work > end"))

    step = advance(definition, new_state(process="p"), e.Started(), at=NOON)

    assert len([each for each in step.commands if isinstance(each, c.CallService)]) == 1000
    assert not any(isinstance(each, c.RaiseIncident) for each in step.commands)


def test_number_of_items_beyond_reason_is_an_incident():
    loop = (
        "<multiInstanceLoopCharacteristics><loopCardinality>10 ** 30</loopCardinality>"
        "</multiInstanceLoopCharacteristics>"
    )
    play = Player(process(start(), service("work", "", loop), end(), flow("start > work > end")))

    play.start()

    assert play.issued(c.RaiseIncident)[0].code == "loop_too_long"


def reminded(cycle: str) -> Player:
    guard = boundary("b", "work", timer(cycle, "timeCycle"), interrupting=False)
    parts = (start(), service("work"), guard, end(), end("e2"))
    play = Player(process(*parts, flow("start > work > end"), flow("b > e2")))
    play.start()
    return play


def test_timer_in_the_past_is_due_at_once_and_fires():
    pause = node("intermediateCatchEvent", "pause", timer("2020-01-01T00:00:00Z", "timeDate"))
    play = Player(process(start(), pause, end(), flow("start > pause > end")))

    play.start()

    assert play.issued(c.ArmTimer)[0].due_at < NOON
    play.send(e.TimerFired(play.state.timers[0].id))
    assert play.is_completed


def test_clock_that_jumped_ahead_fires_a_missed_cycle_once():
    play = reminded("R/PT1M")
    play.at = NOON + timedelta(days=400, seconds=30)

    play.send(e.TimerFired(play.state.timers[0].id))

    assert play.trail.count("b") == 1
    assert play.state.timers[0].due_at == NOON + timedelta(days=400, minutes=1)


def test_missed_firings_of_a_counted_cycle_are_used_up():
    play = reminded("R5/PT1H")
    play.at = NOON + timedelta(hours=3, minutes=1)

    play.send(e.TimerFired(play.state.timers[0].id))
    assert (play.state.timers[0].due_at, play.state.timers[0].repeats) == (
        NOON + timedelta(hours=4),
        1,
    )
    play.fire("b")
    play.fire("b")

    assert play.state.timers == ()


def test_months_missed_are_counted_by_the_calendar():
    play = reminded("R/P1M")
    play.at = NOON.replace(year=2126, day=20)

    play.send(e.TimerFired(play.state.timers[0].id))

    assert play.state.timers[0].due_at == NOON.replace(year=2126, month=4)


def test_clock_that_jumped_back_neither_loses_nor_repeats_a_timer():
    play = reminded("R/PT1H")
    first = play.state.timers[0]
    play.at = NOON - timedelta(days=2)

    play.send(e.TimerFired(first.id))

    assert play.trail.count("b") == 1
    assert play.send(e.TimerFired(first.id)).ignored.reason == "unknown_timer"
    assert play.state.timers[0].due_at == first.due_at + timedelta(hours=1)


@pytest.mark.parametrize(
    "cycle", ["R/PT0S", "R0/PT1H", "R/-PT1H", "R/P0M", "R99999999999/PT1S", "R3/x/PT1S"]
)
def test_cycle_that_leads_nowhere_is_refused(cycle):
    with pytest.raises(DrawingRefused) as refused:
        reminded(cycle)

    assert refused.value.code == "timer_invalid"


def test_cycle_with_a_beginning_keeps_to_it():
    play = reminded("R/2026-03-02T11:30:00Z/PT1H")

    assert play.state.timers[0].due_at == NOON + timedelta(minutes=30)


def test_endless_rounds_end_at_their_maximum_or_in_an_incident():
    rounds = (
        "<standardLoopCharacteristics><loopCondition>true</loopCondition>"
        "</standardLoopCharacteristics>"
    )
    definition = process(start(), node("task", "work", rounds), end(), flow("start > work > end"))

    step = advance(definition, new_state(process="p"), e.Started(), at=NOON, moves_max=300)

    assert [each.code for each in step.commands if isinstance(each, c.RaiseIncident)] == [
        "moves_exhausted"
    ]
    assert deploy(parse(xml(start(), end(), flow("start > end")))).process.id == "p"
