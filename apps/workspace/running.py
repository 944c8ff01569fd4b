"""Running work: what runs, what stopped, one run on its drawing, and steering it with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import interaction.public
from apps.workspace.guard import employees_only
from apps.workspace.rights import RIGHTS
from apps.workspace.searching import found, search_of
from sentinel.vocabulary import Principal

STANDINGS = (
    ("running", "Running"),
    ("incident", "Stopped"),
    ("held", "Held"),
    ("ended", "Ended"),
)
AGES = (("", "Any"), ("1", "Over an hour"), ("24", "Over a day"), ("168", "Over a week"))
ROWS_MAX = 100


@dataclass(frozen=True, slots=True)
class Step:
    """Something one can do to a run: how it is asked, what will happen, what the button says."""

    move: Literal["hold", "release", "retry", "cancel", "undo"]
    question: str
    words: str
    button: str
    is_grave: bool = False


STEPS: Mapping[str, Step] = {
    "hold": Step(
        "hold",
        "Hold this run?",
        "Nothing more happens in it until somebody releases it. What comes in meanwhile is kept.",
        "Hold it",
    ),
    "release": Step(
        "release",
        "Release this run?",
        "It goes on at once, beginning with what has come in while it was held.",
        "Release it",
    ),
    "retry": Step(
        "retry",
        "Try the stopped step again?",
        "The step is carried out once more. An effect that has happened is not repeated.",
        "Try again",
    ),
    "cancel": Step(
        "cancel",
        "End this run for good?",
        "It cannot be taken up again. Open work and cards are withdrawn; what has been done stays"
        " done, and what has been paid stays paid.",
        "End it",
        is_grave=True,
    ),
    "undo": Step(
        "undo",
        "End this run and undo what it did?",
        "It cannot be taken up again. Open work and cards are withdrawn, then each finished step"
        " that has a way back is undone, the last first. A step without one stays as it is. What"
        " cannot be undone goes to a person, and the run ends after that.",
        "End and undo it",
        is_grave=True,
    ),
}


@require_http_methods(["GET", "POST"])
@employees_only
def index(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List running work by standing, flow, age and words; htmx asks for the rows alone."""
    search = search_of(request=request, filters=("standing", "flow", "hours"))
    standing = search.filters.get("standing", "running")
    hours = search.filters.get("hours", "")
    at = datetime.now(UTC)
    filters = interaction.public.RunFilters(
        standing=standing,
        process=search.filters.get("flow"),
        older_than=timedelta(hours=int(hours)) if hours in {"1", "24", "168"} else None,
        search=search.text,
    )
    rows = interaction.public.running_work(
        principal=principal, filters=filters, at=at, limit=ROWS_MAX + 1
    )
    counts = interaction.public.running_counts(principal=principal)
    context = {
        "rows": rows[:ROWS_MAX],
        "has_more": len(rows) > ROWS_MAX,
        "counts": counts,
        "filters": filters,
        "standings": [(value, words, getattr(counts, value)) for value, words in STANDINGS],
        "ages": AGES,
        "hours": hours,
        "now": at,
    }
    return found(
        request=request,
        search=search,
        page="workspace/running.html",
        part="workspace/parts/running_rows.html",
        context=context,
    )


@require_GET
@employees_only
def show(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """Show one run; htmx asks for one part of it when something has changed."""
    context = page_of(run_id, principal)
    step = STEPS.get(request.GET.get("do", ""))
    if step is not None:
        context |= {"step": step, "incident_id": request.GET.get("incident", "")}
    right = RIGHTS.get(request.GET.get("do", ""))
    if right is not None:
        asked = {"incident": request.GET.get("incident", ""), "values": "{}"}
        context |= {"right": right, "asked": asked}
    template = _PARTS.get(request.GET.get("part", ""), "workspace/run.html")
    return render(request, template, context)


@require_POST
@employees_only
def steer(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """Do what was confirmed; what is refused is said beside the reason, and nothing is lost."""
    step = STEPS.get(request.POST.get("do", ""))
    if step is None:
        raise Http404
    reason = request.POST.get("reason", "")
    asked: dict[str, Any] = {"step": step, "reason": reason}
    asked["incident_id"] = request.POST.get("incident", "")
    try:
        interaction.public.steer(
            instance_id=run_id,
            move=step.move,
            principal=principal,
            reason=reason,
            at=datetime.now(UTC),
            incident_id=_uuid(asked["incident_id"]),
        )
    except interaction.public.ReasonRefused:
        asked["error"] = "Say why, in 5 to 500 characters. Somebody will read it later."
        return _asked_again(request, principal, run_id, asked, status=422)
    except interaction.public.MoveRefused as refused:
        asked["refusal"] = refused.why
        return _asked_again(request, principal, run_id, asked, status=409)
    return redirect("workspace:run", run_id=run_id)


@require_GET
@employees_only
def drawing(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """Return the drawing that a run goes by."""
    page = interaction.public.run_page(
        instance_id=run_id, principal=principal, at=datetime.now(UTC)
    )
    return HttpResponse(page.diagram_xml, content_type="application/xml")


_PARTS: Mapping[str, str] = {
    "now": "workspace/parts/run_now.html",
    "history": "workspace/parts/run_history.html",
    "ask": "workspace/parts/run_ask.html",
}


def _asked_again(
    request: HttpRequest, principal: Principal, run_id: UUID, asked: dict[str, Any], *, status: int
) -> HttpResponse:
    context = page_of(run_id, principal) | asked
    return render(request, "workspace/run.html", context, status=status)


def page_of(run_id: UUID, principal: Principal) -> dict[str, Any]:
    """Return what the page of a run shows."""
    at = datetime.now(UTC)
    run = interaction.public.run_page(instance_id=run_id, principal=principal, at=at)
    return {
        "run": run,
        "names": interaction.public.names_of(
            principal_ids=[each for line in run.lines for each in (line.by, line.agreed_by)]
        ),
        "steps": interaction.public.steps_of(digest=run.digest, principal=principal),
        "now": at,
    }


def _uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
