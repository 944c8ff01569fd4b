"""A process that reads files of items or works on them, to be killed and begun again.

python -m tests.faults.batching FOLDER read|work

The step `shaky` does not work the first time it is asked about some items, and not at all about
others while FOLDER/closed is there: a system that is not to be had at night.
"""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from orchestration.step_results import StepContext, StepResult
    from orchestration.steps import Step

ENTITY = "meridian-nl"
SECONDS_MAX = 1_800


def shaky_in(folder: Path) -> "Step":
    """Return the step, with a mark in the folder for every item that was asked about."""
    from orchestration.step_results import Answered, StepUnavailable  # noqa: PLC0415

    def shaky(context: "StepContext", inputs: Mapping[str, object]) -> "StepResult":
        mark = folder / "asked" / str(context.instance_id)
        if inputs["reason"] == "fraud" and (folder / "closed").exists():
            raise StepUnavailable("closed")
        if inputs["reason"] == "lost" and not mark.exists():
            mark.touch()
            raise StepUnavailable("once")
        return Answered({"is_up": True})

    return shaky


def registered(folder: Path) -> "dict[str, Step]":
    """Return the steps of this bank, and the shaky one."""
    from orchestration import steps  # noqa: PLC0415

    return {**steps._READS, "shaky": shaky_in(folder)}


def main(place: str, what: str) -> None:
    """Take the files that are there, or work on what was taken until nothing of it is left."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.test")
    django.setup()
    # Django must be ready before anything that reads its settings is imported.
    from django.conf import settings  # noqa: PLC0415

    import orchestration.public  # noqa: PLC0415
    import sentinel.public  # noqa: PLC0415
    from orchestration import steps  # noqa: PLC0415
    from orchestration.durable import workers  # noqa: PLC0415
    from orchestration.triggers import batch_rows  # noqa: PLC0415
    from tests.banks import wait_until  # noqa: PLC0415

    folder = Path(place)
    settings.FILES_DROP = folder / "drop"
    steps._READS = registered(folder)
    with sentinel.public.legal_entity(entity=ENTITY):
        if what == "read":
            orchestration.public.take_files_once()
            return

        def is_over() -> bool:
            while orchestration.public.run_batches_once(rounds=1) + moved():
                pass
            return not batch_rows.open_batches()

        def moved() -> int:
            return workers.work(clock=lambda: datetime.now(UTC), limit=100).claimed

        sys.exit(0 if wait_until(is_over, SECONDS_MAX) else 3)


if __name__ == "__main__":
    main(*sys.argv[1:3])
