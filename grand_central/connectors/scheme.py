"""The scheme simulator: answers, like other banks would, whose name an account carries.

It has a state: a register of names, and it can be made unavailable.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from grand_central.connectors.contract import Capability, Manifest


class SchemeUnavailable(Exception):
    """The other bank does not answer just now."""

    code = "scheme_unavailable"
    is_retryable = True


@dataclass(frozen=True, slots=True)
class RegisteredName:
    """The name another bank keeps with an account number."""

    iban: str
    name: str
    is_organisation: bool


class SchemeSimulator:
    """Other banks' answers to the question whose account this is."""

    manifest = Manifest(
        name="scheme-simulator",
        audience="urn:connector:scheme",
        kind="payments",
        system="Payment scheme simulator",
        version="1",
        is_simulator=True,
        capabilities=(Capability("scheme.check_name", "read", "native"),),
        exercised_against="itself; it is a simulator",
    )

    def registered(self, iban: str) -> RegisteredName | None:
        """Return the name with this account number, or None if no bank knows the number.

        Raises:
            SchemeUnavailable: the simulator was made unavailable.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce((SELECT is_available FROM scheme_state), true), n.name,"
                " n.is_organisation FROM (SELECT 1) one LEFT JOIN scheme_name n"
                " ON n.entity = frontline_entity() AND n.iban = %s",
                [iban],
            )
            is_available, name, is_organisation = cursor.fetchone()
        if not is_available:
            raise SchemeUnavailable
        return None if name is None else RegisteredName(iban, name, is_organisation)

    def register(self, names: Sequence[RegisteredName]) -> None:
        """Teach the simulator names; a number known already gets the new name."""
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO scheme_name (iban, name, is_organisation) VALUES (%s, %s, %s)"
                " ON CONFLICT (entity, iban) DO UPDATE SET name = excluded.name,"
                " is_organisation = excluded.is_organisation",
                [(each.iban, each.name, each.is_organisation) for each in names],
            )

    def set_available(self, is_available: bool) -> None:  # noqa: FBT001 - it is the whole message
        """Make the simulator answer, or not."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO scheme_state (is_available) VALUES (%s)"
                " ON CONFLICT (entity) DO UPDATE SET is_available = excluded.is_available",
                [is_available],
            )
