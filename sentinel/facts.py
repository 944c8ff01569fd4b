"""Facts are attested, not claimed: each names its source row and is checked for age. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sentinel.vocabulary import Fact

FactValue = str | int | bool
INTEGER_LIMIT = 2**53
FUTURE_SECONDS_MAX = 10
_FUTURE_MAX = timedelta(seconds=-FUTURE_SECONDS_MAX)
_SOURCE = re.compile(r"[a-z][a-z0-9_.]{0,63}:[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}")


class FactKind(BaseModel):
    """What a fact may be and how old it may be when a decision rests on it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    type: Literal["String", "Long", "Bool"]
    max_age_seconds: int = Field(gt=0)


@dataclass(frozen=True, slots=True)
class Attested:
    """The facts a decision may use, or why there are none."""

    values: Mapping[str, FactValue]
    refusal: str = ""
    detail: str = ""


def attest(
    facts: Sequence[Fact],
    *,
    kinds: Mapping[str, FactKind],
    required: frozenset[str],
    at: datetime,
) -> Attested:
    """Return the values of facts that are declared, attested and fresh.

    Any fact that is not so refuses the whole set: a rule that forbids on a fact must not be
    escaped by handing in a bad one.
    """
    values: dict[str, FactValue] = {}
    for fact in facts:
        kind = kinds.get(fact.name)
        if kind is None:
            continue
        if fact.name in values:
            return Attested({}, "fact_repeated", fact.name)
        refusal = _refusal(fact, kind, at)
        if refusal:
            return Attested({}, refusal, fact.name)
        values[fact.name] = fact.value  # type: ignore[assignment]  # _refusal checked the type
    missing = sorted(required - values.keys())
    if missing:
        return Attested({}, "fact_missing", ", ".join(missing))
    return Attested(values)


def _refusal(fact: Fact, kind: FactKind, at: datetime) -> str:
    if not _SOURCE.fullmatch(fact.source):
        return "fact_unattested"
    if not _has_type(fact.value, kind.type):
        return "fact_malformed"
    age = at - fact.observed_at
    if age > _seconds(kind.max_age_seconds):
        return "fact_stale"
    if age < _FUTURE_MAX:
        return "fact_from_future"
    return ""


@lru_cache(maxsize=64)
def _seconds(count: int) -> timedelta:
    return timedelta(seconds=count)


def _has_type(value: object, name: str) -> bool:
    if name == "Bool":
        return value is True or value is False
    if name == "Long":
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return is_whole and -INTEGER_LIMIT < value < INTEGER_LIMIT  # type: ignore[operator]  # whole, hence int
    return isinstance(value, str) and len(value) <= 200
