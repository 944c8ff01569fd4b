"""How a built-in function is declared: FEEL's own signature beside the Python that computes it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestration.feel.evaluation import Evaluation
from orchestration.feel.temporal import Date, DateTime, TemporalOutOfRange, Time
from orchestration.feel.values import FeelValue, Function, Parameter, type_name_of
from orchestration.feel.weight import weigh

_SIGNATURE = re.compile(r"(?P<name>[^(]+)\((?P<slots>.*)\)")
_Implementation = Callable[..., FeelValue]


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    types: frozenset[str]
    is_optional: bool
    is_rest: bool


@dataclass(frozen=True, slots=True)
class _Overload:
    slots: tuple[_Slot, ...]
    run: _Implementation
    takes_evaluation: bool


BUILTINS: dict[str, Function] = {}
_OVERLOADS: dict[str, list[_Overload]] = {}


def builtin(
    signature: str, *, takes_evaluation: bool = False
) -> Callable[[_Implementation], _Implementation]:
    """Declare a built-in: `name(a: number, b?: string|Null, *rest)`, `?` optional, `*` the rest.

    Arguments are checked and converted before the function runs, which therefore never sees null
    where the signature does not say so. Declaring a name again adds an overload; the first whose
    arguments fit is run.
    """
    found = _SIGNATURE.fullmatch(signature)
    assert found is not None, signature
    name = found["name"]
    slots = tuple(_slot(text.strip()) for text in found["slots"].split(",") if text.strip())

    def declare(run: _Implementation) -> _Implementation:
        _OVERLOADS.setdefault(name, []).append(_Overload(slots, run, takes_evaluation))
        if name not in BUILTINS:
            BUILTINS[name] = _function(name, slots)
        return run

    return declare


def _slot(text: str) -> _Slot:
    name, _, types = text.partition(":")
    is_rest = name.startswith("*")
    is_optional = name.endswith("?")
    wanted = frozenset(part.strip() for part in types.split("|") if part.strip())
    return _Slot(name.strip("*?"), wanted, is_optional, is_rest)


def _function(name: str, slots: tuple[_Slot, ...]) -> Function:
    def call(
        evaluation: Evaluation,
        positional: tuple[FeelValue, ...],
        named: Mapping[str, FeelValue],
    ) -> FeelValue:
        for overload in _OVERLOADS[name]:
            arguments = _bind(overload.slots, positional, named)
            if arguments is not None:
                return _run(name, overload, arguments, evaluation)
        given = ", ".join(map(type_name_of, positional or tuple(named.values())))
        evaluation.null(f"{name} does not take ({given})")
        return None

    return Function(name, tuple(Parameter(slot.name) for slot in slots), call)


def _run(
    name: str, overload: _Overload, arguments: list[FeelValue], evaluation: Evaluation
) -> FeelValue:
    for argument in arguments:
        weigh(argument, evaluation)
    try:
        if overload.takes_evaluation:
            result = overload.run(evaluation, *arguments)
        else:
            result = overload.run(*arguments)
    except (ArithmeticError, TemporalOutOfRange):
        result = None
    if result is None:
        evaluation.null(f"{name} has no result for these arguments")
    elif isinstance(result, str | tuple):
        evaluation.check_size(len(result))
    return result


def _bind(
    slots: tuple[_Slot, ...],
    positional: tuple[FeelValue, ...],
    named: Mapping[str, FeelValue],
) -> list[FeelValue] | None:
    if named:
        return _bind_named(slots, named)
    if slots and slots[-1].is_rest:
        fixed, rest = slots[:-1], slots[-1]
        if len(positional) < len(fixed) + 1:
            return None
        wanted = (*fixed, *([rest] * (len(positional) - len(fixed))))
    else:
        required = sum(not slot.is_optional for slot in slots)
        if not required <= len(positional) <= len(slots):
            return None
        wanted = slots[: len(positional)]
    return _fit_all(wanted, positional)


def _bind_named(slots: tuple[_Slot, ...], named: Mapping[str, FeelValue]) -> list[FeelValue] | None:
    known = {slot.name for slot in slots}
    if not named.keys() <= known:
        return None
    given: list[FeelValue] = []
    wanted: list[_Slot] = []
    for slot in slots:
        if slot.name in named:
            given.append(named[slot.name])
            wanted.append(slot)
        elif not slot.is_optional:
            return None
        elif any(later.name in named for later in slots[slots.index(slot) + 1 :]):
            given.append(None)
            wanted.append(_Slot(slot.name, frozenset(), is_optional=True, is_rest=False))
    return _fit_all(tuple(wanted), tuple(given))


def _fit_all(slots: tuple[_Slot, ...], values: tuple[FeelValue, ...]) -> list[FeelValue] | None:
    fitted: list[FeelValue] = []
    for slot, value in zip(slots, values, strict=True):
        fits, converted = _fit(value, slot.types)
        if not fits:
            return None
        fitted.append(converted)
    return fitted


def _fit(value: FeelValue, types: frozenset[str]) -> tuple[bool, FeelValue]:
    if not types or type_name_of(value) in types:
        return True, value
    if value is None:
        return "Null" in types, None
    if isinstance(value, tuple) and len(value) == 1:
        return _fit(value[0], types)
    if "list" in types:
        return True, (value,)
    if isinstance(value, Date) and "date and time" in types:
        return True, DateTime(value, Time(0, 0, 0))
    return False, None
