"""A plan as its card shows it: each step by name, what it hangs on, and how it stands."""

from orchestration import journeys
from orchestration.planning.graph import Condition, needed_by
from orchestration.planning.rows import Plan, Step
from orchestration.wording import filled

CURRENCY = "EUR"
_STATES = {
    "waiting": "Not yet",
    "asking": "Needs you",
    "running": "Under way",
    "done": "Done",
    "refused": "Refused",
    "failed": "Not done",
    "cancelled": "Cancelled",
    "stopped": "Left out",
    "skipped": "Left out",
    "removed": "Taken out",
}


def details_of(plan: Plan) -> dict[str, object]:
    """Return what the card of a plan shows."""
    numbers = {step.id: number for number, step in enumerate(plan.steps, 1)}
    steps = [
        {
            "id": step.id,
            "number": numbers[step.id],
            "label": step.planned.label,
            "note": _note(step, numbers),
            "warning": step.planned.warning,
            "state": step.state,
            "state_words": _STATES[step.state],
        }
        for step in plan.steps
    ]
    shown: dict[str, object] = {"steps": steps, "plan_state": plan.state}
    if plan.broken_by:
        shown["broken_by"] = plan.broken_by.replace("_", " ")
    return shown


def words_of_limit(when: Condition, currency: str = CURRENCY) -> dict[str, object]:
    """Return the words of a condition, for a sentence."""
    amount = {"minor_units": when.minor_units, "currency": currency}
    return {"operator": journeys.words(f"plan_{when.operator}"), "amount": amount}


def _note(step: Step, numbers: dict[str, int]) -> str:
    task = step.planned.task
    found = []
    if task.when is not None:
        found.append(filled(journeys.words("plan_condition"), words_of_limit(task.when)))
    looked_at = {task.when.found.task} if task.when else set()
    found += [
        filled(journeys.words("plan_after"), {"number": numbers[each]})
        for each in needed_by(task)
        if each not in looked_at and each in numbers
    ]
    return ", ".join(found)
