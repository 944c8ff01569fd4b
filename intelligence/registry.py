"""Which model version answers which capability, since when, approved by whom and why."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.db import connection

from intelligence.artefact_files import SHIPPED
from sentinel.public import current_entity, run_statement

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
SHADOW: Final = "shadow"
FALLBACK: Final = "fallback"
_INDEX: Final = "index.json"
_APPROVED_BY: Final = "system:genesis"


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A model version and its place; `stage` is its alias, or `registered` when it has none."""

    capability: str
    version: str
    stage: str
    rollout_percent: int
    digest: str
    format: str
    provider: str
    artefact: str
    data_classes: tuple[str, ...]
    latency_p99_us: int
    card: str
    approved_by: str
    why: str
    since: datetime


_COLUMNS: Final = """
    v.capability, v.version, coalesce(a.alias, 'registered'), coalesce(a.rollout_percent, 0),
    v.digest, v.format, v.provider, v.artefact, v.data_classes, v.latency_p99_us, v.card,
    coalesce(a.approved_by, ''), coalesce(a.why, ''), coalesce(a.changed_at, v.registered_at)
"""
_CURRENT: Final = """
    SELECT DISTINCT ON (capability, alias) capability, alias, version, rollout_percent,
           approved_by, why, changed_at
      FROM intelligence_alias_change
     ORDER BY capability, alias, ordinal DESC
"""


@cache
def _shipped() -> tuple[dict[str, Any], ...]:
    entries: list[dict[str, Any]] = json.loads((SHIPPED / _INDEX).read_text("utf-8"))
    return tuple(entries)


def _rows(where: str, parameters: Sequence[str]) -> tuple[RegisteredModel, ...]:
    rows = run_statement(
        sql=f"SELECT {_COLUMNS} FROM intelligence_model_version v"  # noqa: S608 - constants of this module
        f" LEFT JOIN ({_CURRENT}) a USING (capability, version) {where}",
        parameters=parameters,
    )
    return tuple(_model_of(row) for row in rows)


def _model_of(row: Sequence[Any]) -> RegisteredModel:
    values = dict(zip(RegisteredModel.__dataclass_fields__, row, strict=True))
    return RegisteredModel(**{**values, "data_classes": tuple(values["data_classes"])})


def routes(*, capability: str, at: datetime) -> dict[str, RegisteredModel]:
    """Return who answers a capability now, by alias; shipped models are entered on first use."""
    current_entity()
    found = _rows("WHERE v.capability = %s AND a.alias IS NOT NULL", [capability])
    if not found:
        enter_shipped(at=at)
        found = _rows("WHERE v.capability = %s AND a.alias IS NOT NULL", [capability])
    return {model.stage: model for model in found}


def registered_models() -> tuple[RegisteredModel, ...]:
    """Return every registered version with its place, by capability."""
    current_entity()
    return _rows("ORDER BY v.capability, a.alias NULLS LAST, v.version", [])


def enter_shipped(*, at: datetime) -> None:
    """Enter the shipped versions; an alias is set only where the legal entity has set none yet."""
    with connection.cursor() as cursor:
        for entry in _shipped():
            cursor.execute(
                """
                INSERT INTO intelligence_model_version (capability, version, provider, artefact,
                    digest, format, data_classes, latency_p99_us, card, registered_at)
                VALUES (%(capability)s, %(version)s, %(provider)s, %(artefact)s, %(digest)s,
                    %(format)s, %(data_classes)s, %(latency_p99_us)s, %(card)s, %(at)s)
                ON CONFLICT (entity, capability, version) DO NOTHING
                """,
                {**entry, "at": at},
            )
            cursor.execute(
                """
                INSERT INTO intelligence_alias_change (capability, alias, ordinal, version,
                    rollout_percent, approved_by, why, changed_at)
                VALUES (%(capability)s, %(alias)s, 1, %(version)s, 100, %(approved_by)s, %(why)s,
                    %(at)s)
                ON CONFLICT (entity, capability, alias, ordinal) DO NOTHING
                """,
                {**entry, "approved_by": _APPROVED_BY, "at": at},
            )
