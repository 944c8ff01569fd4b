"""Names on the page of authority."""

from collections.abc import Mapping

from django import template

register = template.Library()


@register.filter
def at(names: Mapping[str, str], key: str) -> str:
    """Return the name somebody goes by, or how they are written down."""
    return names.get(key, key)
