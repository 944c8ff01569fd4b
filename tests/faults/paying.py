"""A process that pays, to be killed: it goes on from what the database says, as a client would.

    python -m tests.faults.paying PRINCIPAL code|own NUMBER

`code` pays the landlord once, with a second factor; `own` moves money to the savings account,
NUMBER times, each in a conversation of its own.
"""

import os
import sys
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, UUID, uuid5

import django


def main(principal_id: str, kind: str, number: str) -> None:
    """Bring every payment to its end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.test")
    django.setup()
    # Django must be ready before anything that reads its settings is imported.
    from tests.faults.payer import Payer  # noqa: PLC0415

    payer = Payer(principal_id)
    for index in range(int(number)):
        conversation: UUID = uuid5(NAMESPACE_OID, f"{kind}|{index}")
        payer.bring_to_its_end(conversation, kind, lambda: datetime.now(UTC))
        sys.stdout.write(f"{index}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:4])
