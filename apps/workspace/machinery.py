"""The machinery: what begins flows, and what was done in other systems."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import interaction.public
from apps.workspace.guard import for_roles
from apps.workspace.searching import found, search_of
from sentinel.vocabulary import Principal

OPERATIONS = "operations"
KINDS = (
    ("", "All kinds"),
    ("api", "Programs"),
    ("data_change", "Changes of data"),
    ("email", "E-mail"),
    ("file", "Files"),
    ("message", "Messages"),
    ("schedule", "The clock"),
    ("webhook", "Webhooks"),
)
STATES = (
    ("", "All"),
    ("planned", "Planned"),
    ("under_way", "Under way"),
    ("unknown", "Unknown"),
    ("done", "Done"),
    ("not_done", "Not done"),
    ("refused", "Refused"),
    ("compensated", "Undone"),
)
REASON_LENGTH_MIN, REASON_LENGTH_MAX = 5, 500
ROWS_MAX = 100


@dataclass(frozen=True, slots=True)
class Step:
    """What can be done to a trigger: how it is asked, what will happen, what the button says."""

    move: Literal["pause", "resume"]
    question: str
    words: str
    button: str


STEPS: Mapping[str, Step] = {
    "pause": Step(
        "pause",
        "Pause this trigger?",
        "Nothing begins by it until somebody lets it go on. What comes meanwhile is refused, on"
        " record; it is not made up for.",
        "Pause it",
    ),
    "resume": Step(
        "resume",
        "Let this trigger go on?",
        "What comes from now on begins its flow again.",
        "Let it go on",
    ),
}


@require_http_methods(["GET", "POST"])
@for_roles(OPERATIONS)
def triggers(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List every trigger by kind and words; htmx asks for the rows alone."""
    search = search_of(request=request, filters=("kind",))
    kind = search.filters.get("kind", "")
    listed = interaction.public.trigger_rows(principal=principal)
    text = search.text.casefold()
    rows = [
        each
        for each in listed
        if kind in {"", each.kind}
        and text in f"{each.name} {each.flow_name} {each.waits_for}".casefold()
    ]
    context = {"rows": rows, "kinds": KINDS, "kind": kind, "total": len(listed)}
    return found(
        request=request,
        search=search,
        page="workspace/triggers.html",
        part="workspace/parts/trigger_rows.html",
        context=context,
    )


@require_GET
@for_roles(OPERATIONS)
def trigger(request: HttpRequest, principal: Principal, process: str, name: str) -> HttpResponse:
    """Show one trigger: how it stands, its last deliveries, and those it refused."""
    context = _trigger(principal, process, name)
    step = STEPS.get(request.GET.get("do", ""))
    template = _PARTS.get(request.GET.get("part", ""), "workspace/trigger.html")
    return render(request, template, context | {"step": step})


@require_POST
@for_roles(OPERATIONS)
def steer_trigger(
    request: HttpRequest, principal: Principal, process: str, name: str
) -> HttpResponse:
    """Pause a trigger, or let it go on; without a reason nothing is done."""
    step = STEPS.get(request.POST.get("do", ""))
    if step is None:
        raise Http404
    reason = request.POST.get("reason", "").strip()
    if step.move == "pause" and not REASON_LENGTH_MIN <= len(reason) <= REASON_LENGTH_MAX:
        error = "Say why, in 5 to 500 characters. Somebody will read it later."
        asked = {"step": step, "reason": reason, "error": error}
        context = _trigger(principal, process, name) | asked
        return render(request, "workspace/trigger.html", context, status=422)
    _STEER[step.move](f"{process}/{name}", principal, reason)
    return redirect("workspace:trigger", process=process, name=name)


def _pause(trigger: str, principal: Principal, reason: str) -> None:
    interaction.public.pause_trigger(trigger=trigger, principal=principal, reason=reason)


def _resume(trigger: str, principal: Principal, _reason: str) -> None:
    interaction.public.resume_trigger(trigger=trigger, principal=principal)


_STEER: Mapping[str, Callable[[str, Principal, str], None]] = {"pause": _pause, "resume": _resume}
_PARTS: Mapping[str, str] = {
    "now": "workspace/parts/trigger_now.html",
    "ask": "workspace/parts/trigger_ask.html",
}


@require_http_methods(["GET", "POST"])
@for_roles(OPERATIONS)
def effects(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List what was wanted of systems outside, by how it stands; htmx asks for the rows alone."""
    search = search_of(request=request, filters=("state",))
    state = search.filters.get("state", "")
    rows = interaction.public.effect_rows(
        principal=principal, state=state, search=search.text, limit=ROWS_MAX + 1
    )
    context = {
        "rows": rows[:ROWS_MAX],
        "has_more": len(rows) > ROWS_MAX,
        "states": STATES,
        "state": state,
    }
    return found(
        request=request,
        search=search,
        page="workspace/effects.html",
        part="workspace/parts/effect_rows.html",
        context=context,
    )


def _trigger(principal: Principal, process: str, name: str) -> dict[str, Any]:
    wanted = f"{process}/{name}"
    row = _named(interaction.public.trigger_rows(principal=principal), wanted)
    view = _named(interaction.public.triggers(principal=principal), wanted)
    if row is None or view is None:
        raise Http404
    names = interaction.public.names_of(principal_ids=[row.paused_by] if row.paused_by else [])
    return {"trigger": row, "runs": view.runs, "refusals": view.refusals, "names": names}


def _named(listed: Any, wanted: str) -> Any:  # noqa: ANN401 - rows of either kind
    return next((each for each in listed if each.name == wanted), None)
