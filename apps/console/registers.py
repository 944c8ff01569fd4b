"""Registers: the rules in force, the systems connected, the models that serve."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

import grand_central.public
import intelligence.public
import sentinel.public
from apps.console.guard import compliance_only


@require_GET
@compliance_only
def rules(request: HttpRequest) -> HttpResponse:
    """Show every policy in force with its words, and the catalogue of actions."""
    context = {
        "bundles": sentinel.public.bundles(),
        "kinds": sorted(sentinel.public.action_kinds(), key=lambda entry: entry.kind),
    }
    return render(request, "console/rules.html", context)


@require_GET
@compliance_only
def connections(request: HttpRequest) -> HttpResponse:
    """Show the connectors and what each was exercised against, and the screening lists."""
    context = {
        "connectors": grand_central.public.connectors(),
        "lists": grand_central.public.screening_lists(),
    }
    return render(request, "console/connections.html", context)


@require_GET
@compliance_only
def models(request: HttpRequest) -> HttpResponse:
    """Show the models registered, their versions and digests."""
    return render(
        request, "console/models.html", {"models": intelligence.public.registered_models()}
    )
