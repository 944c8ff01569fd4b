"""The evidence log: its health, a proof checked in the page, and bundles to take away."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

import sentinel.public
from apps.console.guard import compliance_only


@require_GET
@compliance_only
def log(request: HttpRequest) -> HttpResponse:
    """Show the log's size, lag, last checkpoint and last witness, and who holds which key."""
    context = {
        "health": sentinel.public.log_health(),
        "short": sentinel.public.short_checkpoint(),
        "checkpoint": sentinel.public.latest_checkpoint(),
        "keys": sentinel.public.public_keys(),
        "entity": sentinel.public.current_entity(),
    }
    is_part = request.headers.get("HX-Request") == "true"
    return render(
        request, "console/parts/log_health.html" if is_part else "console/log.html", context
    )


@require_POST
@compliance_only
def proof(request: HttpRequest, decision_id: UUID) -> HttpResponse:
    """Check every record of a decision against the log, now, and say what was found."""
    checks = [sentinel.public.verify_record(record_id=each) for each in _record_ids(decision_id)]
    context = {
        "checks": checks,
        "is_verified": bool(checks) and all(check.is_verified for check in checks),
        "short": sentinel.public.short_checkpoint(),
    }
    return render(request, "console/parts/proof.html", context)


@require_GET
@compliance_only
def decision_bundle(request: HttpRequest, decision_id: UUID) -> HttpResponse:
    """Hand over the evidence of one decision, for `frontline-verify` on another machine."""
    content = sentinel.public.export_evidence(decision_id=decision_id)
    return _download(content, f"evidence-{decision_id}.zip")


@require_GET
@compliance_only
def log_bundle(request: HttpRequest) -> HttpResponse:
    """Hand over the evidence of the whole log up to the last checkpoint."""
    return _download(sentinel.public.export_evidence(), "evidence-log.zip")


def _record_ids(decision_id: UUID) -> list[UUID]:
    """Return the records of a decision, with the approval and second factor it rests on."""
    try:
        return [each.id for each in sentinel.public.explain(decision_id=decision_id).records]
    except (sentinel.public.DecisionUnknown, sentinel.public.NotCanonical):
        # An altered record explains nothing any more; that it was altered is what is asked.
        return [each.id for each in sentinel.public.records_of(decision_id=decision_id)]


def _download(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
