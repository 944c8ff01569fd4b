"""Forms of human tasks: JSON Schema (2020-12), checked here as well as on the screen.

A form may use the words that the bank's pages can show; one with any other word is refused when
its journey is published, never silently ignored. `x-labels` and `x-widget` say how it is shown.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema import FormatChecker
from jsonschema.exceptions import SchemaError
from jsonschema.exceptions import ValidationError as Fault

from orchestration.json_schema import check_grammar, faults

# `x-input` names the input of the task that a field is filled in with.
_ANNOTATIONS = {
    *("title", "description", "default", "$schema", "$id"),
    *("x-input", "x-labels", "x-widget"),
}
_WORDS = {
    "string": {"enum", "const", "minLength", "maxLength", "pattern", "format"},
    "integer": {"minimum", "maximum", "enum"},
    "boolean": {"const"},
    "array": {"items", "minItems", "maxItems", "uniqueItems"},
}
_OBJECT_WORDS = {"type", "properties", "required", "additionalProperties", "allOf"}
_RULE_WORDS = {"if", "then"}
_IF_WORDS = {"properties", "required"}
_FORMATS = {"date"}
_LENGTH_MAX = 2_000
_TYPE_WORDS = {
    "string": "Please enter text.",
    "integer": "Please enter a whole number.",
    "boolean": "Please answer yes or no.",
    "array": "Please choose from the answers.",
}
_FAULT_WORDS = {
    "required": "Please fill in this field.",
    "enum": "Please choose one of the answers.",
    "const": "This must be confirmed.",
    "minLength": "At least {} characters.",
    "maxLength": "At most {} characters.",
    "minimum": "This number is outside what is possible.",
    "maximum": "This number is outside what is possible.",
    "minItems": "Please choose at least {}.",
    "maxItems": "Please choose at most {}.",
    "format": "Please enter a {}.",
}
_OTHER_WORDS = "This does not have the expected form."
_CHECKED_FORMATS = FormatChecker(["date"])


class FormRefused(ValueError):
    """The form uses words that this bank's forms do not have."""

    code = "form_refused"
    is_retryable = False

    def __init__(self, place: str, words: str) -> None:
        super().__init__(place, words)
        self.place, self.words = place, words


class AnswerRefused(ValueError):
    """The answer to a task is not what its form asks for; `errors` says why, field by field."""

    code = "answer_refused"
    is_retryable = False

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(errors)
        self.errors = errors


def check_form(form: Mapping[str, Any]) -> None:
    """Check that a form is JSON Schema, of words that the pages can show.

    Raises:
        FormRefused: it is not; `place` says where.
    """
    try:
        check_grammar(form)
    except SchemaError as error:
        raise FormRefused(_path(error.absolute_path) or "form", error.message[:200]) from error
    _check_words("form", form, _OBJECT_WORDS)
    if form.get("type") != "object":
        raise FormRefused("form", "a form is an object")
    fields = form.get("properties", {})
    for name, field in fields.items():
        _check_field(name, field)
    for rule in form.get("allOf", ()):
        _check_rule(rule, fields)
    _check_known("required", form.get("required", ()), fields)


def _check_field(name: str, field: Mapping[str, Any]) -> None:
    allowed = _WORDS.get(str(field.get("type")))
    if allowed is None:
        raise FormRefused(name, f"type {field.get('type')!r}")
    _check_words(name, field, allowed | {"type"})
    if field.get("format", "date") not in _FORMATS:
        raise FormRefused(name, f"format {field['format']!r}")
    if field["type"] == "array":
        items = field.get("items")
        if not isinstance(items, Mapping) or not items.get("enum"):
            raise FormRefused(name, "the items of an array are chosen from an enum")
        _check_words(name, items, _WORDS["string"] | {"type"})


def _check_rule(rule: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    _check_words("allOf", rule, _RULE_WORDS)
    condition, then = rule.get("if", {}), rule.get("then", {})
    _check_words("if", condition, _IF_WORDS)
    _check_words("then", then, {"required"})
    _check_known("if", condition.get("properties", {}), fields)
    _check_known("then", then.get("required", ()), fields)


def _check_words(place: str, part: Mapping[str, Any], allowed: set[str]) -> None:
    unknown = set(part) - allowed - _ANNOTATIONS
    if unknown:
        raise FormRefused(place, f"unknown words {sorted(unknown)}")


def _check_known(place: str, names: Iterable[str], fields: Mapping[str, Any]) -> None:
    missing = set(names) - set(fields)
    if missing:
        raise FormRefused(place, f"fields {sorted(missing)} are not in the form")


def filled_in(form: Mapping[str, Any], inputs: Mapping[str, object]) -> Mapping[str, Any]:
    """Return the form with those fields filled in that name an input of their task (`x-input`)."""
    fields: Mapping[str, Mapping[str, Any]] = form.get("properties", {})
    given = {
        name: {**field, "default": inputs[field["x-input"]]}
        for name, field in fields.items()
        if isinstance(inputs.get(field.get("x-input", "")), str)
    }
    return {**form, "properties": {**fields, **given}} if given else form


def checked_answer(form: Mapping[str, Any], answer: Mapping[str, object]) -> dict[str, object]:
    """Return the answer with defaults filled in, if it is what the form asks for.

    Raises:
        AnswerRefused: a field is missing, not known, or has a value the form does not take.
    """
    fields: Mapping[str, Mapping[str, Any]] = form.get("properties", {})
    errors = {name: "This field is not part of the form." for name in answer if name not in fields}
    values = {name: field["default"] for name, field in fields.items() if "default" in field} | {
        name: value for name, value in answer.items() if value not in (None, "")
    }
    for fault in faults(form, values, formats=_CHECKED_FORMATS):
        for name in _fields_of(fault, values):
            errors.setdefault(name, _words_of(fault))
    for name, value in values.items():
        if isinstance(value, str) and len(value) > _LENGTH_MAX:
            errors.setdefault(name, f"At most {_LENGTH_MAX} characters.")
    if errors:
        raise AnswerRefused(errors)
    return values


def _fields_of(fault: Fault, values: Mapping[str, object]) -> list[str]:
    """Return the fields a fault is about: those that are missing, or the one that is wrong."""
    if fault.validator == "required":
        assert isinstance(fault.validator_value, list)
        return [name for name in fault.validator_value if name not in values]
    return [str(fault.absolute_path[0])] if fault.absolute_path else []


def _words_of(fault: Fault) -> str:
    word, limit = str(fault.validator), fault.validator_value
    if word == "type":
        return _TYPE_WORDS.get(str(limit), _OTHER_WORDS)
    return _FAULT_WORDS.get(word, _OTHER_WORDS).format(limit)


def _path(places: Iterable[str | int]) -> str:
    return ".".join(map(str, places))
