"""The people of the lists: how much lies with whom, who is away, and who stands in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

import interaction.public
from apps.workspace.guard import employees_only
from apps.workspace.hours_form import form_of
from sentinel.vocabulary import Principal

_SUPERVISING = {"operations", "supervisor"}
_REFUSED = {
    "ends_before_it_begins": "The last day is before the first.",
    "too_long": "An absence is at most two years long.",
    "own_deputy": "Nobody can stand in for themselves.",
    "somebody_elses": "Only operations enters or ends the absence of a colleague.",
    "over": "This absence is over already.",
    "unknown": "There is no such absence.",
    "no_days": "Give the first and the last day.",
    "no_person": "Choose who is away.",
    "away_already": "You are away already.",
    "not_on_the_staff": "You do not work the lists.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """An absence as filled in: last day included."""

    id: str
    who: str
    first_day: str
    last_day: str
    deputy: str


@require_GET
@employees_only
def index(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show the staff with load and absences; htmx asks for the list alone."""
    context = context_of(principal)
    context |= form_of(context, request.GET.get("hours", ""))
    ending = request.GET.get("end", "")
    context["ending"] = next((each for each in context["away"] if str(each.id) == ending), None)
    is_part = request.headers.get("HX-Request") == "true"
    template = "workspace/parts/staff.html" if is_part else "workspace/people.html"
    return render(request, template, context)


@require_POST
@employees_only
def enter(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Enter an absence, once it was confirmed that the work goes to others."""
    asked = Asked(
        *(request.POST.get(name, "") for name in ("id", "who", "first_day", "last_day", "deputy"))
    )
    context = context_of(principal) | {"asked": asked}
    try:
        absence = _absence(asked, context["staff"])
        if not request.POST.get("confirmed"):
            return render(request, "workspace/people.html", context | {"absence": absence})
        interaction.public.enter_absence(absence=absence, principal=principal, at=datetime.now(UTC))
    except interaction.public.AbsenceRefused as refused:
        context["refusal"] = _REFUSED.get(refused.reason, "It cannot be entered.")
        return render(request, "workspace/people.html", context, status=422)
    return redirect("workspace:people")


@require_POST
@employees_only
def end(request: HttpRequest, principal: Principal, absence_id: UUID) -> HttpResponse:
    """End an absence: they are back, or stay after all."""
    try:
        interaction.public.end_absence(
            absence_id=absence_id, principal=principal, at=datetime.now(UTC)
        )
    except interaction.public.AbsenceRefused as refusal:
        return refused(request, principal, refusal.reason)
    return redirect("workspace:people")


def refused(request: HttpRequest, principal: Principal, reason: str) -> HttpResponse:
    """Show the page again with why an absence was not changed."""
    context = context_of(principal)
    context["refusal"] = _REFUSED.get(reason, "It cannot be done.")
    return render(request, "workspace/people.html", context, status=422)


def context_of(principal: Principal) -> dict[str, Any]:
    """Return what the page shows of the staff and their absences."""
    at = datetime.now(UTC)
    staff = interaction.public.colleagues(principal=principal, at=at)
    shown = {each.principal_id for each in staff} | {principal.id}
    away = [each for each in interaction.public.absences(at=at) if each.principal_id in shown]
    people = [*shown, *(each.deputy_id for each in away)]
    names = interaction.public.names_of(principal_ids=people)
    return {
        "staff": sorted(staff, key=lambda each: names.get(each.principal_id, "")),
        "away": away,
        "names": names,
        "principal": principal,
        "may_sign_off": any(
            each.principal_id == principal.id and not each.is_absent for each in staff
        ),
        "is_supervisor": bool(_SUPERVISING & set(principal.roles)),
        "new_id": uuid4(),
        "today": timezone.localdate(),
        "now": at,
    }


def _absence(
    asked: Asked, staff: "list[interaction.public.Colleague]"
) -> "interaction.public.Absence":
    known: Mapping[str, object] = {each.principal_id: each for each in staff}
    if asked.who not in known or (asked.deputy and asked.deputy not in known):
        raise interaction.public.AbsenceRefused("no_person")
    try:
        absence_id = UUID(asked.id)
    except ValueError as error:
        raise Http404 from error
    try:
        first, last = date.fromisoformat(asked.first_day), date.fromisoformat(asked.last_day)
        ends = last + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise interaction.public.AbsenceRefused("no_days") from error
    if last < first:
        raise interaction.public.AbsenceRefused("ends_before_it_begins")
    zone = timezone.get_current_timezone()
    return interaction.public.Absence(
        id=absence_id,
        principal_id=asked.who,
        begins_at=datetime.combine(first, time.min, zone),
        ends_at=datetime.combine(ends, time.min, zone),
        deputy_id=asked.deputy or None,
    )
