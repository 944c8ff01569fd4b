"""States, events, commands and history in few bytes: lists by position instead of names.

The core's own encoding names every field, which is right for people and programs that read it; an
instance writes some of it with every step, so that here it costs a quarter of the bytes and of the
time. A record is `[code, field, ...]` in the order of its class, trailing defaults left out; a FEEL
list is `["l", ...]`, a number `["n", "1.50"]`, a context a JSON object. Fields of stored classes
are only ever added at the end: `tests/layers/orchestration/test_packing.py` holds the order fast.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import Any, get_args

from orchestration.core import codec, commands, events, history, state
from orchestration.durable.large_values import Kept, KeptVariables
from orchestration.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from orchestration.feel.values import Range

Packed = Any
_SHORT: Mapping[type, str] = {
    state.InstanceState: "I",
    state.Token: "T",
    state.Scope: "S",
    state.Timer: "M",
    state.Subscription: "E",
    events.Started: "s",
    events.TaskCompleted: "c",
    events.TimerFired: "t",
    history.InstanceStarted: "A",
    history.NodeEntered: "N",
    history.NodeLeft: "L",
    history.FlowTaken: "F",
    history.VariableSet: "V",
    history.WorkAsked: "W",
    history.WorkAnswered: "w",
    history.EventWaited: "h",
    history.EventCaught: "g",
    history.InstanceEnded: "Z",
}
_OTHER = (
    *get_args(events.Event),
    *get_args(commands.Command),
    *get_args(history.Entry),
    commands.RetryPolicy,
    history.RuleMatched,
    state.Loop,
    state.Undo,
)
RECORDS: dict[str, type] = {
    _SHORT.get(kind, kind.__name__): kind for kind in dict.fromkeys((*_SHORT, *_OTHER))
}
# What a step changes stands at the end and together: of a row written anew the log keeps only what
# lies between the first and the last byte that differ. A state of code I was written before.
_ORDERS: Mapping[str, tuple[str, ...]] = {
    "J": (
        "process",
        "status",
        "code",
        "timers",
        "subscriptions",
        "scopes",
        "tokens",
        "counter",
        "requires_inputs",
    )
}
RECORDS["J"] = state.InstanceState
# What is packed is new, and so holds nothing that holds it.
_ENCODE = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode
_SCALARS = (bool, int, str)
_NOTHING = object()


class _Layout:
    """How one class is packed: its fields in order, and which of them are more than a scalar."""

    def __init__(self, code: str, kind: type) -> None:
        known = {each.name: each for each in fields(kind)}
        hints: dict[str, Any] = {name: each.type for name, each in known.items()}
        self.code, self.kind = code, kind
        self.is_ordered = code in _ORDERS
        self.names = _ORDERS.get(code) or tuple(known)
        self.read = attrgetter(*self.names) if self.names else None
        self.is_one = len(self.names) == 1
        self.defaults = tuple(
            _NOTHING if each.default is MISSING else ["l"] if each.default == () else each.default
            for each in (known[name] for name in self.names)
        )
        enums = {place: _enum_in(hints[name]) for place, name in enumerate(self.names)}
        self.enums = {place: found for place, found in enums.items() if found}
        self.rich = tuple(
            place
            for place, name in enumerate(self.names)
            if place not in self.enums and not _is_scalar(hints[name])
        )

    def pack(self, value: object, pack: Callable[[object], Packed]) -> Packed:
        """Return the list of one record."""
        if self.read is None:
            return [self.code]
        found = [self.read(value)] if self.is_one else list(self.read(value))
        for place in self.rich:
            found[place] = pack(found[place])
        count = len(found)
        while count and found[count - 1] == self.defaults[count - 1]:
            count -= 1
        return [self.code, *found[:count]]

    def unpack(self, packed: Sequence[Packed], unpack: Callable[[Packed], object]) -> object:
        """Return the record of a list; fields it lacks have their defaults."""
        values = list(packed[1:])
        for place in self.rich:
            if place < len(values):
                values[place] = unpack(values[place])
        for place, kind in self.enums.items():
            if place < len(values):
                values[place] = values[place] and kind(values[place])
        if self.is_ordered:
            return self.kind(**dict(zip(self.names, values, strict=False)))
        return self.kind(*values)


def _enum_in(hint: Any) -> type[StrEnum] | None:  # noqa: ANN401  (whatever an annotation may be)
    options = get_args(hint) or (hint,)
    return next((each for each in options if isinstance(each, type) and _is_enum(each)), None)


def _is_enum(kind: type) -> bool:
    return issubclass(kind, StrEnum)


def _is_scalar(hint: Any) -> bool:  # noqa: ANN401  (whatever an annotation may be)
    options = get_args(hint) or (hint,)
    return all(each in _SCALARS or each is type(None) for each in options)


_BY_CODE = {code: _Layout(code, kind) for code, kind in RECORDS.items()}
_BY_KIND = {layout.kind: layout for layout in _BY_CODE.values()}
# What a FEEL value is when it is more than text, truth, number, list or context: as the core says.
_NAMED = (Date, Time, DateTime, DaysDuration, MonthsDuration, datetime, Range)


def layouts() -> dict[str, tuple[str, ...]]:
    """Return the code and the fields of every class that is stored."""
    return {code: layout.names for code, layout in _BY_CODE.items()}


def pack(value: object) -> Packed:
    """Return the JSON data of a record or a value.

    Raises:
        EncodingRefused: there is none for it.
    """
    kind = type(value)
    if value is None or kind is str or kind is bool or kind is int:
        return value
    if kind is dict:
        return {name: pack(item) for name, item in value.items()}  # type: ignore[attr-defined]
    if kind is tuple:
        return ["l", *map(pack, value)]  # type: ignore[call-overload]
    if kind is Decimal:
        return ["n", str(value)]
    layout = _BY_KIND.get(kind)
    if layout is not None:
        return layout.pack(value, pack)
    return _pack_rarely(value)


def _pack_rarely(value: object) -> Packed:
    match value:
        case KeptVariables():
            packed: Packed = {name: pack(item) for name, item in value.raw.items()}
        case Kept():
            packed = ["v", value.digest, value.size]
        case StrEnum():
            packed = value.value
        case Mapping():
            packed = {str(name): pack(item) for name, item in value.items()}
        case list():
            packed = ["l", *map(pack, value)]
        case _ if isinstance(value, _NAMED):
            packed = ["x", codec.to_json(value)]
        case _:
            packed = pack(codec.from_json(codec.to_json(value)))
    return packed


def unpack(packed: Packed) -> Any:  # noqa: ANN401  (the reverse of `pack`)
    """Return what JSON data of `pack` stands for.

    Raises:
        EncodingRefused: it is not ours.
    """
    if type(packed) is dict:
        found = {name: unpack(item) for name, item in packed.items()}
        is_whole = not any(type(item) is Kept for item in found.values())
        return found if is_whole else KeptVariables(found)
    if type(packed) is not list:
        return packed
    code = packed[0]
    layout = _BY_CODE.get(code)
    if layout is not None:
        return layout.unpack(packed, unpack)
    if code not in _VALUES:
        raise codec.EncodingRefused(f"unknown code {code}")
    return _VALUES[code](packed)


_VALUES: Mapping[str, Callable[[list[Packed]], object]] = {
    "l": lambda packed: tuple(map(unpack, packed[1:])),
    "n": lambda packed: Decimal(packed[1]),
    "v": lambda packed: Kept(packed[1], packed[2]),
    "x": lambda packed: codec.from_json(packed[1]),
}


def dumps(packed: Packed) -> str:
    """Return JSON data as the one text it has."""
    return _ENCODE(packed)
