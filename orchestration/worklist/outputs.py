"""What the answer to a human task hands back to its flow."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sentinel.vocabulary import Provenance


def output_of(
    *,
    task_id: UUID,
    inputs: Mapping[str, object],
    values: Mapping[str, object],
    by: str,
    comment: str,
    at: datetime,
) -> dict[str, object]:
    """Return the fields of a form with what follows from them, who answered, and when."""
    return {
        **values,
        **_decided(task_id, inputs, values),
        "reference": str(task_id),
        "by": by,
        "comment": comment,
        "at": at.isoformat(),
    }


def _decided(
    task_id: UUID, inputs: Mapping[str, object], values: Mapping[str, object]
) -> Mapping[str, object]:
    """Return what follows from the choice of an account number: which one, confirmed by whom."""
    choice = values.get("iban_choice")
    if choice is None:
        return {}
    is_reached = values.get("reached") is True
    if choice == "reject" or not is_reached:
        return {"done": False}
    number = inputs["known_iban"] if choice == "known" else inputs["creditor_iban"]
    source = {
        "provenance": Provenance.EMPLOYEE_CONFIRMED.value,
        "reference": f"orch_task:{task_id}",
    }
    return {"done": number is not None, "creditor_iban": number, "source": source}
