"""What was asked for by hand is overtaken: the case ended, or the step was settled otherwise."""

import json
from contextlib import suppress
from datetime import datetime
from uuid import UUID, uuid5

import sentinel.public
from orchestration import act, cases
from orchestration.durable import statements
from orchestration.durable.intervention_kinds import words_of
from orchestration.worklist import rows

ENDED = "The case ended before a second person agreed."
SETTLED = "The step was settled otherwise before a second person agreed."


def approval_task(intervention_id: UUID) -> UUID:
    """Return the task of the second person, which is open while the intervention waits."""
    return uuid5(intervention_id, "approval")


def by_the_end(instance_id: UUID, at: datetime) -> None:
    """Conclude all that still waits for a second person, as the instance is over."""
    found = statements.run(
        "UPDATE orch_intervention SET done_at = %s WHERE instance_id = %s AND done_at IS NULL"
        " RETURNING id, details, asked_by, request_id",
        [at, instance_id],
    )
    _conclude(instance_id, found, ENDED, at)


def by_settling(instance_id: UUID, incident_id: UUID, at: datetime) -> None:
    """Conclude what still waits about one incident, as it has been resolved."""
    found = statements.run(
        "UPDATE orch_intervention SET done_at = %s"
        " WHERE instance_id = %s AND incident_id = %s AND done_at IS NULL"
        " RETURNING id, details, asked_by, request_id",
        [at, instance_id, incident_id],
    )
    _conclude(instance_id, found, SETTLED, at)


def _conclude(instance_id: UUID, found: list[statements.Row], because: str, at: datetime) -> None:
    """Close the question, say in the case what was asked and by whom, and tell who asked."""
    for intervention_id, details, asked_by, request_id in found:
        ((case_id,),) = statements.run(
            "SELECT case_id FROM orch_instance WHERE id = %s", [instance_id]
        )
        rows.cancel_task(approval_task(intervention_id), at)
        if request_id is not None:
            sentinel.public.close_approval(request_id=request_id, at=at)
        asked = words_of(json.loads(details)["parameters"])
        words = f"Not put right by hand: {because} Asked for was: {asked}"
        note = cases.Note(at, asked_by, "intervention", words, str(intervention_id))
        cases.add_note(case_id, note)
        tell(intervention_id, case_id, (asked_by,), at)


def tell(intervention_id: UUID, case_id: UUID, people: tuple[str, ...], at: datetime) -> None:
    """Send people a message that what was asked for was not done."""
    for person in people:
        # Its place in the case says it as well: nothing waits for a message that may not be sent.
        with suppress(act.MandateRefused):
            act.perform_mandate(
                mandate="notifications",
                kind="messages.send",
                parameters={
                    "recipient": person,
                    "template": "change_overtaken",
                    "case": str(case_id),
                },
                resource=f"notice:{intervention_id}",
                idempotency_key=f"overtaken:{intervention_id}:{person}",
                at=at,
            )
