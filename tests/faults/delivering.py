"""A process that delivers, takes files and mail and runs a batch, to be killed and begun again.

python -m tests.faults.delivering FOLDER
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import django

ENTITY = "meridian-nl"


def main(folder: str) -> None:
    """Bring everything that is there to its end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.test")
    django.setup()
    # Django must be ready before anything that reads its settings is imported.
    from django.conf import settings  # noqa: PLC0415

    import orchestration.public  # noqa: PLC0415
    import sentinel.public  # noqa: PLC0415
    from orchestration.triggers.receiving import receive  # noqa: PLC0415
    from sentinel.vocabulary import Principal  # noqa: PLC0415
    from tests.banks import wait_until  # noqa: PLC0415

    settings.FILES_DROP, settings.MAIL_DROP = Path(folder) / "drop", Path(folder) / "mail"
    operations = Principal("employee:1", "employee", "1", ENTITY, ("operations",))
    at = datetime.now(UTC)

    with sentinel.public.legal_entity(entity=ENTITY):
        receive(trigger="p/t", event_id="one", payload={"order": "A"}, at=at)
        orchestration.public.take_files_once()
        orchestration.public.take_mail_once()
        while orchestration.public.follow_changes_once():
            pass
        batch = orchestration.public.load_batch(
            process="q",
            name="orders",
            file_name="orders.csv",
            content=(Path(folder) / "orders.csv").read_bytes(),
            principal=operations,
            at=at,
        )

        def is_over() -> bool:
            orchestration.public.run_batches_once(rounds=3)
            orchestration.public.run_due_once()
            view = orchestration.public.batch_run(batch_id=batch.id, principal=operations)
            return view.ended_at is not None

        sys.exit(0 if wait_until(is_over, 90) else 3)


if __name__ == "__main__":
    main(*sys.argv[1:2])
