"""A process in which somebody of the bank approves, to be killed.

python -m tests.faults.approving ENTITY PRINCIPAL PERSON ROLE TASK
"""

import os
import sys
from datetime import UTC, datetime
from uuid import UUID

import django


def main(entity: str, principal_id: str, person_id: str, role: str, task: str) -> None:
    """Approve what the task is about."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.test")
    django.setup()
    # Django must be ready before anything that reads its settings is imported.
    import orchestration.public  # noqa: PLC0415
    import sentinel.public  # noqa: PLC0415
    from sentinel.vocabulary import Principal  # noqa: PLC0415

    with sentinel.public.legal_entity(entity=entity):
        orchestration.public.complete(
            task_id=UUID(task),
            principal=Principal(principal_id, "employee", person_id, entity, (role,)),
            answer={"verdict": "approve"},
            comment="",
            at=datetime.now(UTC),
        )


if __name__ == "__main__":
    main(*sys.argv[1:6])
