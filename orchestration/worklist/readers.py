"""Who may read what of the bank's work: by role, as the bank's own content says, and on record.

Whoever is offered a task of a case, or has done one, reads the case and its documents. Roles that
oversee read everything; roles that serve customers read a customer without a case, too.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from pydantic import BaseModel, ConfigDict

import sentinel.public
from sentinel.vocabulary import Principal

# True of the rows of orch_task that are a person's: offered to one of their roles, or theirs.
OWN_TASK = "(t.roles && %(roles)s::text[] OR %(person)s IN (t.claimed_by, t.closed_by))"


class NotForYourRole(LookupError):
    """This is not for the roles of this person; that they asked is on record."""

    code = "not_for_your_role"
    is_retryable = False

    def __init__(self, principal_id: str, resource: str) -> None:
        super().__init__(principal_id, resource)
        self.principal_id, self.resource = principal_id, resource


class Readers(BaseModel):
    """Roles that read everything, and roles that read every customer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    everything: frozenset[str]
    customers: frozenset[str]


@lru_cache(maxsize=1)
def readers() -> Readers:
    """Return which roles read what, as settings.READERS_FILE says."""
    return Readers.model_validate_json(Path(settings.READERS_FILE).read_bytes())


def reads_everything(principal: Principal) -> bool:
    """Return whether one of a person's roles reads all cases, documents and customers."""
    return bool(readers().everything & set(principal.roles))


def serves_customers(principal: Principal) -> bool:
    """Return whether one of a person's roles reads customers without a case of theirs."""
    return reads_everything(principal) or bool(readers().customers & set(principal.roles))


def task_values(principal: Principal) -> dict[str, str | list[str]]:
    """Return the values that `OWN_TASK` compares with."""
    return {"roles": list(principal.roles), "person": principal.id}


def require_case(case_id: UUID, principal: Principal, *, at: datetime, resource: str = "") -> None:
    """Refuse a case, or what hangs on it, to whom it does not concern, and record who asked.

    Raises:
        NotForYourRole: no task of the case is or was this person's or their roles'.
    """
    found = may_read_case(case_id, principal)
    _settle(principal, resource or f"case:{case_id}", is_granted=found, at=at)


def require_customer(*, customer_id: UUID, principal: Principal, at: datetime) -> None:
    """Refuse a customer to whom they do not concern, and record who asked.

    Raises:
        NotForYourRole: the person serves no customers and has no case of this one.
    """
    is_granted = serves_customers(principal) or customer_id in _with_a_case(
        [customer_id], principal
    )
    _settle(principal, f"customer:{customer_id}", is_granted=is_granted, at=at)


def readable_customers(*, customer_ids: Iterable[UUID], principal: Principal) -> frozenset[UUID]:
    """Return which of these customers a person may read; being listed is not reading."""
    asked = frozenset(customer_ids)
    return asked if serves_customers(principal) else _with_a_case(sorted(asked), principal)


def may_read_case(case_id: UUID, principal: Principal) -> bool:
    """Return whether a case would open to a person; asking this is not reading."""
    return case_id in readable_cases([case_id], principal)


def readable_cases(case_ids: Iterable[UUID], principal: Principal) -> frozenset[UUID]:
    """Return which of these cases would open to a person; asking this is not reading."""
    asked = frozenset(case_ids)
    return asked if reads_everything(principal) else _with_a_task(sorted(asked), principal)


def grant(principal: Principal, resource: str, at: datetime) -> None:
    """Put on record that somebody read what their role may read."""
    _settle(principal, resource, is_granted=True, at=at)


def refuse(principal: Principal, resource: str, at: datetime) -> None:
    """Refuse what belongs to no case of anybody, and record who asked.

    Raises:
        NotForYourRole: always.
    """
    _settle(principal, resource, is_granted=False, at=at)


def _with_a_task(case_ids: list[UUID], principal: Principal) -> frozenset[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT case_id FROM orch_task t WHERE case_id = ANY(%(ids)s) AND {OWN_TASK}",  # noqa: S608  (the condition is a constant of this module)
            {"ids": case_ids, **task_values(principal)},
        )
        return frozenset(row[0] for row in cursor.fetchall())


def _with_a_case(customer_ids: list[UUID], principal: Principal) -> frozenset[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT c.customer_id FROM orch_case c JOIN orch_task t ON t.case_id = c.id
             WHERE c.customer_id = ANY(%(ids)s) AND {OWN_TASK}
            """,  # noqa: S608  (the condition is a constant of this module)
            {"ids": customer_ids, **task_values(principal)},
        )
        return frozenset(row[0] for row in cursor.fetchall())


def _settle(principal: Principal, resource: str, *, is_granted: bool, at: datetime) -> None:
    """Put an access on record: what was read, once a person and day; what was refused, always."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_access (principal_id, resource, is_granted, day, at)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [principal.id, resource, is_granted, at.date(), at],
        )
        if cursor.rowcount:
            sentinel.public.record_access(
                principal=principal, resource=resource, is_granted=is_granted, at=at
            )
    if not is_granted:
        raise NotForYourRole(principal.id, resource)
