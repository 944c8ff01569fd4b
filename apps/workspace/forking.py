"""Trying on from a run as it stood after one of its events: the run itself is only read."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

import interaction.public
from apps.workspace.guard import FLOW_READERS, for_roles
from apps.workspace.trying import moved, told
from interaction.public import Fork, Move, TryRefused, TryScript
from sentinel.vocabulary import Principal

_SALT = "workspace.fork"


@require_http_methods(["GET", "POST"])
@for_roles(*FLOW_READERS)
def show(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """Take a run as it stood after an event, then walk on in the sandbox move by move."""
    if request.method != "POST":
        try:
            fork = _forked(run_id, _seq(request), TryScript(), principal)
        except TryRefused as refused:
            context = {"run_id": run_id, "refusal": refused.words}
            return render(request, "workspace/fork.html", context, status=422)
        return render(request, "workspace/fork.html", _context(fork, TryScript()))
    seq, before = _read(run_id, request.POST.get("state", ""))
    after = _wanted(request, before)
    try:
        fork = _forked(run_id, seq, after, principal)
    except TryRefused as refused:
        fork = _forked(run_id, seq, before, principal)
        context = {**_context(fork, before), "refusal": refused.words}
        return render(request, "workspace/fork.html", context, status=422)
    return render(request, "workspace/fork.html", _context(fork, after))


def _context(fork: Fork, script: TryScript) -> dict[str, Any]:
    return {
        "run_id": fork.origin.run_id,
        "origin": fork.origin,
        "view": fork.view,
        "flow": {"process": fork.origin.process},
        "version": fork.origin.digest,
        "stories": fork.stories,
        "story": script.scenario,
        "state": _signed(fork, script),
        "moves": len(script.moves),
        "lines": told(fork.view),
    }


def _forked(run_id: UUID, seq: int | None, script: TryScript, principal: Principal) -> Fork:
    """Make the moves again and return where they lead.

    Raises:
        TryRefused: the run has no such event, or one of the moves cannot be made.
    """
    try:
        return interaction.public.fork_run(
            instance_id=run_id, seq=seq, script=script, principal=principal, at=datetime.now(UTC)
        )
    except interaction.public.ScenarioRefused as refused:
        words = "; ".join(f"line {each.line}: {each.words}" for each in refused.faults)
        raise TryRefused("scenario_refused", f"The scenarios do not fit: {words}.") from refused


def _wanted(request: HttpRequest, before: TryScript) -> TryScript:
    """Return what is now asked for: another who answers begins at the event again."""
    if request.POST.get("do") == "begin":
        return TryScript(request.POST.get("story", ""))
    return moved(request, before)


def _seq(request: HttpRequest) -> int | None:
    text = request.GET.get("at", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Http404
    return int(text)


def _signed(fork: Fork, script: TryScript) -> str:
    """Return a try-out as the page keeps it: nobody else can make one up."""
    moves = [[each.kind, each.node, each.visit, each.text] for each in script.moves]
    whole = [str(fork.origin.run_id), fork.origin.seq, script.scenario, moves]
    return signing.dumps(whole, salt=_SALT, compress=True)


def _read(run_id: UUID, state: str) -> tuple[int, TryScript]:
    try:
        kept_for, seq, scenario, moves = signing.loads(state, salt=_SALT)
    except signing.BadSignature as error:
        raise Http404 from error
    if kept_for != str(run_id):
        raise Http404
    return seq, TryScript(scenario, moves=tuple(Move(*each) for each in moves))
