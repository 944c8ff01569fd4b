"""Names on the page of authority."""

from collections.abc import Mapping

from django import template

from sentinel.vocabulary import Money

register = template.Library()


@register.filter
def at(names: Mapping[str, str], key: str) -> str:
    """Return the name somebody goes by, or how they are written down."""
    return names.get(key, key)


@register.simple_tag
def money(minor_units: int, currency: str) -> str:
    """Return minor units as an amount in words."""
    return f"{Money(minor_units, currency).as_decimal()} {currency}"
