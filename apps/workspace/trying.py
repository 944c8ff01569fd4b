"""Trying a version of a flow out: nothing is started, and only the page keeps what was tried."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

import interaction.public
from apps.workspace.flows import flow_named, rule_of
from apps.workspace.guard import FLOW_READERS, for_roles
from interaction.public import Move, MoveKind, TryRefused, TryScript
from sentinel.vocabulary import Principal

_SALT = "workspace.try"
_KINDS: Mapping[str, MoveKind] = {
    "step": "step",
    "wait": "wait",
    "end": "end",
    "clock": "clock",
    "answer": "answer",
    "refuse": "answer",
    "again": "again",
    "message": "message",
}


@require_http_methods(["GET", "POST"])
@for_roles(*FLOW_READERS)
def show(request: HttpRequest, principal: Principal, process: str) -> HttpResponse:
    """Choose a version and data, then walk through the drawing move by move."""
    flow = flow_named(process, principal)
    asked = request.POST if request.method == "POST" else request.GET
    version = asked.get("version") or rule_of(flow).digest
    context: dict[str, Any] = {"flow": flow, "rule": rule_of(flow), "version": version}
    context |= _stories(process, version, principal)
    if request.method != "POST":
        return render(request, "workspace/try.html", context)
    before, after = _scripts(request)
    status = 200
    try:
        view = _tried(process, version, after, principal)
    except TryRefused as refused:
        context["refusal"], status = refused.words, 422
        if before is None:
            context |= {"story": after.scenario, "given": after.given}
            return render(request, "workspace/try.html", context, status=status)
        view, after = _tried(process, version, before, principal), before
    context |= {"view": view, "story": after.scenario, "given": after.given}
    context |= {"state": _signed(after), "moves": len(after.moves), "lines": told(view)}
    return render(request, "workspace/try.html", context, status=status)


@require_GET
@for_roles(*FLOW_READERS)
def drawing(request: HttpRequest, principal: Principal, process: str) -> HttpResponse:
    """Return the drawing of the version that is tried out."""
    try:
        xml = interaction.public.drawing_to_try(
            process=process, version=request.GET.get("version", ""), principal=principal
        )
    except interaction.public.FlowUnknown as unknown:
        raise Http404 from unknown
    return HttpResponse(xml, content_type="application/xml")


def _stories(process: str, version: str, principal: Principal) -> dict[str, object]:
    """Return the scenarios of a version; those that cannot be read are said, not hidden."""
    try:
        stories = interaction.public.stories_of_version(
            process=process, version=version, principal=principal
        )
    except interaction.public.FlowUnknown as unknown:
        raise Http404 from unknown
    except interaction.public.ScenarioRefused as refused:
        return {"stories": (), "faults": refused.faults}
    return {"stories": stories}


def _tried(
    process: str, version: str, script: TryScript, principal: Principal
) -> "interaction.public.TryView":
    """Make the moves again and return where they lead.

    Raises:
        TryRefused: one of them cannot be made, or the scenarios do not fit the drawing.
    """
    try:
        return interaction.public.try_version(
            process=process, version=version, script=script, principal=principal
        )
    except interaction.public.ScenarioRefused as refused:
        words = "; ".join(f"line {each.line}: {each.words}" for each in refused.faults)
        raise TryRefused("scenario_refused", f"The scenarios do not fit: {words}.") from refused


def _scripts(request: HttpRequest) -> tuple[TryScript | None, TryScript]:
    """Return what was tried so far, if anything, and what is now asked for."""
    if request.POST.get("do", "") == "begin":
        return None, TryScript(request.POST.get("story", ""), request.POST.get("given", "").strip())
    before = _read(request.POST.get("state", ""))
    return before, moved(request, before)


def moved(request: HttpRequest, before: TryScript) -> TryScript:
    """Return a try-out with what is now asked for."""
    wanted = request.POST.get("do", "")
    if wanted == "restart":
        return replace(before, moves=())
    if wanted == "back":
        return replace(before, moves=before.moves[:-1])
    return replace(before, moves=(*before.moves, _move(request, wanted)))


def _move(request: HttpRequest, wanted: str) -> Move:
    kind = _KINDS.get(wanted)
    visit = request.POST.get("visit", "0")
    if kind is None or not (visit.isascii() and visit.isdigit()):
        raise Http404
    text = request.POST.get("text", "")
    if wanted == "refuse":
        text = json.dumps({"refused": {"code": request.POST.get("code", "")}})
    return Move(kind, request.POST.get("node", ""), int(visit), text)


def _signed(script: TryScript) -> str:
    """Return a try-out as the page keeps it: nobody else can make one up."""
    moves = [[each.kind, each.node, each.visit, each.text] for each in script.moves]
    whole = [script.scenario, script.given, moves]
    return signing.dumps(whole, salt=_SALT, compress=True)


def _read(state: str) -> TryScript:
    try:
        scenario, given, moves = signing.loads(state, salt=_SALT)
    except signing.BadSignature as error:
        raise Http404 from error
    return TryScript(scenario, given, tuple(Move(*each) for each in moves))


def told(view: "interaction.public.TryView") -> list[tuple["interaction.public.RunLine", bool]]:
    """Return what happened, the last first, each with whether it came with the last move."""
    told = [(line, index >= view.lines_before) for index, line in enumerate(view.lines)]
    return told[::-1]
