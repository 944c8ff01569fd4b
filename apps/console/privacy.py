"""What the bank remembers of a person: reported, held, forgotten; changes go to a second person."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_http_methods

import interaction.public
import sentinel.public
from apps.console.guard import compliance_only

FLOWS = {"hold": "hold_subject", "release": "release_subject", "forget": "forget_subject"}
FIELDS = ("what", "subject", "hold", "until", "reason")
LENGTH_MAX = 500
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


@require_GET
@compliance_only
def index(request: HttpRequest) -> HttpResponse:
    """Show legal holds, erasures, what was asked for, and where what is kept is kept."""
    principal = interaction.public.principal_of(user=request.user)
    changes = interaction.public.subject_changes(principal=principal)
    typed = request.GET.get("customer", "")[:LENGTH_MAX].strip()
    found = _ID.search(typed)
    subject = f"customer:{found[0]}" if found else ""
    context = {
        "typed": typed,
        "customer_id": found[0] if found else "",
        "standing": sentinel.public.subject_standing(subject=subject) if subject else None,
        "holds": sentinel.public.legal_holds(),
        "erasures": sentinel.public.erasures(),
        "changes": changes,
        "stores": interaction.public.personal_stores(),
        "just_asked": next(
            (each for each in changes if str(each.id) == request.GET.get("asked")), None
        ),
    }
    return render(request, "console/privacy.html", context)


@require_GET
@compliance_only
def report(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show everything held about a person, or hand it over; that it was asked for is on record."""
    principal = interaction.public.principal_of(user=request.user, session=request.session)
    found = interaction.public.access_report(
        customer_id=customer_id, asked_by=principal, at=datetime.now(UTC)
    )
    if found is None:
        raise Http404
    if request.GET.get("as") == "json":
        return _download(interaction.public.as_json(report=found), f"access-{customer_id}.json")
    return render(request, "console/access_report.html", {"report": found})


def _download(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_http_methods(["GET", "POST"])
@compliance_only
def change(request: HttpRequest) -> HttpResponse:
    """Fill in a hold, its end or an erasure, see it in words, then ask a second person."""
    source = request.POST if request.method == "POST" else request.GET
    asked = {name: source.get(name, "").strip()[:LENGTH_MAX] for name in FIELDS}
    if asked["what"] not in FLOWS:
        raise Http404
    if request.method != "POST" or source.get("step") == "again":
        return _form(request, asked)
    try:
        said = _said(asked)
        if source.get("step") == "ask":
            return _ask(request, asked, said)
        interaction.public.subject_change(flow=FLOWS[asked["what"]], said=said)
        return _form(request, asked, {"words": _words(asked)})
    except interaction.public.SubjectChangeRefused as refused:
        field = refused.reason if refused.reason in FIELDS else "form"
        return _form(request, asked, {"errors": {field: refused.words}})


def _ask(
    request: HttpRequest, asked: Mapping[str, str], said: Mapping[str, object]
) -> HttpResponse:
    try:
        change_id = UUID(request.POST.get("change_id", ""))
    except ValueError as error:
        raise Http404 from error
    interaction.public.ask_subject_change(
        change_id=change_id,
        flow=FLOWS[asked["what"]],
        said=said,
        words=_words(asked),
        principal=interaction.public.principal_of(user=request.user),
        at=datetime.now(UTC),
    )
    return redirect(f"{reverse('console:privacy')}?asked={change_id}")


def _form(
    request: HttpRequest, asked: Mapping[str, str], more: Mapping[str, Any] | None = None
) -> HttpResponse:
    context = {
        "asked": asked,
        "change_id": uuid4(),
        "stores": interaction.public.personal_stores(),
        **(more or {}),
    }
    status = 422 if "errors" in context else 200
    return render(request, "console/privacy_change.html", context, status=status)


def _said(asked: Mapping[str, str]) -> Mapping[str, object]:
    if asked["what"] == "release":
        return {"hold": asked["hold"], "reason": asked["reason"]}
    said: dict[str, object] = {"subject": asked["subject"], "reason": asked["reason"]}
    return {**said, "until": _day(asked["until"])} if asked["what"] == "hold" else said


def _day(day: str) -> datetime | None:
    if not day:
        return None
    try:
        found = parse_date(day)
    except ValueError:
        found = None
    if found is None:
        raise interaction.public.SubjectChangeRefused("until", "Give a day.")
    return datetime.combine(found, time.min, timezone.get_current_timezone())


def _words(asked: Mapping[str, str]) -> str:
    """Return a change in the words that the second person reads."""
    why = f"Reason given: {asked['reason']}"
    if asked["what"] == "release":
        return f"End the legal hold {asked['hold']}. {why}"
    if asked["what"] == "forget":
        return f"Erase for ever what is sealed for {asked['subject']}. {why}"
    until = f"until {asked['until']}" if asked["until"] else "until it is released"
    return f"Put a legal hold on {asked['subject']} {until}. {why}"
