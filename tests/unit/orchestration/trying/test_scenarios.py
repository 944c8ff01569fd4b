"""Scenarios run on the engine that runs the bank, and say exactly what did not come as expected."""

from time import process_time

import pytest

from orchestration import journeys
from orchestration.public import run_scenarios, scenario_sources
from orchestration.trying.scenarios import ScenarioRefused, read_scenarios
from tests.unit.orchestration.trying.drawn import (
    CALLS,
    LOOPS,
    PAYS,
    WAITS,
    ran,
    story,
    written,
)

LOOK = {"done": {"total": 5}}
FINE = {"done": {"is_fine": True}, "after": "PT5M", "by": "employee:omar"}
BOTH = {"look": LOOK, "check": FINE}


@pytest.mark.parametrize("source", scenario_sources(), ids=lambda source: source.process)
def test_every_scenario_of_the_bank_passes_and_sees_the_whole_drawing(source):
    report = run_scenarios(source=source)

    assert [(each.name, each.broken) for each in report.results if not each.has_passed] == []
    assert (report.coverage.missed_elements, report.coverage.missed_flows) == ((), ())


def test_every_flow_of_the_bank_has_scenarios():
    assert {each.process for each in scenario_sources()} == {
        each.process for each in journeys.flow_sources()
    }


def test_what_comes_as_expected_passes():
    expected = {
        "end": "good",
        "outcome": "completed",
        "path": ["s", "look", "check", "good"],
        "never": ["late", "bad"],
        "variables": {"found.total": 5, "checked.is_fine": True, "checked.by": "employee:omar"},
        "asks": [{"node": "look", "inputs": {"of": "Anna"}}],
        "sends": [],
    }

    (result,) = ran(story(given={"who": "Anna"}, answers=BOTH, expect=expected))

    assert result.broken == ()
    assert (result.ended_at - result.began_at).total_seconds() == 300


@pytest.mark.parametrize(
    ("expected", "place", "words"),
    [
        ({"end": "bad"}, "end", "expected the end 'bad', but it ended at 'good'"),
        ({"outcome": "failed"}, "outcome", "expected 'failed', but it is 'completed'"),
        ({"end": "good", "path": ["check", "look"]}, "path[1]", "'look' was not entered after"),
        ({"end": "good", "never": ["check"]}, "never[0]", "'check' was entered all the same"),
        ({"end": "good", "variables": {"found.total": 6}}, "variables.found.total", "to be 6"),
        ({"end": "good", "variables": {"found.total": True}}, "variables.found.total", "be true"),
        ({"end": "good", "asks": [{"node": "look", "inputs": {"of": 1}}]}, "asks[0]", "of to be 1"),
        ({"end": "good", "asks": [{"node": "bad", "inputs": {}}]}, "asks[0]", "was not asked"),
        ({"end": "good", "decisions": [{"node": "look"}]}, "decisions[0]", "decided nothing"),
        ({"end": "good", "incident": "x"}, "incident", "the incident 'x', but none came"),
        ({"end": "good", "sends": ["x"]}, "sends", "expected x to go out, but none"),
        ({"waits_at": ["check"]}, "waits_at", "but it ended at 'good'"),
    ],
)
def test_what_does_not_come_as_expected_is_named(expected, place, words):
    (result,) = ran(story(answers=BOTH, expect=expected))

    (fault,) = result.broken
    assert fault.place.startswith(f"scenarios[0].expect.{place}")
    assert words in fault.words


def test_a_fault_names_the_line_it_stands_in():
    text = written(story(answers=BOTH, expect={"end": "bad"})).replace('"end"', '\n\n"end"')

    assert read_scenarios(name="p", text=text).places.line(("scenarios", 0, "expect", "end")) == 3


def test_a_refusal_goes_the_way_the_drawing_has_for_it():
    no = {"refused": {"code": "denied", "message": "Not yours.", "output": {"remedy": None}}}

    (result,) = ran(
        story(answers={"look": no}, expect={"end": "bad", "variables": {"denial.remedy": None}})
    )

    assert result.broken == ()


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        ({**FINE, "after": "PT59M"}, "good"),
        ({**FINE, "after": "PT61M"}, "slow"),
        ({"never": True}, "slow"),
    ],
)
def test_the_clock_of_the_drawing_runs_against_the_answers(answer, end):
    (result,) = ran(story(answers={"look": LOOK, "check": answer}, expect={"end": end}))

    assert result.broken == ()


def test_no_time_passes_while_an_answer_is_unknown():
    (result,) = ran(story(answers={"look": LOOK}, expect={"waits_at": ["check"]}))

    assert result.broken == ()
    assert result.ended_at == result.began_at


def test_a_missing_answer_is_what_is_missing():
    (result,) = ran(story(answers={"look": LOOK}))

    assert "no answer number 1 for 'check'" in result.broken[0].words


def test_the_answer_of_a_person_is_what_the_form_takes():
    (result,) = ran(story(answers={"look": LOOK, "check": {"done": {"is_fine": "perhaps"}}}))

    (fault,) = result.broken
    assert fault.place == "scenarios[0].answers.check"
    assert "is_fine: Please answer yes or no." in fault.words


def test_what_breaks_stops_for_a_person_and_is_tried_again():
    broken = {"broken": {"code": "step_failed", "message": "Timeout"}}
    answers = {"look": [broken, LOOK], "check": FINE}

    tried, unexpected = ran(
        story("tried", answers=answers, expect={"end": "good", "incident": "step_failed"}),
        story("unexpected", answers=answers),
    )

    assert tried.broken == ()
    assert "which is not expected: Timeout" in unexpected.broken[0].words


def test_answers_come_in_turn():
    twice = [{"done": {"total": 1}}, {"done": {"total": 2}}]

    (result,) = ran(story(answers={"look": twice}, expect={"waits_at": ["look"]}), body=LOOPS)

    assert result.broken == ()
    assert result.path.count("look") == 3


def test_a_drawing_that_goes_on_for_ever_is_stopped():
    (result,) = ran(story(answers={"look": LOOK}, expect={"end": "e"}), body=LOOPS)

    assert "does not come to an end" in result.broken[0].words


@pytest.mark.parametrize(("key", "is_meant"), [("o1", True), ("o2", False)])
def test_a_message_reaches_who_waits_for_it(key, is_meant):
    said = {"after": "PT2H", "message": "paid", "correlation": key, "payload": {"sum": 3}}

    (result,) = ran(
        story(
            given={"order": "o1"},
            happens=[said],
            expect={"end": "e", "variables": {"came.sum": 3}},
        ),
        body=WAITS,
    )

    assert result.has_passed is is_meant
    assert is_meant or result.broken[0].place == "scenarios[0].happens[0]"


@pytest.mark.parametrize(
    ("answer", "end"),
    [({"done": {"x": 1}}, "e"), ({"refused": {"code": "denied"}}, "bad")],
)
def test_a_called_process_is_answered_for(answer, end):
    (result,) = ran(story(answers={"sub": answer}, expect={"end": end}), body=CALLS)

    assert result.broken == ()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("action:cards.block", "action:cards.block does not take these parameters: card_id"),
        ("action:cards.melt", "there is no step action:cards.melt"),
        ("read:nothing", "there is no step read:nothing"),
    ],
)
def test_a_mock_does_not_hide_what_the_bank_could_not_even_try(call, words):
    wrong = {"parameters": {"card_id": "x", "reason": "lost"}}
    expected = {"waits_at": ["pay"], "incident": "step_failed"}

    found, hidden = ran(
        story("found", given=wrong, answers={"pay": {"done": {}}}, expect=expected),
        story("hidden", given=wrong, answers={"pay": {"done": {}}}, expect={"end": "e"}),
        body=PAYS.format(call=call),
    )

    assert found.broken == ()
    assert words in hidden.broken[0].words


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("{", "", "this is no JSON"),
        ('{"flow": "p", "flow": "q"}', "", "'flow' stands twice"),
        ('{"flow": NaN}', "", "NaN is no number"),
        ('{"flow": 1e9999}', "", "1e9999 has more than 300 digits"),
        ('{"flow": 1e-99999999999999999999}', "", "has more than 300 digits"),
        ('{"flow": %s}' % ("9" * 5000), "", "has more than 300 digits"),
        ("[" * 5000 + "]" * 5000, "", "nests"),
        (written(), "", "there is nothing to try out"),
        (written(story(), story()), "", "two scenarios are called 'One'"),
        (written(story(answer={})), "scenarios[0].answer", "not something that can be said"),
        (written({"name": "x"}), "scenarios[0].expect", "'expect' is missing"),
        (written(story(expect={})), "scenarios[0].expect", "say where it ends"),
        (written(story(answers={"look": {}})), "scenarios[0].answers.look", "exactly one of"),
        (
            written(story(answers={"look": {"done": {}, "after": "soon"}})),
            "scenarios[0].answers.look.after",
            "an ISO 8601 duration",
        ),
        (
            written(story(answers={"look": {"done": {}, "after": "-PT1H"}})),
            "scenarios[0].answers.look.after",
            "an ISO 8601 duration",
        ),
        (written(story(), at="2026-03-02"), "at", "with its offset"),
        (
            written(story(answers={"look": [{"refused": {"code": ""}}]})),
            "scenarios[0].answers.look[0].refused.code",
            "at least 1",
        ),
    ],
)
def test_a_file_that_is_no_scenario_is_refused_at_its_place(text, place, words):
    with pytest.raises(ScenarioRefused) as refused:
        read_scenarios(name="p", text=text)

    fault = refused.value.faults[0]
    assert fault.place == place
    assert words in fault.words


@pytest.mark.parametrize(
    ("parts", "place", "words"),
    [
        ({"answers": {"nobody": LOOK}}, "answers.nobody", "no element 'nobody'"),
        ({"answers": {"s": LOOK}}, "answers.s", "asks nothing"),
        ({"answers": {"look": {"chooses": ["x"]}}}, "answers.look", "is answered by done"),
        (
            {"answers": {"check": {"broken": {"code": "x"}}}},
            "answers.check.broken",
            "only a service breaks",
        ),
        ({"expect": {"end": "nowhere"}}, "expect.end", "no element 'nowhere'"),
        ({"expect": {"end": "check"}}, "expect.end", "'check' is no end"),
        ({"expect": {"end": "good", "path": ["x"]}}, "expect.path[0]", "no element 'x'"),
        ({"start": "nowhere"}, "start", "no element 'nowhere'"),
    ],
)
def test_a_scenario_speaks_of_what_is_in_the_drawing(parts, place, words):
    with pytest.raises(ScenarioRefused) as refused:
        ran(story(**parts))

    fault = refused.value.faults[0]
    assert fault.place == f"scenarios[0].{place}"
    assert words in fault.words


def seconds_to_refuse(text):
    began = process_time()
    with pytest.raises(ScenarioRefused) as refused:
        read_scenarios(name="p", text=text)
    return process_time() - began, refused.value.faults


def test_a_file_of_very_many_names_is_refused_as_fast_as_it_is_read():
    names = ",".join(f'"{number}":0' for number in range(60_000))

    took, faults = seconds_to_refuse(f'{{{names},"59999":0}}')

    assert faults[0].words == "'59999' stands twice in one object"
    assert took < 5


def test_a_file_of_very_many_faults_names_the_first_ones():
    names = ",\n".join(f'"{number}":0' for number in range(60_000))

    took, faults = seconds_to_refuse(f"{{{names}}}")

    assert len(faults) == 20
    assert [each.line for each in faults if each.place in {"0", "17"}] == [1, 18]
    assert took < 10


def test_scenarios_of_another_flow_are_refused():
    with pytest.raises(ScenarioRefused) as refused:
        ran(story(), flow="q")

    assert refused.value.faults[0].words == "this is the flow 'p', not 'q'"
