"""What the tests of the door are made of."""

from datetime import UTC, datetime
from uuid import UUID

from django.db import connection

from intelligence import public

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
CASE = UUID("11111111-1111-4111-8111-111111111111")
PAYEES = (
    public.KnownPayee(UUID(int=1), "Hendriks Vastgoed B.V.", ("landlord",)),
    public.KnownPayee(UUID(int=2), "Bob Jansen"),
    public.KnownPayee(UUID(int=3), "Anna Bakker"),
    public.KnownPayee(UUID(int=4), "Sophie van Dijk"),
)


def calls(case_id):
    return [line.call for line in public.calls_of(case_id=case_id)]


def set_alias(capability, alias, version, percent=100):
    """Set an alias as an operator's approved change would: one more line."""
    connection.cursor().execute(
        """
        INSERT INTO intelligence_alias_change (capability, alias, ordinal, version, rollout_percent,
            approved_by, why, changed_at)
        SELECT %s, %s, coalesce(max(ordinal), 0) + 1, %s, %s, 'employee:test', 'test', %s
          FROM intelligence_alias_change WHERE capability = %s AND alias = %s
        """,
        [capability, alias, version, percent, AT, capability, alias],
    )
