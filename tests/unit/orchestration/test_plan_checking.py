"""A plan that does not hold together is refused at the very place, before anything begins."""

from dataclasses import replace

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.planning.checking import EDGES_MAX, TASKS_MAX, PlanRefused, check
from orchestration.planning.graph import (
    Asked,
    Condition,
    Found,
    Given,
    Input,
    Kind,
    Task,
    graph_of,
)

MONEY = {"minor_units": 5_000, "currency": "EUR"}
PAYEE = {"name": "Anna de Vries", "iban": "NL91ABNA0417164300"}
KINDS = {
    "pay": Kind(
        "pay",
        {
            "amount": Input("money", is_required=True),
            "payee": Input("payee", is_required=True),
            "remark": Input("text", is_required=False),
        },
        {"amount": "money", "payee": "payee"},
    ),
    "block": Kind("block", {"card": Input("card", is_required=True)}, {"card": "card"}),
    "balance": Kind("balance", {}, {"balance": "money"}),
}
PAY = Task("pay-1", "pay", {"amount": Given(MONEY), "payee": Given(PAYEE)})
LOOK = Task("look", "balance")


def refused(*tasks):
    with pytest.raises(PlanRefused) as caught:
        check(tasks, KINDS)
    return [(fault.code, fault.place) for fault in caught.value.faults]


def test_a_plan_that_holds_together_has_an_order():
    block = Task("block-1", "block", {"card": Asked()}, after=("pay-1",))
    when = Condition(Found("look", "balance"), "above", 50_000)

    order = check([block, replace(PAY, when=when), LOOK], KINDS)

    assert order == ("look", "pay-1", "block-1")


def test_without_links_the_order_is_the_one_said():
    tasks = [Task("z", "balance"), Task("a", "balance"), PAY]

    assert check(tasks, KINDS) == ("z", "a", "pay-1")


def test_what_one_task_finds_is_another_ones_input():
    tasks = [LOOK, replace(PAY, inputs={**PAY.inputs, "amount": Found("look", "balance")})]

    assert check(tasks, KINDS) == ("look", "pay-1")


@pytest.mark.parametrize(
    ("tasks", "fault"),
    [
        ((), ("no_tasks", "tasks")),
        ((LOOK, LOOK), ("duplicate_task", "tasks[1]")),
        ((Task("x", "fly"),), ("unknown_kind", "tasks[0].kind")),
        ((Task("X!", "balance"),), ("bad_id", "tasks[0]")),
        ((Task("x", "balance", words="x" * 501),), ("words_too_long", "tasks[0]")),
        ((replace(PAY, after=("ghost",)),), ("unknown_task", "tasks[0].after[0]")),
        (
            (replace(PAY, inputs={"amount": Given(MONEY)}),),
            ("input_missing", "tasks[0].inputs.payee"),
        ),
        (
            (replace(PAY, inputs={**PAY.inputs, "iban": Given("x")}),),
            ("unknown_input", "tasks[0].inputs.iban"),
        ),
        (
            (LOOK, replace(PAY, inputs={**PAY.inputs, "payee": Found("look", "balance")})),
            ("type_mismatch", "tasks[1].inputs.payee"),
        ),
        (
            (LOOK, replace(PAY, inputs={**PAY.inputs, "amount": Found("look", "total")})),
            ("unknown_output", "tasks[1].inputs.amount"),
        ),
        (
            (replace(PAY, inputs={**PAY.inputs, "amount": Found("ghost", "balance")}),),
            ("unknown_task", "tasks[0].inputs.amount"),
        ),
        (
            (PAY, Task("x", "balance", when=Condition(Found("pay-1", "payee"), "above", 1))),
            ("type_mismatch", "tasks[1].when"),
        ),
        (
            (LOOK, Task("x", "balance", when=Condition(Found("look", "balance"), "above", 10**13))),
            ("value_refused", "tasks[1].when"),
        ),
    ],
)
def test_a_fault_is_named_where_it_stands(tasks, fault):
    assert refused(*tasks) == [fault]


@pytest.mark.parametrize(
    "value",
    [
        None,
        5_000,
        "50",
        {"minor_units": 0, "currency": "EUR"},
        {"minor_units": -1, "currency": "EUR"},
        {"minor_units": True, "currency": "EUR"},
        {"minor_units": 1.5, "currency": "EUR"},
        {"minor_units": 10**13, "currency": "EUR"},
        {"minor_units": 1, "currency": "euro"},
        {"minor_units": 1, "currency": "EUR", "more": 1},
    ],
)
def test_a_value_of_another_type_is_refused(value):
    task = replace(PAY, inputs={**PAY.inputs, "amount": Given(value)})

    assert refused(task) == [("value_refused", "tasks[0].inputs.amount")]


def test_a_circle_is_refused_with_its_members():
    first = Task("a", "balance", after=("b",))
    second = Task("b", "balance", after=("a",))

    with pytest.raises(PlanRefused) as caught:
        check([first, second, LOOK], KINDS)

    (fault,) = caught.value.faults
    assert (fault.code, fault.place) == ("cycle", "tasks[0]")
    assert fault.words == "a waits for b waits for a"


def test_a_task_that_waits_for_itself_is_refused():
    assert refused(Task("a", "balance", after=("a",))) == [("cycle", "tasks[0]")]


def test_a_circle_of_data_is_refused():
    one = replace(PAY, id="one", inputs={**PAY.inputs, "amount": Found("two", "amount")})
    two = replace(PAY, id="two", inputs={**PAY.inputs, "amount": Found("one", "amount")})

    assert refused(one, two) == [("cycle", "tasks[0]")]


def test_size_is_limited():
    many = [Task(f"t{number}", "balance") for number in range(TASKS_MAX + 1)]
    assert refused(*many) == [("too_many_tasks", "tasks")]

    ids = [each.id for each in many[:TASKS_MAX]]
    dense = [replace(each, after=tuple(ids[:index])) for index, each in enumerate(many[:TASKS_MAX])]
    assert sum(len(each.after) for each in dense) > EDGES_MAX
    assert refused(*dense) == [("too_many_edges", "tasks")]


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=EDGES_MAX))
def test_a_plan_is_accepted_exactly_when_it_has_no_circle(pairs):
    after = {number: {first for first, last in pairs if last == number} for number in range(8)}
    tasks = [
        Task(f"t{number}", "balance", after=tuple(f"t{each}" for each in sorted(needed)))
        for number, needed in after.items()
    ]
    graph = graph_of(tasks)

    if networkx.is_directed_acyclic_graph(graph):
        order = check(tasks, KINDS)
        place = {each: index for index, each in enumerate(order)}
        assert all(place[first] < place[last] for first, last in graph.edges)
    else:
        assert {code for code, _ in refused(*tasks)} == {"cycle"}
