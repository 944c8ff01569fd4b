"""Registers: the rules in force, the systems connected, the models that serve."""

from collections.abc import Iterable
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

import grand_central.public
import intelligence.public
import sentinel.public
from apps.console.guard import compliance_only

SEARCH_LENGTH_MAX = 100


@require_GET
@compliance_only
def rules(request: HttpRequest) -> HttpResponse:
    """Show every policy in force with its words, and the catalogue of actions; `q` narrows both."""
    search = request.GET.get("q", "")[:SEARCH_LENGTH_MAX].strip()
    bundles = sentinel.public.bundles()
    kinds = sorted(sentinel.public.action_kinds(), key=lambda entry: entry.kind)
    context = {
        "search": search,
        "bundles": _narrowed(bundles, search) if search else bundles,
        "kinds": [kind for kind in kinds if search.casefold() in kind.kind.casefold()],
    }
    is_part = request.headers.get("HX-Request") == "true"
    template = "console/parts/rules_found.html" if is_part else "console/rules.html"
    return render(request, template, context)


def _narrowed(
    bundles: Iterable["sentinel.public.BundleView"], search: str
) -> list["sentinel.public.BundleView"]:
    """Return the bundles with those of their policies that say what is searched for."""
    wanted = search.casefold()
    found = []
    for bundle in bundles:
        policies = tuple(
            policy
            for policy in bundle.policies
            if wanted in f"{policy.policy_id} {policy.staff} {policy.text}".casefold()
        )
        if policies:
            found.append(replace(bundle, policies=policies))
    return found


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
