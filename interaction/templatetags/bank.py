"""Tags and filters of the design system: `{% load bank %}`."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

import sentinel.public
from interaction.widgets.activity import category_name
from interaction.widgets.money import differing, figure, grouped_iban, spoken
from sentinel.vocabulary import Money

register = template.Library()

_WRITTEN = {"api": "API", "iban": "IBAN", "id": "ID", "totp": "TOTP"}
_ID_SHORT = 8
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_STATES = {
    "positive": "done",
    "caution": "alert",
    "critical": "stop",
    "active": "clock",
    "quiet": "dots",
}


@register.simple_tag
def icon(name: str, *, small: bool = False) -> SafeString:
    """Draw an icon beside words that say the same; it is hidden from readers."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        " small" if small else "",
        static("interaction/icons.svg"),
        name,
    )


@register.simple_tag
def state(tone: str, words: str, *, drawn: str = "") -> SafeString:
    """Show a state as icon, word and colour: positive, caution, critical, active or quiet."""
    return format_html(
        '<span class="state {}">{}{}</span>', tone, icon(drawn or _STATES[tone]), words
    )


@register.simple_tag
def emergencies_now() -> tuple[sentinel.public.Emergency, ...]:
    """Return the emergencies that stand now, for the pages of colleagues."""
    return sentinel.public.running_emergencies()


@register.simple_tag(takes_context=True)
def nav_link(
    context: template.Context, address: str, words: str, drawn: str, *within: str
) -> SafeString:
    """Link to a part of the app; the part that is open is marked for eye and reader."""
    path = context["request"].path
    is_root = address.count("/") == 2
    is_open = path == address if is_root else path.startswith((address, *within))
    return format_html(
        '<a href="{}"{}>{}<span>{}</span></a>',
        address,
        SafeString(' aria-current="page"') if is_open else "",
        icon(drawn),
        words,
    )


def _money(value: object) -> Money | None:
    if isinstance(value, Money):
        return value
    if isinstance(value, Mapping) and {"minor_units", "currency"} <= set(value):
        return Money(int(value["minor_units"]), str(value["currency"]))
    return None


def _drawn(value: object, *, is_signed: bool) -> SafeString | str:
    money = _money(value)
    if money is None:
        return ""
    parts = figure(money, is_signed=is_signed)
    return format_html(
        '<span class="amount{}"><span class="currency">{}</span>{}{}'
        '<span class="minor">{}</span></span>',
        " in" if parts.is_incoming else "",
        parts.currency,
        parts.sign,
        parts.whole,
        parts.minor,
    )


@register.filter
def amount(value: object) -> SafeString | str:
    """Show an amount with its currency, digits in columns."""
    return _drawn(value, is_signed=False)


@register.filter
def signed(value: object) -> SafeString | str:
    """Show an amount that came in with a plus and one that went out with a minus."""
    return _drawn(value, is_signed=True)


@register.filter
def in_words(value: object) -> str:
    """Show an amount inside a sentence or on a button."""
    money = _money(value)
    return spoken(money) if money else ""


@register.filter
def iban(value: str) -> SafeString:
    """Show an IBAN in groups of four."""
    return format_html('<span class="iban">{}</span>', grouped_iban(str(value)))


@register.filter
def reference(value: object) -> str:
    """Show a reference without the kind of thing it refers to: what a person quotes."""
    return str(value).rpartition(":")[2]


@register.filter
def said(value: object) -> str:
    """Show a name that machines use as people say it: account_status, Account status."""
    words = str(value).replace("_", " ").strip()
    return " ".join(_WRITTEN.get(word.lower(), word) for word in words.capitalize().split(" "))


@register.filter
def answer(value: object) -> object:
    """Show what is true or false as yes or no; anything else as it is."""
    return {True: "Yes", False: "No", "True": "Yes", "False": "No"}.get(value, value)


@register.filter
def parts(value: object) -> list[str]:
    """Return the parts of a list written as a sentence with semicolons."""
    return [part.strip() for part in str(value).split(";") if part.strip()]


@register.filter
def breakable(value: object) -> SafeString:
    """Show an id so that it breaks behind its kind, not in the middle."""
    head, colon, rest = str(value).partition(":")
    return format_html("{}{}<wbr>{}", head, colon, rest)


@register.filter
def id_short(value: object) -> str:
    """Show enough of an id to tell it from others: its kind is said beside it."""
    rest = str(value).partition(":")[2] or str(value)
    return rest if len(rest) <= _ID_SHORT * 2 else f"{rest[:_ID_SHORT]}…"


@register.filter
def seconds(value: object) -> str:
    """Show a number of seconds in the largest unit that fits: 40 s, 5 min, 3 h, 2 days."""
    whole = int(str(value or 0))
    if whole < _MINUTE * 2:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY * 2:
        minutes = whole % _HOUR // _MINUTE
        return f"{whole // _HOUR} h {minutes} min" if minutes else f"{whole // _HOUR} h"
    return f"{whole // _DAY} days"


@register.simple_tag
def lasting(since: datetime, until: datetime) -> str:
    """Show how long something lasted, or has lasted so far."""
    return seconds(max(0, int((until - since).total_seconds())))


@register.filter
def category(value: object) -> str:
    """Show a category as a word."""
    return category_name(category=str(value))


@register.simple_tag
def iban_beside(value: str, other: str) -> SafeString:
    """Show an IBAN with the groups marked that differ from another one."""
    groups = (
        format_html("<mark>{}</mark>", group) if differs else format_html("{}", group)
        for group, differs in differing(iban=value, other=other)
    )
    return format_html('<span class="iban">{}</span>', SafeString("&nbsp;".join(groups)))


@register.filter
def moment(value: datetime | str) -> SafeString:
    """Show a time of day to the second, with the full time for machines."""
    exact = _time(value)
    return _drawn_moment(exact, f"{timezone.localtime(exact):%H:%M:%S}")


@register.filter
def day_and_time(value: datetime | str) -> SafeString:
    """Show a day and a time to the minute."""
    exact = _time(value)
    local = timezone.localtime(exact)
    return _drawn_moment(exact, f"{local.day} {local:%b %Y, %H:%M}")


@register.filter
def day(value: date | str) -> SafeString:
    """Show a calendar day; a moment is shown as the day it was here."""
    exact = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    if isinstance(exact, datetime):
        exact = timezone.localtime(exact).date()
    return _drawn_time(exact.isoformat(), f"{exact.day} {exact:%b %Y}")


def _drawn_time(exact: str, words: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', exact, words)


def _drawn_moment(exact: datetime, words: str) -> SafeString:
    """Draw a time; whoever points at it reads the whole of it, with its zone."""
    local = timezone.localtime(exact)
    whole = f"{local.day} {local:%b %Y, %H:%M:%S %Z}"
    return format_html('<time datetime="{}" title="{}">{}</time>', exact.isoformat(), whole, words)


@register.simple_tag
def day_name(value: date, today: date) -> str:
    """Name a day as people do: Today, Yesterday, Wednesday 18 November."""
    if value == today:
        return "Today"
    if value == today - timedelta(days=1):
        return "Yesterday"
    year = "" if value.year == today.year else f" {value.year}"
    return f"{value:%A} {value.day} {value:%B}{year}"


def _time(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
