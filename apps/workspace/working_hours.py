"""When a colleague works: declared weekday by weekday, and signing off for the day."""

import re
from datetime import UTC, datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

import interaction.public
from apps.workspace import people
from apps.workspace.guard import employees_only
from apps.workspace.hours_form import WEEKDAYS, form_of
from sentinel.vocabulary import Principal

_SPAN = re.compile(r"([0-2]?[0-9]:[0-5][0-9])\s*[-\u2013]\s*([0-2]?[0-9]:[0-5][0-9])")
_TYPED_MAX = 80
_NO_HOURS = "Give the hours as 09:00-17:00, several with a comma, each after the one before."
_REFUSED = {
    "somebody_elses": "Only operations or the lead of the team sets the hours of a colleague.",
    "not_on_the_staff": "Nobody of this name works the lists.",
    "never_works": "Somebody who works at no hour at all is absent: enter an absence instead.",
    "no_hours": "Some of the hours cannot be read.",
}


@require_POST
@employees_only
def change(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Set the hours of somebody, or take back what was declared; a refusal loses nothing typed."""
    who = request.POST.get("who", "")
    typed = {day: request.POST.get(day, "").strip()[:_TYPED_MAX] for day in WEEKDAYS}
    try:
        hours = _hours(typed) if request.POST.get("declared") else None
        interaction.public.set_working_hours(
            principal_id=who, hours=hours, principal=principal, at=datetime.now(UTC)
        )
    except interaction.public.WorkingHoursRefused as refused:
        context = people.context_of(principal)
        context["refusal"] = _REFUSED.get(refused.reason, "The hours cannot be set.")
        errors = {refused.day: _NO_HOURS} if refused.day else {}
        context |= form_of(context, who, typed, errors)
        return render(request, "workspace/people.html", context, status=422)
    return redirect("workspace:people")


@require_POST
@employees_only
def stop(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Sign off for the day; ending the absence this makes signs on again."""
    try:
        absence_id = UUID(request.POST.get("id", ""))
    except ValueError as error:
        raise Http404 from error
    try:
        interaction.public.sign_off(
            absence_id=absence_id, principal=principal, at=datetime.now(UTC)
        )
    except interaction.public.AbsenceRefused as refused:
        return people.refused(request, principal, refused.reason)
    return redirect("workspace:people")


def _hours(typed: dict[str, str]) -> dict[str, list[list[str]]]:
    return {day: _spans(day, words) for day, words in typed.items() if words}


def _spans(day: str, words: str) -> list[list[str]]:
    found = [_SPAN.fullmatch(part.strip()) for part in words.split(",")]
    if not all(found):
        raise interaction.public.WorkingHoursRefused("no_hours", day)
    return [[each.group(1).zfill(5), each.group(2).zfill(5)] for each in found if each]
