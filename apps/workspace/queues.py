"""Queues of work: how they stand, and how much of one may be in hand, changed by two people."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

import interaction.public
from apps.workspace.flows import change_id_of, names_in
from apps.workspace.guard import for_roles
from apps.workspace.machinery import OPERATIONS
from sentinel.vocabulary import Principal

DIGITS_MAX = 12
_PARTS = {
    "figures": "workspace/parts/queue_figures.html",
    "changes": "workspace/parts/queue_changes.html",
}


@require_GET
@for_roles(OPERATIONS)
def index(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show how queues stand, what was changed of them, and how far the feeds are read."""
    part = _PARTS.get(request.GET.get("part", ""))
    context: dict[str, Any] = {}
    if part != _PARTS["changes"]:
        at = datetime.now(UTC)
        context |= {
            "queues": interaction.public.queue_rows(principal=principal, at=at),
            "streams": interaction.public.stream_rows(principal=principal, at=at),
            "now": at,
        }
    if part != _PARTS["figures"]:
        context |= _changes(request, principal)
    return render(request, part or "workspace/queues.html", context)


@require_http_methods(["GET", "POST"])
@for_roles(OPERATIONS)
def change(request: HttpRequest, principal: Principal, queue: str) -> HttpResponse:
    """Fill in a change, see what it would do, then ask for it; a refusal loses nothing."""
    try:
        now = interaction.public.queue_setting(queue=queue, principal=principal)
    except interaction.public.QueueChangeRefused as unknown:
        raise Http404 from unknown
    if request.method != "POST":
        cap = "" if now.cap is None else str(now.cap)
        asked = {"cap": cap, "share": str(now.share), "why": ""}
        return _form(request, queue, now, asked)
    asked = {name: request.POST.get(name, "").strip() for name in ("cap", "share", "why")}
    step = request.POST.get("step", "")
    if step == "again":
        return _form(request, queue, now, asked)
    try:
        wanted = _wanted(asked)
        if step != "ask":
            interaction.public.check_queue_change(
                queue=queue, wanted=wanted, why=asked["why"], principal=principal
            )
            return _form(request, queue, now, asked, {"wanted": wanted})
        change_id = change_id_of(request)
        interaction.public.ask_queue_change(
            change_id=change_id,
            queue=queue,
            wanted=wanted,
            why=asked["why"],
            principal=principal,
            at=datetime.now(UTC),
        )
    except interaction.public.QueueChangeRefused as refused:
        return _form(request, queue, now, asked, {"errors": {refused.reason: refused.words}})
    return redirect(f"{reverse('workspace:queues')}?asked={change_id}")


def _form(
    request: HttpRequest,
    queue: str,
    now: "interaction.public.QueueSetting",
    asked: Mapping[str, str],
    more: Mapping[str, Any] | None = None,
) -> HttpResponse:
    context = {"queue": queue, "now": now, "asked": asked, "change_id": uuid4(), **(more or {})}
    status = 422 if "errors" in context else 200
    return render(request, "workspace/queue_change.html", context, status=status)


def _wanted(asked: Mapping[str, str]) -> "interaction.public.QueueSetting":
    return interaction.public.QueueSetting(
        cap=_number("cap", asked["cap"]) if asked["cap"] else None,
        share=_number("share", asked["share"]),
    )


def _number(field: str, text: str) -> int:
    """Return a whole number of any sign: whether it will do is not for the page to say."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX):
        raise interaction.public.QueueChangeRefused(field, "Give a whole number.")
    return int(text)


def _changes(request: HttpRequest, principal: Principal) -> Mapping[str, object]:
    changes = interaction.public.queue_changes(principal=principal)
    asked_for = request.GET.get("asked")
    return {
        "changes": changes,
        "asked": next((each for each in changes if str(each.asked.id) == asked_for), None),
        "names": names_in(each.asked for each in changes),
    }
