"""Figures of the machinery as people read them."""

from django import template

register = template.Library()
_UNITS = ((2 * 86_400, 86_400, "days"), (2 * 3_600, 3_600, "h"), (120, 60, "min"), (2, 1, "s"))


@register.simple_tag
def took(value: float | None) -> str:
    """Show a time in seconds in the largest unit that fits; nothing was measured: a dash."""
    if value is None:
        return "\N{EN DASH}"
    for least, size, unit in _UNITS:
        if value >= least:
            return f"{int(value // size)} {unit}"
    return f"{value * 1000:.0f} ms"
