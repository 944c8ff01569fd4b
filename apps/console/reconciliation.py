"""Reconciliation: tokens and the cores' own statements, compared both ways, and what differs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

import grand_central.public
from apps.console.guard import compliance_only

RUNS_SHOWN = 14
DIFFERENCES_SHOWN = 100


@require_GET
@compliance_only
def show(request: HttpRequest) -> HttpResponse:
    """Show the latest comparisons, what has no partner, and what is rightly not ours."""
    runs = grand_central.public.reconciliations(limit=RUNS_SHOWN)
    found = grand_central.public.statement_differences(is_open=False, limit=DIFFERENCES_SHOWN)
    context = {
        "runs": [{"run": run, "expected": sum(run.expected.values())} for run in runs],
        "latest": runs[0] if runs else None,
        "found": [each for each in found if each.gone_at is None],
        "gone": [each for each in found if each.gone_at is not None],
        "origins": [
            {"origin": each, "count": runs[0].expected.get(each.name, 0) if runs else 0}
            for each in grand_central.public.expected_origins()
        ],
    }
    return render(request, "console/reconciliation.html", context)
