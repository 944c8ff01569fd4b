"""States, events, commands and history as canonical JSON, exactly and both ways.

Every value has one encoding, so equal values have equal bytes. Numbers are written as text,
because JSON readers make floats of them; a tagged object carries its kind under `$`, and a
context key that begins with `$` gets a second one.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar, get_args

from orchestration.core import commands, events, history, state, step
from orchestration.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from orchestration.feel.temporal_text import (
    format_temporal,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_time,
)
from orchestration.feel.values import FeelValue, Function, Range, ValueNotFeel, to_feel

_TAG = "$"
_FORMAT = "flow-state/2"
# Fields came in with the second format; what the first does not have is as its default says.
_FORMATS_READ = frozenset({"flow-state/1", _FORMAT})
Json = Any
Decoded = TypeVar("Decoded")


class EncodingRefused(ValueError):
    """The bytes are not an encoding this version made, or the value cannot be stored."""

    code = "encoding_refused"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_RECORDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *get_args(events.Event),
        *get_args(commands.Command),
        *get_args(history.Entry),
        commands.RetryPolicy,
        history.RuleMatched,
        state.InstanceState,
        state.Token,
        state.Scope,
        state.Loop,
        state.Undo,
        state.Timer,
        state.Subscription,
        step.Ignored,
    )
}
_ENUMS: dict[str, type[StrEnum]] = {
    kind.__name__: kind
    for kind in (
        events.FailureKind,
        events.Resolution,
        commands.CallKind,
        commands.OutcomeKind,
        state.Status,
        state.Wait,
        state.Trigger,
    )
}


def encode(value: object) -> bytes:
    """Write an event, a command, a history entry or a state as canonical JSON.

    Raises:
        EncodingRefused: it holds a function, or something that is no FEEL value.
    """
    text = json.dumps(
        to_json(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return text.encode()


def decode(encoded: bytes, wanted: type[Decoded]) -> Decoded:
    """Read what `encode` wrote; `wanted` is the type it must be.

    Raises:
        EncodingRefused: it is something else.
    """
    try:
        value = from_json(json.loads(encoded))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncodingRefused("not an encoding of this version") from error
    if not isinstance(value, wanted):
        raise EncodingRefused(f"not a {wanted.__name__}")
    return value


def encode_state(value: state.InstanceState) -> bytes:
    """Write a state, the format's name in front; equal states have equal bytes."""
    return encode({"format": _FORMAT, "state": value})


def decode_state(encoded: bytes) -> state.InstanceState:
    """Read a state back.

    Raises:
        EncodingRefused: the bytes are not a state of this version.
    """
    envelope = decode(encoded, dict)
    found = envelope.get("state")
    if envelope.get("format") not in _FORMATS_READ or not isinstance(found, state.InstanceState):
        raise EncodingRefused("not a state of this version")
    return found


def to_json(value: object) -> Json:
    """Turn a value into plain JSON data.

    Raises:
        EncodingRefused: there is no encoding for it.
    """
    if isinstance(value, StrEnum):
        return {_TAG: type(value).__name__, "v": value.value}
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {_escaped(key): to_json(item) for key, item in value.items()}
    encoder = _ENCODERS.get(type(value)) or (_record if is_record(value) else _plain)
    return encoder(value)


def is_record(value: object) -> bool:
    """Tell whether a value is one of the dataclasses that are stored."""
    return is_dataclass(value) and type(value).__name__ in _RECORDS


def _plain(value: object) -> Json:
    """Encode plain Python data as the FEEL data it will become."""
    try:
        return to_json(_storable(to_feel(value)))
    except ValueNotFeel as error:
        raise EncodingRefused(f"{error.type_name} cannot be stored") from error


def _storable(value: FeelValue) -> FeelValue:
    if isinstance(value, Function):
        raise ValueNotFeel("function")
    return value


def _escaped(key: str) -> str:
    return f"${key}" if key.startswith(_TAG) else key


def _record(value: Any) -> Json:  # noqa: ANN401  (any of the registered dataclasses)
    kind = type(value)
    omitted = _OMITTED.get(kind, _NONE)
    encoded = {_TAG: kind.__name__}
    for each in fields(value):
        found = getattr(value, each.name)
        if each.name not in omitted or found != omitted[each.name]:
            encoded[each.name] = to_json(found)
    return encoded


# What an instance is made of leaves out what is as usual: most of a state is.
_NONE: Mapping[str, object] = {}
_OMITTED: dict[type, Mapping[str, object]] = {
    kind: {each.name: each.default for each in fields(kind) if each.default is not MISSING}
    for kind in (state.Token, state.Scope, state.Undo, state.Timer, state.Subscription)
} | {
    # What came in later is left out where it says nothing, so that what was stored stays as it is.
    events.Started: {"deadline": None, "requires_inputs": False},
    commands.CallService: {"deadline": None},
    commands.StartChild: {"deadline": None},
    state.InstanceState: {"requires_inputs": False},
}


def _range(value: Range) -> Json:
    return {
        _TAG: "range",
        "start": to_json(value.start),
        "end": to_json(value.end),
        "start_included": value.start_included,
        "end_included": value.end_included,
    }


def _text(tag: str, write: Callable[[Any], str]) -> Callable[[Any], Json]:
    return lambda value: {_TAG: tag, "v": write(value)}


_ENCODERS: dict[type, Callable[[Any], Json]] = {
    Decimal: _text("n", str),
    Date: _text("date", format_temporal),
    Time: _text("time", format_temporal),
    DateTime: _text("datetime", format_temporal),
    DaysDuration: _text("duration", format_temporal),
    MonthsDuration: _text("duration", format_temporal),
    datetime: _text("instant", datetime.isoformat),
    Range: _range,
}


def from_json(value: Json) -> Any:  # noqa: ANN401  (the reverse of `to_json`)
    """Turn plain JSON data back into the value it was made from.

    Raises:
        EncodingRefused: a tag is unknown or its content malformed.
    """
    if isinstance(value, list):
        return tuple(from_json(item) for item in value)
    if not isinstance(value, dict):
        return value
    tag = value.get(_TAG)
    if tag is None:
        return {_unescaped(key): from_json(item) for key, item in value.items()}
    if tag in _RECORDS:
        return _RECORDS[tag](**{key: from_json(item) for key, item in value.items() if key != _TAG})
    if tag in _ENUMS:
        return _ENUMS[tag](value["v"])
    decoded = _DECODERS[tag](value)
    if decoded is None:
        raise EncodingRefused(f"malformed {tag}")
    return decoded


def _unescaped(key: str) -> str:
    return key[1:] if key.startswith(_TAG) else key


def _to_range(value: Json) -> Range:
    return Range(
        from_json(value["start"]),
        from_json(value["end"]),
        value["start_included"],
        value["end_included"],
    )


_DECODERS: dict[str, Callable[[Json], Any]] = {
    "n": lambda value: Decimal(value["v"]),
    "date": lambda value: parse_date(value["v"]),
    "time": lambda value: parse_time(value["v"]),
    "datetime": lambda value: parse_date_time(value["v"]),
    "duration": lambda value: parse_duration(value["v"]),
    "instant": lambda value: datetime.fromisoformat(value["v"]),
    "range": _to_range,
}
