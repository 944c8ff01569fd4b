"""Forms of human tasks: a small part of JSON Schema, checked here as well as on the screen.

Known words: type object with properties and required; string (enum, minLength, maxLength,
pattern), integer (minimum, maximum), boolean (const). A form with any other word is refused when
its journey is published, never silently ignored.
"""

import re
from collections.abc import Mapping
from typing import Any

_ANNOTATIONS = {"title", "description", "default", "$schema", "$id", "x-labels", "x-widget"}
_WORDS = {
    "string": {"enum", "minLength", "maxLength", "pattern"},
    "integer": {"minimum", "maximum"},
    "boolean": {"const"},
}
_OBJECT_WORDS = {"type", "properties", "required", "additionalProperties", "x-required-when"}
_LENGTH_MAX = 2_000


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
    """Check that every word of a form is known.

    Raises:
        FormRefused: one is not.
    """
    unknown = set(form) - _OBJECT_WORDS - _ANNOTATIONS
    if unknown or form.get("type") != "object":
        raise FormRefused("form", f"unknown words {sorted(unknown)} or not an object")
    for name, field in form.get("properties", {}).items():
        allowed = _WORDS.get(str(field.get("type")))
        if allowed is None:
            raise FormRefused(name, f"type {field.get('type')!r}")
        unknown = set(field) - allowed - _ANNOTATIONS - {"type"}
        if unknown:
            raise FormRefused(name, f"unknown words {sorted(unknown)}")
    missing = set(form.get("required", ())) - set(form.get("properties", {}))
    if missing:
        raise FormRefused("required", f"fields {sorted(missing)} are not in the form")


def checked_answer(form: Mapping[str, Any], answer: Mapping[str, object]) -> dict[str, object]:
    """Return the answer with defaults filled in, if it is what the form asks for.

    Raises:
        AnswerRefused: a field is missing, not known, or has a value the form does not take.
    """
    fields: Mapping[str, Mapping[str, Any]] = form.get("properties", {})
    errors = {name: "This field is not part of the form." for name in answer if name not in fields}
    values = {name: field["default"] for name, field in fields.items() if "default" in field} | {
        name: value for name, value in answer.items() if value is not None
    }
    for name in _required(form, values):
        if values.get(name) in (None, ""):
            errors[name] = "Please fill in this field."
    for name, value in values.items():
        if name in fields and name not in errors and value != "":
            words = _fault(fields[name], value)
            if words:
                errors[name] = words
    if errors:
        raise AnswerRefused(errors)
    return values


def _required(form: Mapping[str, Any], values: Mapping[str, object]) -> list[str]:
    """Return the fields that must be there, those included that another answer asks for."""
    required = list(form.get("required", ()))
    for rule in form.get("x-required-when", ()):
        if values.get(rule["field"]) in rule["is"]:
            required += rule["required"]
    return required


def _fault(field: Mapping[str, Any], value: object) -> str:
    match field["type"]:
        case "string":
            return _string_fault(field, value)
        case "integer":
            return _integer_fault(field, value)
    if not isinstance(value, bool):
        return "Please answer yes or no."
    return "" if field.get("const", value) == value else "This must be confirmed."


def _string_fault(field: Mapping[str, Any], value: object) -> str:
    if not isinstance(value, str):
        return "Please enter text."
    if len(value) > field.get("maxLength", _LENGTH_MAX):
        return f"At most {field.get('maxLength', _LENGTH_MAX)} characters."
    if len(value.strip()) < field.get("minLength", 0):
        return f"At least {field['minLength']} characters."
    if value not in field.get("enum", (value,)):
        return "Please choose one of the answers."
    if not re.fullmatch(field.get("pattern", r"[\s\S]*"), value):
        return "This does not have the expected form."
    return ""


def _integer_fault(field: Mapping[str, Any], value: object) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return "Please enter a whole number."
    if value < field.get("minimum", value) or value > field.get("maximum", value):
        return "This number is outside what is possible."
    return ""
