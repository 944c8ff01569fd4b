"""Break-glass: begun with a reason, ended at any time, reviewed by another person."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import interaction.public
import sentinel.public
from apps.console.guard import emergencies_only
from sentinel.vocabulary import Principal

MINUTES = (5, 15, 30, 60)
MINUTES_USUAL = 15
FLOWS = ("begin_emergency", "end_emergency")


@require_GET
@emergencies_only
def index(request: HttpRequest) -> HttpResponse:
    """Show what runs, what is owed a review, and what was."""
    return _page(request)


@require_http_methods(["GET", "POST"])
@emergencies_only
def begin(request: HttpRequest) -> HttpResponse:
    """Fill in for what and why, see it in words, then break glass; a refusal loses nothing."""
    said = request.POST if request.method == "POST" else request.GET
    asked: dict[str, Any] = {
        "kinds": [each.strip() for each in said.getlist("kinds") if each.strip()],
        "minutes": said.get("minutes", str(MINUTES_USUAL)),
        "reason": said.get("reason", "").strip(),
    }
    if request.method != "POST" or said.get("step") == "again":
        return _form(request, asked)
    principal = interaction.public.principal_of(user=request.user)
    wanted = {
        "kinds": tuple(asked["kinds"]),
        "minutes": int(asked["minutes"]) if asked["minutes"].isdecimal() else 0,
        "breaker": principal.id,
        "breaker_person": principal.person_id,
        "reason": asked["reason"],
    }
    words = _words(asked)
    try:
        if said.get("step") == "ask":
            change_id = _change_id(request)
            _ask(change_id, "begin_emergency", wanted, words, principal)
            return redirect(f"{reverse('console:emergencies')}?asked={change_id}")
        interaction.public.change_of_rules(flow="begin_emergency", said=wanted, principal=principal)
    except interaction.public.ChangeOfRulesRefused as refused:
        field = refused.reason if refused.reason in asked else "form"
        return _form(request, asked, {"errors": {field: refused.words}})
    return _form(request, asked, {"words": words})


@require_POST
@emergencies_only
def end(request: HttpRequest) -> HttpResponse:
    """End an emergency before its time."""
    principal = interaction.public.principal_of(user=request.user)
    reason = request.POST.get("reason", "").strip()
    wanted = {"emergency": request.POST.get("emergency", ""), "reason": reason}
    change_id = _change_id(request)
    try:
        _ask(change_id, "end_emergency", wanted, f"End the emergency. {reason}", principal)
    except interaction.public.ChangeOfRulesRefused as refused:
        return _page(request, {"refused": refused.words}, status=422)
    return redirect(f"{reverse('console:emergencies')}?asked={change_id}")


def _page(
    request: HttpRequest, more: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    principal = interaction.public.principal_of(user=request.user)
    everything = sentinel.public.emergencies()
    staff = interaction.public.staff_members()
    changes = interaction.public.changes_of_rules(flows=FLOWS, principal=principal)
    context = {
        "running": [{"row": each, "change_id": uuid4()} for each in everything if each.is_running],
        "owed": [each for each in everything if each.is_justified is None],
        "history": [each for each in everything if not each.is_running],
        "names": {each.principal_id: each.display_name for each in staff},
        "own": principal.id,
        "changes": changes,
        "just_asked": next(
            (each for each in changes if str(each.id) == request.GET.get("asked")), None
        ),
        **(more or {}),
    }
    return render(request, "console/emergencies.html", context, status=status)


def _form(
    request: HttpRequest, asked: Mapping[str, Any], more: Mapping[str, Any] | None = None
) -> HttpResponse:
    wordings = {each.kind: each.wording for each in sentinel.public.action_kinds()}
    context = {
        "asked": asked,
        "choices": [
            {"kind": kind, "words": _plain(wordings[kind]), "is_chosen": kind in asked["kinds"]}
            for kind in sentinel.public.liftable_kinds()
        ],
        "minutes": [str(each) for each in MINUTES],
        "change_id": uuid4(),
        **(more or {}),
    }
    status = 422 if "errors" in context else 200
    return render(request, "console/emergency_begin.html", context, status=status)


def _ask(
    change_id: UUID, flow: str, said: Mapping[str, object], words: str, principal: Principal
) -> None:
    interaction.public.ask_change_of_rules(
        change_id=change_id,
        flow=flow,
        said=said,
        words=words,
        principal=principal,
        at=datetime.now(UTC),
    )


def _change_id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("change_id", ""))
    except ValueError as error:
        raise Http404 from error


def _plain(wording: str) -> str:
    """Return a catalogue's sentence with its parameters left open."""
    return " ".join("…" if part.startswith("{") else part for part in wording.split())


def _words(asked: Mapping[str, Any]) -> str:
    kinds = ", ".join(asked["kinds"])
    return f"Break glass over {kinds} for {asked['minutes']} minutes. Reason: {asked['reason']}"
