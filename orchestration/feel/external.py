"""External functions: what DMN lets a model borrow from Java, as far as it only computes.

No Java runs here, and nothing is looked up outside the tables below: a method that is not in them
gives null with its reason, as DMN allows of an engine that does not know a mapping.
"""

import math
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal

from orchestration.feel.formatting import text_within
from orchestration.feel.values import FeelValue

Method = Callable[[tuple[FeelValue, ...]], FeelValue]

_SIGNATURE = re.compile(r"\s*(\w+)\s*\(([^()]*)\)\s*")
_DIRECTIVE = re.compile(r"%(?:([%n])|(s)|(?:\.(\d))?(f))")
_DIRECTIVES_MAX = 50
_TEXT_MAX = 10_000
_WRITING = Context(prec=7000, Emin=-6143, Emax=6144)
_BITS = {"byte": 8, "short": 16, "int": 32, "long": 64}
_BOXED = {"Integer": "int", "Character": "char"}
_ONE_DOUBLE: Mapping[str, Callable[[float], float]] = {
    "acos": math.acos,
    "asin": math.asin,
    "atan": math.atan,
    "cbrt": math.cbrt,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "log10": math.log10,
    "rint": round,
    "round": lambda number: max(-(2**63), min(math.floor(number + 0.5), 2**63 - 1)),
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
    "toDegrees": math.degrees,
    "toRadians": math.radians,
}
_TWO_DOUBLES: Mapping[str, Callable[[float, float], float]] = {
    "atan2": math.atan2,
    "hypot": math.hypot,
    "pow": math.pow,
}


class _NotTaken(ValueError):
    """The argument is not one this Java type can hold."""

    code = "argument_not_taken"
    is_retryable = False


def method_of(mapping: FeelValue) -> Method | str:
    """Give the function a mapping names, or say why there is none.

    The mapping is `{java: {class, method signature}}`, or its inner part alone as boxes have it.
    """
    java = mapping.get("java", mapping) if isinstance(mapping, Mapping) else None
    given = java if isinstance(java, Mapping) else {}
    owner, signature = given.get("class"), given.get("method signature")
    found = _SIGNATURE.fullmatch(signature) if isinstance(signature, str) else None
    if not isinstance(owner, str) or found is None:
        return "the mapping of the external function is not one that is known here"
    name, listed = found.groups()
    kinds = tuple(_kind(each.strip()) for each in listed.split(",")) if listed.strip() else ()
    run = _METHODS.get((owner.strip(), name, kinds))
    if run is None:
        return f"the external function {owner}.{name} is not one that is known here"

    def call(arguments: tuple[FeelValue, ...]) -> FeelValue:
        if len(arguments) != len(kinds):
            return None
        try:
            taken = [_TAKERS[kind](each) for kind, each in zip(kinds, arguments, strict=True)]
            return _number(run(*taken))
        except (_NotTaken, ArithmeticError, ValueError):
            return None

    return call


def _kind(java_type: str) -> str:
    if java_type in {"[Ljava.lang.Object;", "java.lang.Object[]", "java.lang.Object..."}:
        return "Objects"
    bare = java_type.removeprefix("java.lang.")
    if bare == java_type:
        return bare
    return bare if bare in {"String", "Object"} else _BOXED.get(bare, bare.lower())


def _number(value: object) -> FeelValue:
    if isinstance(value, float):
        return Decimal(repr(value + 0.0)) if math.isfinite(value) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value  # type: ignore[return-value]  # a text or a boolean, which are FEEL's own


# From FEEL to the types of Java.


def _whole(bits: int) -> Callable[[FeelValue], int]:
    def take(value: FeelValue) -> int:
        if not isinstance(value, Decimal) or value.adjusted() > 19:
            raise _NotTaken
        number = int(value)
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise _NotTaken
        return number

    return take


def _double(value: FeelValue) -> float:
    if not isinstance(value, Decimal):
        raise _NotTaken
    return float(value)


def _text(value: FeelValue) -> str:
    if not isinstance(value, str):
        raise _NotTaken
    return value


def _character(value: FeelValue) -> str:
    if not isinstance(value, str) or len(value) != 1:
        raise _NotTaken
    return value


def _boolean(value: FeelValue) -> bool:
    if not isinstance(value, bool):
        raise _NotTaken
    return value


def _objects(value: FeelValue) -> tuple[FeelValue, ...]:
    return value if isinstance(value, tuple) else (value,)


_TAKERS: Mapping[str, Callable[[FeelValue], object]] = {
    **{kind: _whole(bits) for kind, bits in _BITS.items()},
    "float": _double,
    "double": _double,
    "boolean": _boolean,
    "char": _character,
    "String": _text,
    "Object": lambda value: value,
    "Objects": _objects,
}


# What Java's methods compute.


def _shown(value: object) -> str:
    """Write a value the way Java does."""
    match value:
        case float():
            return _shown_double(value)
        case str() | Decimal():
            return str(value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            text = text_within(value, _TEXT_MAX)  # type: ignore[arg-type]  # any FEEL value
            if text is None:
                raise _NotTaken
            return text


def _shown_double(value: float) -> str:
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return format(Decimal(repr(value)), "f") if "e" in repr(value) else repr(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    power = int(exponent) + len(digits) - 1
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{power}"


def _format(pattern: str, values: tuple[FeelValue, ...]) -> str:
    remaining = iter(values)
    if "%" in _DIRECTIVE.sub("", pattern) or pattern.count("%") > _DIRECTIVES_MAX:
        raise _NotTaken  # A directive this does not write, or more than any text needs.

    def fill(found: re.Match[str]) -> str:
        plain, text, places, _ = found.groups()
        if plain:
            return "%" if plain == "%" else "\n"
        value = next(remaining, _MISSING)
        if value is _MISSING:
            raise _NotTaken
        if text:
            return _shown(value)
        if not isinstance(value, Decimal):
            raise _NotTaken
        unit = Decimal(1).scaleb(-int(places or 6))
        return format(value.quantize(unit, ROUND_HALF_UP, _WRITING), "f")

    return _DIRECTIVE.sub(fill, pattern)


_MISSING = object()


def _hexadecimal(number: int) -> str:
    return format(number % 2**32, "x")


_Table = dict[tuple[str, str, tuple[str, ...]], Callable[..., object]]


def _math() -> _Table:
    owner = "java.lang.Math"
    table: _Table = {(owner, name, ("double",)): run for name, run in _ONE_DOUBLE.items()}
    table |= {(owner, name, ("double", "double")): run for name, run in _TWO_DOUBLES.items()}
    table[owner, "round", ("float",)] = _ONE_DOUBLE["round"]
    for kind in ("int", "long", "float", "double"):
        table[owner, "abs", (kind,)] = abs
        table[owner, "max", (kind, kind)] = max
        table[owner, "min", (kind, kind)] = min
    return table


def _texts_and_numbers() -> _Table:
    table: _Table = {
        ("java.lang.String", "valueOf", (kind,)): _shown
        for kind in ("int", "long", "float", "double", "boolean", "char", "Object")
    }
    table["java.lang.String", "format", ("String", "Objects")] = _format
    for owner, kind, reader in (("Integer", "int", "parseInt"), ("Long", "long", "parseLong")):
        read = _reader(_BITS[kind])
        table[f"java.lang.{owner}", reader, ("String",)] = read
        table[f"java.lang.{owner}", "valueOf", ("String",)] = read
        table[f"java.lang.{owner}", "valueOf", (kind,)] = lambda number: number
        table[f"java.lang.{owner}", "toString", (kind,)] = str
        table[f"java.lang.{owner}", "max", (kind, kind)] = max
        table[f"java.lang.{owner}", "min", (kind, kind)] = min
    table["java.lang.Integer", "toHexString", ("int",)] = _hexadecimal
    return table


def _reader(bits: int) -> Callable[[str], int]:
    fits = _whole(bits)

    def read(text: str) -> int:
        if re.fullmatch(r"[+-]?[0-9]{1,19}", text) is None:
            raise _NotTaken
        return fits(Decimal(text))

    return read


_METHODS = _math() | _texts_and_numbers()
