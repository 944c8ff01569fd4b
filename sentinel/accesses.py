"""Accesses: who of the bank looked at what, or tried to, as records in the evidence log."""

from datetime import datetime
from uuid import UUID

from django.db import connection

from sentinel.log.records import append
from sentinel.vocabulary import Principal


def record_access(*, principal: Principal, resource: str, is_granted: bool, at: datetime) -> UUID:
    """Write down, in the caller's transaction, that somebody read something or was refused it.

    `resource` names it by kind and id; no personal data belongs there.

    Raises:
        EntityNotSet: no legal entity is being worked for.
    """
    body = {
        "at": at.isoformat(),
        "principal": principal.id,
        "resource": resource,
        "result": "read" if is_granted else "refused",
        "roles": sorted(principal.roles),
    }
    with connection.cursor() as cursor:
        return append(cursor, kind="access", body=body)
