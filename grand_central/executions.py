"""What was carried out here, as the tables say that every effect of ours writes into."""

from django.db import connection

from grand_central.receipts import Execution


def execution_of(*, idempotency_key: str) -> Execution | None:
    """Return the statement that an action was carried out, or None if nothing was done."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT action_kind, status, reference, position FROM gc_execution"
            " WHERE entity = frontline_entity() AND idempotency_key = %s",
            [idempotency_key],
        )
        row = cursor.fetchone()
    return Execution(*row) if row else None
