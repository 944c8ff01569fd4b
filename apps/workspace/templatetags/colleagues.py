"""Shows colleagues by name: `{% load colleagues %}`."""

from collections.abc import Mapping, Sequence

from django import template

import interaction.public

register = template.Library()
_OTHERS = {"customer": "The customer", "system": "The bank", "agent": "The assistant"}


@register.filter
def by_day(hours: Mapping[str, Sequence[Sequence[str]]] | None) -> tuple[tuple[str, str], ...]:
    """Return declared hours a weekday at a time, as people read them."""
    return interaction.public.hours_in_words(hours=hours or {})


@register.simple_tag
def colleague(principal_id: str | None, names: Mapping[str, str]) -> str:
    """Return the name behind an employee's id; other words stay as they are."""
    if not principal_id:
        return ""
    if principal_id.startswith("employee:"):
        return names.get(principal_id, "A colleague")
    kind = principal_id.partition(":")[0]
    if kind in _OTHERS and ":" in principal_id:
        return _OTHERS[kind]
    return principal_id
