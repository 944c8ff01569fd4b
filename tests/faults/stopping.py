"""A process that has cards stopped elsewhere, to be killed: it goes on from the database.

python -m tests.faults.stopping EMPLOYEE CARD...
"""

import os
import sys
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, UUID, uuid5

import django
from django.db import connection

ENTITY = "meridian-nl"


def main(employee_id: str, *cards: str) -> None:
    """Start one flow for each card, once, and carry all of them to their end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.test")
    django.setup()
    # Django must be ready before anything that reads its settings is imported.
    import grand_central.public  # noqa: PLC0415
    import orchestration.public  # noqa: PLC0415
    import sentinel.public  # noqa: PLC0415
    from orchestration.durable import engine, store  # noqa: PLC0415
    from orchestration.durable.faults import VARIABLE  # noqa: PLC0415
    from orchestration.durable.starting import NewInstance  # noqa: PLC0415
    from sentinel.vocabulary import Principal  # noqa: PLC0415
    from tests.banks import wait_until  # noqa: PLC0415
    from tests.layers.orchestration.flows import Flows  # noqa: PLC0415
    from tests.layers.orchestration.test_outside_effects import SOURCES, STOP  # noqa: PLC0415

    employee = Principal(employee_id, "employee", employee_id, ENTITY, ("operations",))
    with sentinel.public.legal_entity(entity=ENTITY):
        flow = Flows(employee).published(STOP)
        wanted = {uuid5(NAMESPACE_OID, card): card for card in cards}
        for instance_id in wanted.keys() - started():
            given = {"card": wanted[instance_id], "reason": "stolen", "sources": SOURCES}
            engine.start(NewInstance(instance_id, flow, employee, given, datetime.now(UTC)))

    def is_over() -> bool:
        orchestration.public.carry_effects_once()
        if VARIABLE not in os.environ:
            # Whoever is to be killed asks by itself, at the points that are named.
            grand_central.public.ask_outside_once()
        orchestration.public.run_due_once()
        with sentinel.public.legal_entity(entity=ENTITY):
            return all(store.read_instance(each).status != "running" for each in wanted)

    sys.exit(0 if wait_until(is_over, 60) else 3)


def started() -> set[UUID]:
    """Return the flows that a process before this one has started."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orch_instance")
        return {row[0] for row in cursor.fetchall()}


if __name__ == "__main__":
    main(*sys.argv[1:])
