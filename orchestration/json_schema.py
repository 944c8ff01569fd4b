"""JSON Schema (2020-12) of what comes into flows: checked in bounded work, fetched from nowhere.

A schema comes from whoever draws a flow, and what it is held against from anybody. So patterns run
on FEEL's own engine, which counts what it does, and words whose cost cannot be bounded, or that
point elsewhere, are refused.
"""

import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend

from orchestration.feel.evaluation import Evaluation, LimitExceeded, Limits
from orchestration.feel.functions.patterns import compile_pattern

Schema = Mapping[str, Any]

PATTERN_LENGTH_MAX = 200
UNIQUE_ITEMS_MAX = 1_000
# Words of our own forms: how a field is shown.
_OWN = "x-"
DEPTH_MAX = 32
# What a schema may say: each costs no more than walking the value once for each word.
_WORDS = frozenset(
    {
        *("$schema", "$id", "$comment", "title", "description", "default", "examples"),
        *("type", "enum", "const", "format", "pattern", "minLength", "maxLength"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("properties", "required", "additionalProperties", "dependentRequired"),
        *("minProperties", "maxProperties", "items", "prefixItems", "minItems", "maxItems"),
        *("uniqueItems", "allOf", "anyOf", "oneOf", "not", "if", "then", "else"),
    }
)
# Beneath these stand schemas: by name, in a list, or one by itself.
_NAMED, _LISTED = frozenset({"properties"}), frozenset({"prefixItems", "allOf", "anyOf", "oneOf"})
_SINGLE = frozenset({"additionalProperties", "items", "not", "if", "then", "else"})
_LIMITS = Limits()
_work: ContextVar[Evaluation] = ContextVar("json_schema_work")


def faults(
    schema: Schema, value: object, *, formats: FormatChecker | None = None
) -> list[ValidationError]:
    """Return what is wrong with a value; one that takes too much work to tell is wrong there."""
    token = _work.set(Evaluation(_LIMITS))
    try:
        return list(_Validator(schema, format_checker=formats).iter_errors(value))
    finally:
        _work.reset(token)


def is_met(schema: Schema, value: object) -> bool:
    """Tell whether a value is what a schema asks for."""
    return not faults(schema, value)


def check_grammar(schema: Schema) -> None:
    """Accept only JSON Schema whose patterns can be read and whose work has a bound.

    Raises:
        SchemaError: it is not; `absolute_path` says where, `message` what is wrong.
    """
    Draft202012Validator.check_schema(schema)
    for place, words in _refused(schema, ()):
        raise SchemaError(words, path=place)


def _refused(part: object, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(part, Mapping):
        return
    if len(place) > DEPTH_MAX:
        yield place, f"it is deeper than {DEPTH_MAX}"
        return
    for word in sorted(set(map(str, part)) - _WORDS):
        if not word.startswith(_OWN):
            yield (*place, word), f"{word} is not used here: its work has no bound, or is unknown"
    pattern = part.get("pattern")
    if isinstance(pattern, str) and _fault_of(pattern):
        yield (*place, "pattern"), _fault_of(pattern)
    for inner, at in _schemas_in(part, place):
        yield from _refused(inner, at)


def _schemas_in(
    part: Mapping[str, Any], place: tuple[str, ...]
) -> Iterator[tuple[object, tuple[str, ...]]]:
    for word in sorted(_NAMED & set(part)):
        for name, each in part[word].items():
            yield each, (*place, word, str(name))
    for word in sorted(_LISTED & set(part)):
        for number, each in enumerate(part[word]):
            yield each, (*place, word, str(number))
    for word in sorted(_SINGLE & set(part)):
        yield part[word], (*place, word)


def _fault_of(pattern: str) -> str:
    if len(pattern) > PATTERN_LENGTH_MAX:
        return f"a pattern has at most {PATTERN_LENGTH_MAX} characters"
    if compile_pattern(pattern, "", Evaluation(_LIMITS)) is None:
        return "the pattern is no regular expression of XPath"
    return ""


def _pattern(
    validator: Draft202012Validator, pattern: str, instance: object, schema: Schema
) -> Iterator[ValidationError]:
    del schema
    if validator.is_type(instance, "string") and not _matches(pattern, str(instance)):
        yield ValidationError(f"it does not match {pattern!r}")


def _matches(pattern: str, text: str) -> bool:
    work = _work.get()
    compiled = compile_pattern(pattern, "", work)
    if compiled is None:
        return False
    try:
        return compiled.first(text, 0, work) is not None
    except LimitExceeded:
        return False


def _unique(
    validator: Draft202012Validator, is_asked: object, instance: object, schema: Schema
) -> Iterator[ValidationError]:
    del schema
    if not is_asked or not validator.is_type(instance, "array"):
        return
    assert isinstance(instance, list)
    if len(instance) > UNIQUE_ITEMS_MAX:
        yield ValidationError(f"more than {UNIQUE_ITEMS_MAX} items are not compared")
    elif len({json.dumps(each, sort_keys=True) for each in instance}) < len(instance):
        yield ValidationError("an item stands twice")


_Validator = extend(Draft202012Validator, {"pattern": _pattern, "uniqueItems": _unique})  # type: ignore[no-untyped-call]
