"""What an answer must look like before it flows on: JSON Schema of a few words, checked purely.

The words are those that can be checked in bounded time and read at a glance; nothing points
elsewhere, so that no schema is ever fetched.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from jsonschema.exceptions import SchemaError, ValidationError

from orchestration.core.definition import AnswerCheck, AnswerFault
from orchestration.feel.values import FeelValue
from orchestration.json_schema import check_grammar, faults
from orchestration.plain import plain_mapping

Schemas = Mapping[str, Mapping[str, Any]]

FAULTS_MAX = 10
_ANNOTATIONS = {"$schema", "$id", "title", "description"}
_ANY = {"type", "enum", "const"}
_WORDS: Mapping[str, set[str]] = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems"},
    "string": {"minLength", "maxLength", "pattern"},
    "integer": {"minimum", "maximum"},
    "boolean": set(),
    "null": set(),
}
_DEPTH_MAX = 16


class SchemaRefused(ValueError):
    """The schema cannot be used: it is broken, open, or has words that schemas do not have."""

    code = "schema_refused"
    is_retryable = False

    def __init__(self, schema: str, place: str, words: str) -> None:
        super().__init__(schema, place, words)
        self.schema, self.place, self.words = schema, place, words


def check_schema(name: str, schema: object) -> None:
    """Accept only a schema that closes what it describes: an object with named, typed fields.

    Raises:
        SchemaRefused: it is not one; `place` says where.
    """
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        raise SchemaRefused(name, "schema", "a schema describes an object")
    # Words before grammar: only what is known to be harmless is read any further.
    for place, words in _misused(schema, "schema", 0):
        raise SchemaRefused(name, place, words)
    try:
        check_grammar(schema)
    except SchemaError as error:
        place = ".".join(map(str, error.absolute_path)) or "schema"
        raise SchemaRefused(name, place, error.message[:200]) from error


def _misused(part: object, place: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEPTH_MAX:
        yield place, f"it is deeper than {_DEPTH_MAX}"
        return
    if not isinstance(part, Mapping):
        yield place, "every part of a schema is an object"
        return
    kinds = _types(part)
    if not kinds:
        yield place, f"it says which type it is of: {', '.join(_WORDS)}"
        return
    unknown = set(part) - _ANNOTATIONS - _ANY - {word for kind in kinds for word in _WORDS[kind]}
    if unknown:
        yield place, f"unknown words {sorted(map(str, unknown))}"
    yield from _misused_inside(part, kinds, place, depth)


def _misused_inside(
    part: Mapping[str, Any], kinds: set[str], place: str, depth: int
) -> Iterator[tuple[str, str]]:
    if "object" in kinds:
        fields = part.get("properties")
        if not isinstance(fields, Mapping) or part.get("additionalProperties") is not False:
            yield place, "an object names its properties and takes no others"
            return
        required = part.get("required", [])
        for missing in sorted(set(required if isinstance(required, list) else []) - set(fields)):
            yield place, f"{missing!r} is required and not among the properties"
        for name, each in fields.items():
            yield from _misused(each, f"{place}.{name}", depth + 1)
    if "array" in kinds:
        yield from _misused(part.get("items"), f"{place}.items", depth + 1)


def _types(part: Mapping[str, Any]) -> set[str]:
    """Return the types a part names; none when one of them is unknown."""
    given = part.get("type")
    listed: list[object] = given if isinstance(given, list) else [given]
    named = {each for each in listed if isinstance(each, str) and each in _WORDS}
    return named if len(named) == len(listed) else set()


def checks_of(schemas: Schemas) -> dict[str, AnswerCheck]:
    """Return for each schema what finds the faults of an answer, in the order of their places."""
    return {name: partial(_faults_in, schema) for name, schema in schemas.items()}


def _faults_in(
    schema: Mapping[str, Any], answer: Mapping[str, FeelValue]
) -> tuple[AnswerFault, ...]:
    found = sorted(map(_fault, faults(schema, plain_mapping(answer))), key=_order)
    return tuple(found[:FAULTS_MAX])


def _fault(error: ValidationError) -> AnswerFault:
    return AnswerFault(".".join(map(str, error.absolute_path)), str(error.validator))


def _order(fault: AnswerFault) -> tuple[str, str]:
    return fault.place, fault.rule
