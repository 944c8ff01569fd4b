"""What an instance writes: read back as it was, by this version and as earlier ones wrote it."""

import json
from decimal import Decimal

import pytest

from orchestration.core.codec import EncodingRefused
from orchestration.core.events import TaskCompleted
from orchestration.core.history import (
    FlowTaken,
    InstanceEnded,
    NodeEntered,
    NodeLeft,
    VariableSet,
    WorkAnswered,
    WorkAsked,
)
from orchestration.core.state import InstanceState, Scope, Status, Token, Wait
from orchestration.durable import store
from orchestration.durable.texts import entries_of, from_text, line_texts, to_text
from tests.layers.orchestration.flows import SCRIPTS

EVENT = TaskCompleted("t2", {"reference": "E62EA63319BF5C1A9471"})
ENTRIES = (
    VariableSet("reference", "E62EA63319BF5C1A9471", "s0", "n0"),
    NodeLeft("n0", "t2", 2, "done"),
    NodeEntered("n1", "t3", 3, "s0"),
)
EVENT_TEXT = '~["c","t2",{"reference":"E62EA63319BF5C1A9471"}]'
# What follows from most answers, and the same in the words of the tables of banks.
USUAL = (
    WorkAnswered("n0", "t2", 2, "done", None),
    VariableSet("reference", "E62EA63319BF5C1A9471", "s0", "n0"),
    NodeLeft("n0", "t2", 2, "done"),
    FlowTaken("f1", "n0", "n1", "t2", None, {}, is_default=False),
    NodeEntered("n1", "t3", 3, "s0"),
    WorkAsked("n1", "t3", 3, "read:reference", {}),
)
SHORT = "*wn0,VLFf1,n1,NWread:reference,"
SHORT_AND_WRONG = ("*x", "*w", "*wn0", "*VV", "*FVn1", "*5")
RECORDED = "^gZdHV6NG9V?5d&O%rk&{G|vEPml2XrK@QCWsV*^A(lLg(H5LE"
STATE = InstanceState(
    "p",
    Status.RUNNING,
    3,
    (Token("t3", "n1", "s0", 3, Wait.SERVICE),),
    (Scope("s0", None, None, None, {"amount": "x"}),),
)


def test_what_followed_is_written_in_few_bytes_and_comes_back():
    event, entries = line_texts(EVENT, ENTRIES)

    assert event == EVENT_TEXT
    assert len(entries) < len(to_text(ENTRIES)) / 2
    assert entries_of(event, entries) == ENTRIES


def test_what_this_version_wrote_once_is_read_for_ever():
    """A text as it stands in the tables of banks: the dictionary must not change."""
    assert entries_of(EVENT_TEXT, RECORDED) == ENTRIES


def test_what_usually_follows_from_an_answer_is_written_in_shorthand():
    assert line_texts(EVENT, USUAL) == (EVENT_TEXT, SHORT)
    assert entries_of(EVENT_TEXT, SHORT) == USUAL


def test_the_last_step_is_written_in_shorthand():
    entries = (*USUAL[:-1], NodeLeft("n1", "t3", 3, "done"), InstanceEnded("completed", None))

    event, text = line_texts(EVENT, entries)

    assert text == "*wn0,VLFf1,n1,NLZcompleted,"
    assert entries_of(event, text) == entries


@pytest.mark.parametrize(
    ("place", "other"),
    [
        (0, WorkAnswered("n0", "t2", 2, "done", "employee:a")),
        (0, WorkAnswered("n0", "t2", 3, "done", None)),
        (0, WorkAnswered("n,0", "t2", 2, "done", None)),
        (1, VariableSet("reference", "another", "s0", "n0")),
        (1, VariableSet("renamed", "E62EA63319BF5C1A9471", "s0", "n0")),
        (1, VariableSet("reference", "E62EA63319BF5C1A9471", "s4", "n0")),
        (2, NodeLeft("n0", "t2", 2, "boundary")),
        (3, FlowTaken("f1", "n0", "n1", "t2", "amount > 1", {"amount": 3}, is_default=False)),
        (3, FlowTaken("f1", "n0", "n1", "t2", None, {}, is_default=True)),
        (4, NodeEntered("n1", "t5", 3, "s0")),
        (5, WorkAsked("n1", "t3", 3, "read:reference", {"amount": 3})),
        (5, WorkAsked("n1", "t3", 3, "two\nlines", {})),
    ],
)
def test_whatever_says_more_than_usual_comes_back_as_it_was(place, other):
    entries = (*USUAL[:place], other, *USUAL[place + 1 :])

    event, text = line_texts(EVENT, entries)

    assert not text.startswith("*")
    assert entries_of(event, text) == entries


def test_a_value_that_only_equals_the_answer_comes_back_as_it_was():
    event, text = line_texts(
        TaskCompleted("t2", {"reference": True}),
        (VariableSet("reference", Decimal(1), "s0", "n0"),),
    )

    (found,) = entries_of(event, text)

    assert type(found.value) is Decimal


def test_more_values_than_the_answer_gave_come_back_as_they_were():
    entries = (*USUAL[:2], USUAL[1])

    assert entries_of(*line_texts(EVENT, entries)) == entries


def test_what_was_written_before_it_was_deflated_is_read():
    assert entries_of(EVENT_TEXT, to_text(ENTRIES)) == ENTRIES


def test_a_state_in_the_earlier_order_of_its_fields_is_read():
    earlier = (
        '~["I","p","running",3,["l",["T","t3","n1","s0",3,"service"]],'
        '["l",["S","s0",null,null,null,{"amount":"x"}]]]'
    )

    assert from_text(earlier, InstanceState) == STATE
    assert from_text(to_text(STATE), InstanceState) == STATE


def test_what_a_step_changes_of_a_state_stands_at_its_end():
    text = to_text(STATE)

    assert text.index('"amount"') < text.index('"t3"')
    assert json.loads(text[1:])[-1] == STATE.counter


@pytest.mark.parametrize(
    "text",
    ["*x", "*w", "*wn0", "*VV", "*FVn1", "*5", "^", "^!", "^" + "~" * 40, "^ ", "x", "^0000"],
)
def test_what_is_no_text_of_ours_is_refused(text):
    with pytest.raises(EncodingRefused):
        entries_of(EVENT_TEXT, text)


def test_a_text_with_another_event_is_not_taken_for_its_own():
    _, entries = line_texts(EVENT, (*ENTRIES, *ENTRIES))
    other = to_text(TaskCompleted("t9", {"other": "0000000000"}))

    try:
        found = entries_of(other, entries)
    except EncodingRefused:
        found = None
    assert found != ENTRIES


def test_an_end_that_says_much_comes_back(flows):
    flow = flows.published(SCRIPTS)
    instance_id = flows.started(flow, amount=21, words="ä" * 4_000, more="\x1f\x1d" * 500)

    (line,) = store.history_of(instance_id)

    assert line.event.variables["words"] == "ä" * 4_000
    entered = [each.node for each in line.entries if isinstance(each, NodeEntered)]
    assert entered == ["s", "double", "check"]
