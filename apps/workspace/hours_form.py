"""The form in which somebody's working hours are typed, a weekday a line."""

from typing import Any

import interaction.public

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def form_of(
    context: dict[str, Any],
    who: str,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return what the form shows, of a colleague whose hours this person may set; else nothing."""
    staff = context["staff"]
    found = next((each for each in staff if each.principal_id == who and each.may_set_hours), None)
    if found is None:
        return {}
    shown = typed or dict(interaction.public.hours_in_words(hours=found.hours or {}))
    week = [
        {"day": day, "typed": shown.get(day, ""), "error": (errors or {}).get(day, "")}
        for day in WEEKDAYS
    ]
    return {"changing": found, "week": week}
