"""JSON Schema from outside is checked in bounded work, whatever it is held against."""

import pytest
from jsonschema.exceptions import SchemaError

from orchestration.json_schema import check_grammar, faults, is_met
from orchestration.triggers.content import BatchContent, TriggerRefusedAtPublish, check_batch

# Doubles its work with each character in an engine that goes back.
BOMB = {"type": "string", "pattern": "^(a+)+$"}
LONG = "a" * 60 + "!"


def test_pattern_that_explodes_elsewhere_is_answered() -> None:
    assert not is_met(BOMB, LONG)
    assert is_met(BOMB, "a" * 60)


def test_many_explosive_values_share_one_budget() -> None:
    schema = {"type": "array", "items": BOMB}

    found = faults(schema, [LONG * 20] * 500)

    assert len(found) == 500


@pytest.mark.parametrize(
    "pattern", ["^[0-9a-f-]{36}$", r"^\+?[0-9 ()/.-]{5,30}$", r"^\d{4}-\d{2}$", "^(lost|stolen)$"]
)
def test_patterns_in_use_can_be_read(pattern: str) -> None:
    check_grammar({"type": "string", "pattern": pattern})


@pytest.mark.parametrize("text", ["2026-11\n", "x2026-11", "2026-1", "", "2026-11-01"])
def test_pattern_holds_for_the_whole_text_it_says(text: str) -> None:
    schema = {"type": "string", "pattern": r"^\d{4}-\d{2}$"}

    assert is_met(schema, "2026-11")
    assert not is_met(schema, text)


def test_pattern_says_nothing_of_what_is_no_text() -> None:
    assert is_met({"pattern": "^a$"}, 7)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://elsewhere.example/schema.json"},
        {"properties": {"a": {"$ref": "#"}}},
        {"patternProperties": {"^(a+)+$": {}}},
        {"anyOf": [{"propertyNames": {"pattern": "^a"}}]},
        {"properties": {"properties": {"patternProperties": {"^(a+)+$": {}}}}},
        {"properties": {"$defs": {"$ref": "#"}}},
        {"allOf": [{"contains": {}}]},
        {"unevaluatedItems": {"type": "string"}},
        {"type": "number", "multipleOf": 0.01},
        {"if": {"not": {"then": {"propertyNames": {}}}}},
        {"pattern": "("},
        {"pattern": "(?=a)b"},
        {"pattern": "a" * 201},
        {"type": "no such type"},
    ],
)
def test_schema_without_a_bound_is_refused(schema: dict[str, object]) -> None:
    with pytest.raises(SchemaError):
        check_grammar(schema)


def test_field_may_have_the_name_of_a_word() -> None:
    check_grammar({"type": "object", "properties": {"$ref": {"type": "string"}}})
    check_grammar({"type": "array", "uniqueItems": True, "items": {"enum": ["a", "b"]}})


def test_items_are_told_apart_in_bounded_work() -> None:
    schema = {"type": "array", "uniqueItems": True}

    assert is_met(schema, [{"a": 1}, {"a": 2}])
    assert not is_met(schema, [{"a": 1, "b": 2}, {"b": 2, "a": 1}])
    assert not is_met(schema, [{"a": number} for number in range(100_000)])


def test_schema_deeper_than_anybody_writes_is_refused() -> None:
    deep: dict[str, object] = {"type": "string"}
    for _ in range(40):
        deep = {"properties": {"a": deep}}

    with pytest.raises(SchemaError):
        check_grammar(deep)


@pytest.mark.parametrize(
    "content",
    [
        {"key": "id", "accepts": {"pattern": "("}},
        {"key": "id", "variables": {"a": "= 1 +"}},
        {"key": "id", "line": {"amount": "= ("}},
        {"key": "id", "mandate": "triggers_other"},
    ],
)
def test_batch_that_cannot_work_is_refused_before_it_is_published(
    content: dict[str, object],
) -> None:
    with pytest.raises(TriggerRefusedAtPublish):
        check_batch("cards/report", BatchContent.model_validate(content))


def test_batch_that_can_work_is_taken() -> None:
    check_batch("cards/report", BatchContent(key="id", mandate="triggers_cards"))
