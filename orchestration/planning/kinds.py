"""The kinds of tasks a plan may hold: what the journeys offer, with typed inputs and outputs."""

from collections.abc import Mapping
from typing import Final

from orchestration import journeys
from orchestration.journeys import Request, Slot
from orchestration.planning.graph import Input, Kind, Type

_TYPES: Final[Mapping[str, Type]] = {
    "amount": "money",
    "payee": "payee",
    "card": "card",
    "account": "account",
    "date": "day",
    "text": "text",
}
# What a value of a type is made of, where it is more than one parameter of a flow.
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {"payee": ("name", "iban")}


def kinds() -> dict[str, Kind]:
    """Return what can be planned, by name."""
    return {
        name: Kind(
            name=name,
            inputs={
                slot_name: Input(_TYPES[slot.type], slot.required)
                for slot_name, slot in request.slots.items()
            },
            outputs=request.outputs,
        )
        for name, (_, request) in journeys.requests().items()
    }


def request_of(kind: str) -> Request:
    """Return the request of a kind of task."""
    return journeys.requests()[kind][1]


def parameters_of(slot: Slot, value: object) -> dict[str, object]:
    """Return the parameters of the flow that a value fills."""
    parts = _PARTS.get(_TYPES[slot.type])
    if parts is None:
        return dict.fromkeys(slot.fills.values(), value)
    assert isinstance(value, Mapping)
    return {slot.fills[part]: value[part] for part in parts}


def parameter_of(slot: Slot, part: str, values: Mapping[str, object]) -> str | None:
    """Return the parameter of a flow that holds a part of the value of a slot."""
    if _TYPES[slot.type] in _PARTS:
        return slot.fills.get(part)
    return next((each for each in slot.fills.values() if each in values), None)


def value_of(slot: Slot, values: Mapping[str, object]) -> object | None:
    """Return the value of a slot from the parameters of its flow, if it is whole."""
    parts = _PARTS.get(_TYPES[slot.type])
    if parts is None:
        parameter = parameter_of(slot, "", values)
        return None if parameter is None else values[parameter]
    whole = {part: values.get(slot.fills[part]) for part in parts}
    return None if None in whole.values() else whole
