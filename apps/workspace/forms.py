"""Turns the JSON Schema of a human task into fields, and what was filled in into an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict

_TRUE = {"true", "on", "1", "yes"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several answers to a field."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a task's form; `widget` is text, date, area, choices, checks or check."""

    name: str
    label: str
    hint: str
    widget: str
    value: str
    is_required: bool
    choices: tuple[Choice, ...]
    error: str

    @property
    def id(self) -> str:
        """Return the element's id."""
        return f"field-{self.name}"


def fields_of(
    *,
    schema: Mapping[str, object],
    filled: Mapping[str, object] | None = None,
    errors: Mapping[str, str] | None = None,
) -> tuple[Field, ...]:
    """Return the fields of a form in the order its schema names them."""
    properties = schema.get("properties")
    required = schema.get("required")
    assert properties is None or isinstance(properties, Mapping)
    needed = set(required) if isinstance(required, Sequence) else set()
    return tuple(
        _field(name, declared, name in needed, filled or {}, errors or {})
        for name, declared in (properties or {}).items()
    )


def answer_from(*, schema: Mapping[str, object], posted: QueryDict) -> dict[str, object]:
    """Return what was filled in, typed as the schema says; empty fields are left out."""
    properties = schema.get("properties")
    assert properties is None or isinstance(properties, Mapping)
    answer: dict[str, object] = {}
    for name, declared in (properties or {}).items():
        value = posted.get(name, "").strip()
        if declared.get("type") == "array":
            answer[name] = posted.getlist(name)
        elif declared.get("type") == "boolean":
            answer[name] = value.lower() in _TRUE
        elif value:
            answer[name] = int(value) if _is_integer(declared, value) else value
    return answer


def answered(
    *, schema: Mapping[str, object], answers: Sequence[Mapping[str, object]]
) -> tuple[tuple[str, str], ...]:
    """Return what was answered, in the form's own words."""
    properties = schema.get("properties")
    assert properties is None or isinstance(properties, Mapping)
    declared = {**(properties or {}), "comment": {"title": "Comment"}}
    return tuple(
        (_label_of(name, declared[name]), _in_words(declared[name], value))
        for answer in answers
        for name, value in answer.items()
        if name in declared and value not in (None, "", [])
    )


def _label_of(name: str, declared: Mapping[str, object]) -> str:
    return str(declared.get("title", name.replace("_", " ").capitalize()))


def _in_words(declared: Mapping[str, object], value: object) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(_in_words(declared, each) for each in value)
    labels = declared.get("x-labels")
    return str(labels.get(value, value)) if isinstance(labels, Mapping) else str(value)


def _is_integer(declared: Mapping[str, object], value: str) -> bool:
    return declared.get("type") == "integer" and value.isascii() and value.isdigit()


def _field(
    name: str,
    declared: Mapping[str, object],
    is_required: bool,  # noqa: FBT001 - called from one line above
    filled: Mapping[str, object],
    errors: Mapping[str, str],
) -> Field:
    given = filled.get(name, declared.get("default", "")) or ""
    chosen = tuple(map(str, given)) if isinstance(given, list) else (str(given),)
    value = chosen[0] if chosen else ""
    return Field(
        name=name,
        label=_label_of(name, declared),
        hint=str(declared.get("description", "")),
        widget=_widget(declared),
        value=value,
        is_required=is_required,
        choices=_choices(declared, chosen),
        error=errors.get(name, ""),
    )


def _widget(declared: Mapping[str, object]) -> str:
    if declared.get("type") == "boolean":
        return "check"
    if declared.get("type") == "array":
        return "checks"
    if "enum" in declared:
        return "choices"
    if declared.get("format") == "date":
        return "date"
    longest = declared.get("maxLength", 0)
    return "area" if isinstance(longest, int) and longest > 200 else "text"


def _choices(declared: Mapping[str, object], chosen: tuple[str, ...]) -> tuple[Choice, ...]:
    items = declared.get("items")
    source = items if isinstance(items, Mapping) else declared
    values, labels = source.get("enum"), declared.get("x-labels")
    if not isinstance(values, Sequence):
        return ()
    words = labels if isinstance(labels, Mapping) else {}
    return tuple(
        Choice(
            value=str(each),
            label=str(words.get(each, str(each).replace("_", " ").capitalize())),
            is_chosen=str(each) in chosen,
        )
        for each in values
    )
