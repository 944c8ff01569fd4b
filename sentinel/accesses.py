"""Accesses: who of the bank looked at what, or tried to, as records in the evidence log."""

from datetime import datetime
from uuid import UUID

from django.db import connection

from sentinel.history import keep_read
from sentinel.log.records import append
from sentinel.vocabulary import Principal


def record_access(
    *,
    principal: Principal,
    resource: str,
    is_granted: bool,
    at: datetime,
    data: str = "",
    case_id: UUID | None = None,
) -> UUID:
    """Write down, in the caller's transaction, that somebody read something or was refused it.

    `resource` names it by kind and id; no personal data belongs there. `data` is the kind of data
    that was read ("customer_list"): what is decided later in that case, or for that agent, sees it.

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
    if is_granted and data:
        body["data"] = data
        keep_read(principal, data, case_id)
    with connection.cursor() as cursor:
        return append(cursor, kind="access", body=body)
