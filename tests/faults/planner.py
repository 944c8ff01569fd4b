"""A process that asks for several things at once, to be killed: it goes on from the cards it finds.

python -m tests.faults.planner PRINCIPAL
"""

import os
import sys
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, uuid5

import django

ENTITY = "meridian-nl"
SAID = "pay Hendriks Vastgoed 250 euro for the rent and then tell me my balance"
ROUNDS_MAX = 12


def main(principal_id: str) -> None:
    """Bring the plan to its end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.test")
    django.setup()
    # Django must be ready before anything that reads its settings is imported.
    import orchestration.public  # noqa: PLC0415
    import sentinel.public  # noqa: PLC0415
    from tests.faults.payer import Payer  # noqa: PLC0415

    payer, conversation = Payer(principal_id), uuid5(NAMESPACE_OID, "plan")
    with sentinel.public.legal_entity(entity=ENTITY):
        for _ in range(ROUNDS_MAX):
            at = datetime.now(UTC)
            cards = orchestration.public.cards(
                conversation_id=conversation, principal=payer.principal, at=at
            )
            waiting = [card for card in cards if card.state == "open"]
            if not cards:
                orchestration.public.handle_message(
                    conversation_id=conversation, principal=payer.principal, text=SAID, at=at
                )
            elif waiting:
                payer._answer(conversation, waiting[-1], at)
            elif any(card.kind == "plan" and card.state == "done" for card in cards):
                sys.exit(0)
            else:
                orchestration.public.run_due_once()
                orchestration.public.follow_plans_once()
    sys.exit(3)


if __name__ == "__main__":
    main(*sys.argv[1:2])
