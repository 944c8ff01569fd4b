"""The lists names are screened against, as a connector: loading one is an action like others."""

from django.db import connection

from grand_central.connectors.contract import Call, Capability, Manifest
from grand_central.executions import execution_of
from grand_central.operations.catalogue import SCREENING
from grand_central.operations.screening import LoadScreeningList
from grand_central.receipts import Execution, Receipt, refused


class ScreeningLists:
    """Keeps every version of every list, and puts the one loaded last in force."""

    manifest = Manifest(
        name="screening-lists",
        audience=SCREENING,
        kind="screening",
        system="Frontline screening",
        version="1",
        is_simulator=False,
        capabilities=(Capability("screening.load", "write", "native"),),
        exercised_against="published OFAC and UN lists, by this suite",
    )

    def execute(self, call: Call) -> Receipt:
        """Put a list in force; `payload` is its lines, the header first.

        Raises:
            CoreRefused: the lines are not those that were permitted.
        """
        parameters, lines = call.parameters, call.payload
        assert isinstance(parameters, LoadScreeningList)
        if not isinstance(lines, tuple) or len(lines) != parameters.count + 1:
            raise refused("payload_missing")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT status FROM screening_load(%s, %s, %s, string_to_array(%s, E'\\n'))",
                [call.token, parameters.name, parameters.version, "\n".join(lines)],
            )
            (status,) = cursor.fetchone()
        if status != "loaded":
            raise refused("list_refused")
        return Receipt(
            status,
            f"screening_list:{call.token}",
            "",
            f"{parameters.count} entries of {parameters.name} are in force.",
        )

    def resolve(self, idempotency_key: str) -> Execution | None:
        """Return what became of a call: a list is loaded or it is not."""
        return execution_of(idempotency_key=idempotency_key)
