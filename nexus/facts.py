"""Facts as rows: what was true when, and what was known of it when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from nexus import store
from nexus.columns import json_value
from nexus.reducers import NewFact
from sentinel.public import run_statement


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact as stored: its value, its period, when it became known, and its evidence."""

    id: UUID
    subject: str
    name: str
    key: str
    value: object
    valid_from: datetime
    known_from: datetime
    source: str
    confidence_permille: int
    purpose_class: str


def record_facts(*, facts: Sequence[NewFact]) -> int:
    """Keep facts brought by a layer above and return how many were new.

    A fact is the same when event, subject, name and key are: it is kept once, the first time.
    """
    with transaction.atomic():
        return store.write_facts(facts=facts)


def facts_of(
    *,
    subjects: Sequence[str],
    name: str | None = None,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> tuple[Fact, ...]:
    """Return what holds of subjects at one time, as it was known at another.

    Without `as_of` the present, without `known_at` everything known by now. Of several rows for
    one name and key the one valid latest wins, then the one known latest: a late correction
    changes what is known now and leaves what was known then.
    """
    rows = run_statement(
        sql="""
        SELECT id, subject, name, key, value, valid_from, known_from, source,
               confidence_permille, purpose_class
          FROM (SELECT DISTINCT ON (subject, name, key) *
                  FROM nexus_fact
                 WHERE subject = ANY(%s)
                   AND (%s::text IS NULL OR name = %s)
                   AND valid_from <= coalesce(%s::timestamptz, clock_timestamp())
                   AND known_from <= coalesce(%s::timestamptz, clock_timestamp())
                 ORDER BY subject, name, key, valid_from DESC, known_from DESC, id DESC) latest
         WHERE NOT is_retracted
           AND (valid_to IS NULL OR valid_to > coalesce(%s::timestamptz, clock_timestamp()))
         ORDER BY subject, name, key
        """,
        parameters=[list(subjects), name, name, as_of, known_at, as_of],
    )
    return tuple(_fact(row) for row in rows)


def _fact(row: tuple[Any, ...]) -> Fact:
    fact_id, subject, name, key, value, valid_from, known_from, source, confidence, use = row
    return Fact(
        id=fact_id,
        subject=subject,
        name=name,
        key=key,
        value=json_value(value),
        valid_from=valid_from,
        known_from=known_from,
        source=source,
        confidence_permille=confidence,
        purpose_class=use,
    )
