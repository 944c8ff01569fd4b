"""A try-out by hand: move by move, always back where the same moves lead, and nothing is done."""

import json

import pytest

from orchestration.public import Move, TryRefused, TryScript, stories_of, try_scenario
from orchestration.trying.sources import ScenarioSource
from tests.unit.orchestration.trying.drawn import (
    ASKS,
    CALLS,
    LOOPS,
    WAITS,
    source_of,
    story,
    written,
)

LOOK = {"done": {"total": 5, "nothing": None}}
FINE = {"done": {"is_fine": True}, "after": "PT5M"}
TEXT = written(story(given={"who": "Anna"}, answers={"look": LOOK, "check": FINE}))


def tried(*moves, scenario="One", given="", body=ASKS, text=TEXT):
    source = ScenarioSource("p", "p", source_of(body, text))
    return try_scenario(source=source, script=TryScript(scenario, given, moves))


def answer(node, visit, **said):
    return Move("answer", node, visit, json.dumps(said))


def test_it_begins_at_the_first_wait():
    view = tried()

    (question,) = view.questions
    assert (question.node, question.kind, question.codes) == ("look", "service", ("denied",))
    assert json.loads(question.sample) == LOOK
    assert json.loads(question.inputs) == {"of": "Anna"}
    assert (view.active, view.done, view.flows) == (("look",), ("s",), ("a",))


def test_a_step_is_one_event_and_shows_what_it_changed():
    view = tried(Move("step"))

    assert view.path == ("check",)
    assert {each.name: each.standing for each in view.variables} == {
        "case": "same",
        "customer_id": "same",
        "who": "same",
        "found": "new",
    }
    assert [each.words for each in view.lines[view.lines_before :]][:1] == ["Look: done"]
    assert (view.clock.step, str(view.clock.due_at)) == ("late", "2026-03-02 10:00:00+00:00")


def test_it_runs_to_the_next_wait_for_a_person_and_to_the_end():
    assert tried(Move("wait")).active == ("check",)

    ended = tried(Move("end"))

    assert (ended.is_ended, ended.status, ended.unmet) == (True, "completed", ())
    assert (ended.at - ended.began_at).total_seconds() == 300


def test_a_person_is_answered_for_by_hand():
    waiting = tried(Move("step"))
    (question,) = waiting.questions
    assert json.loads(question.sample)["done"] == {"is_fine": True}

    view = tried(Move("step"), answer("check", question.visit, done={"is_fine": False}))

    assert view.is_ended
    assert json.loads(view.variables[-1].value)["is_fine"] is False


def test_a_refusal_is_answered_by_hand():
    (question,) = tried().questions

    view = tried(answer("look", question.visit, refused={"code": "denied", "message": "No."}))

    assert (view.path, view.unmet[0][:23]) == (("no", "bad"), "expected the end 'good'")


def test_the_clock_is_let_come():
    view = tried(Move("step"), Move("clock"))

    assert view.path == ("late", "slow")
    assert (view.at - view.began_at).total_seconds() == 3600


def test_what_has_stopped_is_tried_again():
    (question,) = tried().questions
    broken = answer("look", question.visit, broken={"code": "step_failed"})

    stopped = tried(broken)
    again = tried(broken, Move("again", "look", question.visit))

    assert (stopped.stopped, stopped.questions[0].kind) == (("look",), "incident")
    assert (again.stopped, again.questions[0].kind) == ((), "service")


def test_own_data_begins_without_a_scenario():
    view = tried(scenario="", given='{"who": "Ben", "share": 0.25}')

    assert {each.name: each.value for each in view.variables}["who"] == '"Ben"'
    assert json.loads(view.questions[0].sample) == {"done": {}}
    with pytest.raises(TryRefused) as refused:
        tried(Move("step"), scenario="")
    assert refused.value.reason == "no_scenario"


def test_own_data_goes_in_place_of_the_scenarios():
    view = tried(given='{"whom": 1}')

    assert "who" not in {each.name for each in view.variables}
    assert view.questions[0].inputs == json.dumps({"of": None}, indent=2)


def test_a_message_is_handed_in():
    begun = tried(scenario="", given='{"order": "o1"}', body=WAITS)
    view = tried(
        Move("message", "paid/o1", text='{"done": {"sum": 3}}'),
        scenario="",
        given='{"order": "o1"}',
        body=WAITS,
    )

    assert begun.messages == ("paid/o1",)
    assert view.is_ended


def test_a_called_process_is_shown_as_such():
    (question,) = tried(scenario="", body=CALLS).questions

    assert (question.kind, question.called, question.may_refuse) == ("process", "other", True)


@pytest.mark.parametrize(
    ("moves", "reason"),
    [
        ((Move("clock"),), "no_clock"),
        ((answer("check", 1, done={}),), "not_asked"),
        ((Move("answer", "look", 2, "{"),), "not_understood"),
        ((Move("answer", "look", 2, '{"done": 3}'),), "not_understood"),
        ((Move("answer", "look", 2, '{"chooses": ["x"]}'),), "not_taken"),
        ((Move("message", "paid", text='{"done": {}}'),), "not_taken"),
        ((Move("step"), Move("answer", "check", 3, '{"done": {}}')), "not_taken"),
        ((Move("end"), Move("step")), "nothing_follows"),
        ((Move("clock"),) * 201, "too_many_moves"),
        ((Move("answer", "look", 2, '{"done": {"a": 1e9999}}'),), "not_understood"),
        ((Move("answer", "look", 2, "x" * 20_001),), "too_long"),
    ],
)
def test_a_move_that_cannot_be_made_says_why(moves, reason):
    visits = {each.node: each.visit for each in tried().questions}
    meant = [
        Move(each.kind, each.node, visits.get(each.node, each.visit), each.text) for each in moves
    ]

    with pytest.raises(TryRefused) as refused:
        tried(*meant)

    assert refused.value.reason == reason
    assert refused.value.words


@pytest.mark.parametrize("given", ["[]", "{", '{"a": 1, "a": 2}', "3", '{"a": 1e9999}'])
def test_data_that_is_no_object_is_refused(given):
    with pytest.raises(TryRefused) as refused:
        tried(given=given)

    assert refused.value.reason == "data_not_understood"


def test_an_unknown_scenario_is_refused():
    with pytest.raises(TryRefused) as refused:
        tried(scenario="Two")

    assert refused.value.reason == "scenario_unknown"


def test_a_drawing_without_end_is_stopped():
    text = written(story(answers={"look": {"done": {}}}, expect={"end": "e"}))

    with pytest.raises(TryRefused) as refused:
        tried(Move("end"), body=LOOPS, text=text)

    assert refused.value.reason == "no_end"


def test_the_stories_of_a_flow_are_listed_with_their_data():
    (found,) = stories_of(source=ScenarioSource("p", "p", source_of(ASKS, TEXT)))

    assert (found.name, json.loads(found.given)) == ("One", {"who": "Anna"})
