"""The clear values of a decision, for as long as their subject is not forgotten."""

from uuid import UUID

from django.db import connection

from sentinel.sealing import SubjectForgotten, subject_key, unseal_values


def parameters_of(decision_id: UUID) -> dict[str, object] | None:
    """Return the clear parameters of a decision, or nothing once their subject is forgotten."""
    values = values_of(decision_id)
    found = values.get("parameters") if values else None
    return found if isinstance(found, dict) else None


def values_of(decision_id: UUID) -> dict[str, object] | None:
    """Return the sealed values of a decision, or nothing once their subject is forgotten."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entity, subject, sealed FROM sentinel_decision_parameters"
            " WHERE decision_id = %s",
            [decision_id],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    try:
        key = subject_key(row[1])
    except SubjectForgotten:
        return None
    return unseal_values(key, bytes(row[2]), bound_to=f"decision/v1|{row[0]}|{decision_id}")
