"""A worker, to be killed: it moves what is due until nothing is left, as the ticking process does.

python -m tests.faults.working ENTITY
"""

import os
import sys
from datetime import UTC, datetime

import django


def main(entity: str) -> None:
    """Move everything there is."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.test")
    django.setup()
    # Django must be ready before anything that reads its settings is imported.
    import sentinel.public  # noqa: PLC0415
    from orchestration.durable import workers  # noqa: PLC0415

    with sentinel.public.legal_entity(entity=entity):
        while workers.work(clock=lambda: datetime.now(UTC), limit=50).claimed:
            sys.stdout.write("worked\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
