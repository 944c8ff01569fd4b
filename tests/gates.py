"""The gate opened at once, for tests of what comes after a restore."""


def opened_at_once(session):
    """Open every gate as the superuser of the server can; what must come first is tried apart."""
    session.execute(
        "UPDATE sentinel_gate SET continued_at = clock_timestamp(), opened_at = clock_timestamp()"
        " WHERE opened_at IS NULL"
    )
