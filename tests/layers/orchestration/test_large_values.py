"""Large values: kept once outside the row, fetched when looked at, refused above a stated size."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection

from orchestration.core.events import VariablesCorrected
from orchestration.durable import engine, large_values, store
from orchestration.durable.packing import layouts
from orchestration.durable.starting import NewInstance
from orchestration.durable.texts import from_text, to_text
from orchestration.public import ValueTooLarge
from tests.layers.orchestration.flows import AT, SCRIPTS

DOCUMENT = "Once upon a time. " * 5_000


def kept():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), coalesce(max(size), 0) FROM orch_value")
        return cursor.fetchone()


def row_size(instance_id):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT length(i.state) + (SELECT max(length(h.event) + length(h.entries))"
            " FROM orch_history h WHERE h.instance_id = i.id) FROM orch_instance i WHERE id = %s",
            [instance_id],
        )
        return cursor.fetchone()[0]


def test_a_large_variable_is_kept_once_and_outside_the_row(flows):
    flow = flows.published(SCRIPTS)

    first = flows.started(flow, amount=21, document=DOCUMENT)
    second = flows.started(flow, amount=4, document=DOCUMENT)

    assert kept() == (1, len(DOCUMENT) + 2)
    for instance_id in (first, second):
        assert row_size(instance_id) < 4_000
        row = store.read_instance(instance_id)
        assert row.state.variables["document"] == DOCUMENT
        assert engine.rebuilt_state(instance_id) == row.state


def test_a_large_value_is_not_fetched_by_what_does_not_look_at_it(flows):
    instance_id = flows.started(flows.published(SCRIPTS), amount=21, document=DOCUMENT)

    variables = store.read_instance(instance_id).state.variables

    assert isinstance(variables, large_values.KeptVariables)
    assert variables["total"] == 42
    assert isinstance(variables.raw["document"], large_values.Kept)


def test_setting_another_variable_fetches_no_large_one(flows):
    instance_id = flows.started(flows.published(SCRIPTS), amount=21, document=DOCUMENT)
    event = VariablesCorrected({"amount": Decimal(2)})

    engine.answer(instance_id=instance_id, message_id=uuid4(), event=event, at=AT)

    variables = store.read_instance(instance_id).state.variables
    assert variables["amount"] == 2
    assert isinstance(variables.raw["document"], large_values.Kept)
    assert variables["document"] == DOCUMENT


def test_a_variable_of_50_megabytes_is_refused_and_nothing_begins(flows):
    flow, instance_id = flows.published(SCRIPTS), uuid4()
    huge = {"amount": 21, "document": "x" * 50_000_000}

    with pytest.raises(ValueTooLarge) as refused:
        engine.start(NewInstance(instance_id, flow, flows.employee, huge, AT))

    assert refused.value.limit == large_values.VALUE_CHARACTERS_MAX
    with pytest.raises(store.InstanceUnknown):
        store.read_instance(instance_id)
    assert kept() == (0, 0)


def test_what_is_stored_comes_back_the_same(flows):
    instance_id = flows.started(
        flows.published(SCRIPTS), amount=21, given={"list": [1, "n", ["l", "v"]], "none": None}
    )
    state = store.read_instance(instance_id).state

    assert from_text(to_text(state), object) == state
    for line in store.history_of(instance_id):
        assert from_text(to_text(line.entries), tuple) == line.entries


def test_stored_classes_only_grow_at_their_end():
    """A field in the middle would change the meaning of everything that is stored."""
    found = layouts()

    assert found["T"][:8] == ("id", "node", "scope", "visit", "wait", "flow", "item", "work")
    assert found["I"][:4] == ("process", "status", "counter", "tokens")
    assert found["I"][4:8] == ("scopes", "timers", "subscriptions", "code")
    assert found["J"][:5] == ("process", "status", "code", "timers", "subscriptions")
    assert found["J"][5:9] == ("scopes", "tokens", "counter", "requires_inputs")
    assert found["S"][:5] == ("id", "node", "parent", "owner", "variables")
    assert found["M"][:6] == ("id", "node", "owner", "due_at", "repeats", "every")
    assert found["E"][:6] == ("id", "node", "owner", "trigger", "name", "correlation")
    assert found["c"] == ("token", "output")
    assert found["F"][:4] == ("flow", "source", "target", "token")
    assert found["F"][4:7] == ("condition", "reads", "is_default")


def test_fifty_megabytes_in_pieces_are_refused_and_nothing_begins(flows):
    flow, instance_id = flows.published(SCRIPTS), uuid4()
    pieces = {f"part_{number}": "x" * 8_000_000 for number in range(7)}

    with pytest.raises(ValueTooLarge) as refused:
        engine.start(NewInstance(instance_id, flow, flows.employee, {"amount": 21} | pieces, AT))

    assert refused.value.limit == large_values.TOGETHER_CHARACTERS_MAX
    assert kept() == (0, 0)
