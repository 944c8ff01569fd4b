"""The evidence log: its health, a proof checked in the page, and bundles to take away."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

import interaction.public
import sentinel.public
from apps.console.guard import compliance_only

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


@require_GET
@compliance_only
def log(request: HttpRequest) -> HttpResponse:
    """Show the log's size, lag, last checkpoint and last witness, and who holds which key."""
    is_part = request.headers.get("HX-Request") == "true"
    template = "console/parts/log_health.html" if is_part else "console/log.html"
    return render(request, template, _health())


def _health() -> dict[str, Any]:
    health = sentinel.public.log_health()
    return {
        "health": health,
        "at": datetime.now(UTC),
        "unwitnessed": health.size - (health.last_witness_size or 0),
        "short": sentinel.public.short_checkpoint(),
        "checkpoint": sentinel.public.latest_checkpoint(),
        "keys": sentinel.public.public_keys(),
        "witnesses": sentinel.public.outside_witnesses(),
        "entity": sentinel.public.current_entity(),
    }


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


@require_POST
@compliance_only
def chosen_bundle(request: HttpRequest) -> HttpResponse:
    """Hand over the evidence of a case, a customer or a period; what is disclosed is on record."""
    asked, refusal = _asked(request)
    if asked is None:
        return _refused(request, refusal)
    is_disclosed = request.POST.get("disclose") == "yes"
    if is_disclosed:
        _record_access(request, asked)
    try:
        content = sentinel.public.export_evidence(**asked.scope, is_disclosed=is_disclosed)
    except sentinel.public.NothingToExport:
        return _refused(request, "Nothing is sealed yet under what you named.")
    return _download(content, f"evidence-{asked.name}.zip")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What evidence was asked for, and how it is named."""

    name: str
    scope: dict[str, Any]


def _asked(request: HttpRequest) -> tuple[_Asked | None, str]:
    """Return what was asked for, or why it cannot be."""
    about, named = request.POST.get("about", ""), request.POST.get("id", "").strip()
    since, until = _day(request.POST.get("from", "")), _day(request.POST.get("until", ""))
    until = until + timedelta(days=1) if until else None
    if since and until and since >= until:
        return None, "The first day comes after the last."
    found = _ID.search(named)
    if about == "period" and (since or until):
        days = f"{since:%Y-%m-%d}" if since else "beginning"
        return _Asked(f"from-{days}", {"since": since, "until": until}), ""
    if about == "case" and found:
        return _Asked(f"case-{found[0]}", {"case_id": UUID(found[0])}), ""
    if about == "customer" and found:
        scope = {"customer": f"customer:{found[0]}", "since": since, "until": until}
        return _Asked(f"customer-{found[0]}", scope), ""
    return None, "Name the id of a case or a customer, or the days of a period."


def _refused(request: HttpRequest, words: str) -> HttpResponse:
    context = _health() | {"refusal": words, "typed": request.POST}
    return render(request, "console/log.html", context, status=422)


def _record_access(request: HttpRequest, asked: _Asked) -> None:
    sentinel.public.record_access(
        principal=interaction.public.principal_of(user=request.user, session=request.session),
        resource=f"evidence:{asked.name}",
        is_granted=True,
        at=datetime.now(UTC),
    )


def _day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
    except ValueError:
        return None


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
