"""What is stored comes back as it was, and nothing else is taken for it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from orchestration.core import (
    EncodingRefused,
    InstanceState,
    decode,
    decode_state,
    encode,
    encode_state,
)
from orchestration.core.events import Started, TaskCompleted
from orchestration.core.state import Scope, Status, Timer, Token, Wait
from orchestration.feel import compile_expression, to_feel

VARIABLES = to_feel(
    {
        "amount": Decimal("250.00"),
        "score": 0.1,
        "big": 10**40,
        "day": date(2026, 2, 28),
        "moment": datetime(2026, 2, 28, 10, tzinfo=UTC),
        "wait": timedelta(hours=26),
        "list": [1, [2, None], True],
        "$": "a key that looks like a tag",
        "$$n": {"$": "n", "v": "1"},
        "name with spaces": "é\u2028€",
    }
) | {"range": compile_expression("[1..5)").evaluate({}).value}
STATE = InstanceState(
    process="p",
    status=Status.RUNNING,
    counter=3,
    tokens=(Token("t1", "n", "s0", 1, Wait.SERVICE),),
    scopes=(Scope("s0", None, None, None, VARIABLES),),
    timers=(Timer("m2", "n", "t1", datetime(2026, 1, 1, tzinfo=UTC), None, "PT1H"),),
)


def test_state_comes_back_whole():
    assert decode_state(encode_state(STATE)) == STATE


def test_money_keeps_every_digit():
    stored = encode_state(STATE)

    assert b'{"$":"n","v":"250.00"}' in stored
    found = decode_state(stored).scopes[0].variables["amount"]
    assert str(found) == "250.00"


def test_equal_states_have_equal_bytes_whatever_the_order_of_keys():
    turned = dict(reversed(VARIABLES.items()))
    other = InstanceState(
        process="p",
        status=Status.RUNNING,
        counter=3,
        tokens=STATE.tokens,
        scopes=(Scope("s0", None, None, None, turned),),
        timers=STATE.timers,
    )

    assert encode_state(other) == encode_state(STATE)


def test_events_may_hold_plain_python_data():
    event = Started({"list": [1, 2], "score": 0.5, "at": datetime(2026, 1, 1, tzinfo=UTC)})

    assert decode(encode(event), Started).variables == {
        "list": (1, 2),
        "score": Decimal("0.5"),
        "at": datetime(2026, 1, 1, tzinfo=UTC),
    }


def test_function_cannot_be_stored():
    function = compile_expression("function(x) x").evaluate({}).value

    with pytest.raises(EncodingRefused):
        encode(Started({"f": function}))


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"[]",
        b'{"format":"flow-state/0","state":{}}',
        b'{"format":"flow-state/1","state":{"a":1}}',
        b'{"$":"n","v":"1"}',
        b'{"$":"Unknown"}',
        b'{"$":"date","v":"2026-02-30"}',
        b'{"$":"Token","surprise":1}',
        b"\xff",
    ],
)
def test_anything_else_is_refused(stored):
    with pytest.raises(EncodingRefused):
        decode_state(stored)


def test_one_kind_is_not_taken_for_another():
    with pytest.raises(EncodingRefused):
        decode(encode(TaskCompleted("t1")), Started)
