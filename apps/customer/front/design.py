"""The living page of the design system: every component, in both themes and densities."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from sentinel.vocabulary import Money

_NAMES = re.compile(r'<symbol id="([a-z-]+)"')


def page(request: HttpRequest) -> HttpResponse:
    """Show every component with invented content; only where the bank is a sample."""
    if not getattr(settings, "FRONTLINE_SAMPLE_BANK", False):
        raise Http404
    return render(request, "interaction/design.html", _content(request))


def _content(request: HttpRequest) -> dict[str, Any]:
    return {
        "is_dense": "dense" in request.GET,
        "balance": Money(412385, "EUR"),
        "incoming": Money(286000, "EUR"),
        "outgoing": Money(-4215, "EUR"),
        "sample_iban": "NL91ABNA0417164300",
        "other_iban": "NL20INGB0001234567",
        "form_errors": (("design-amount", "An amount has at most two decimals."),),
        "lines": (
            {
                "name": "Bakkerij Smit",
                "note": "Groceries",
                "drawn": "out",
                "money": Money(-845, "EUR"),
            },
            {
                "name": "Salary November",
                "note": "Noordzee Logistiek",
                "drawn": "in",
                "money": Money(286000, "EUR"),
            },
            {
                "name": "Hendriks Vastgoed B.V.",
                "note": "Rent November",
                "drawn": "out",
                "money": Money(-125000, "EUR"),
            },
        ),
        "bars": (
            {"name": "Housing", "money": Money(125000, "EUR"), "share": 100},
            {"name": "Groceries", "money": Money(38240, "EUR"), "share": 31},
            {"name": "Transport", "money": Money(9120, "EUR"), "share": 7},
        ),
        "icons": _icons(),
    }


def _icons() -> list[str]:
    sprite = finders.find("interaction/icons.svg")
    return _NAMES.findall(Path(sprite).read_text(encoding="utf-8")) if sprite else []
