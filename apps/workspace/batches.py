"""Files of items: hand one in, watch how far it is, find items, hold or stop it, begin anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import interaction.public
from apps.workspace.guard import employees_only
from apps.workspace.searching import found, search_of
from sentinel.vocabulary import Principal

FILE_BYTES_MAX = 16 * 1024 * 1024
ITEMS_SHOWN = 100
STATES = (
    ("", "All"),
    ("waiting", "Waiting"),
    ("running", "Running"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("refused", "Refused"),
    ("stopped", "Stopped"),
)
# These are shown only where there are any.
_SELDOM = frozenset({"stopped"})


@dataclass(frozen=True, slots=True)
class Step:
    """What can be done to a run over a file: how it is asked, what will happen, what is pressed."""

    move: Literal["pause", "resume", "stop", "restart"]
    question: str
    words: str
    button: str
    is_grave: bool = False


STEPS: Mapping[str, Step] = {
    "pause": Step(
        "pause",
        "Hold the rest of this file?",
        "What has begun goes to its end. What waits is begun when somebody lets it go on.",
        "Hold it",
    ),
    "resume": Step(
        "resume",
        "Let this file go on?",
        "What waits is begun again, in the order of the file.",
        "Let it go on",
    ),
    "stop": Step(
        "stop",
        "Stop the rest of this file for good?",
        "What has begun goes to its end. What waits is never begun; to do it after all, hand it in"
        " as a file of its own.",
        "Stop it",
        is_grave=True,
    ),
    "restart": Step(
        "restart",
        "Begin anew what failed?",
        "Only the items that failed begin anew, each as another attempt. What is done, refused or"
        " stopped stays as it is. Each is decided upon again: where a second person had to agree,"
        " one has to agree again.",
        "Begin them anew",
    ),
}


@require_http_methods(["GET", "POST"])
@employees_only
def index(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the runs over files; take a file."""
    refusal = ""
    if request.method == "POST":
        taken = _take(request, principal)
        if isinstance(taken, UUID):
            return redirect("workspace:batch", batch_id=taken)
        refusal = taken
    kinds = interaction.public.batch_kinds(principal=principal)
    context = {
        "runs": interaction.public.batch_runs(principal=principal),
        "refused_files": interaction.public.batch_refusals(principal=principal),
        "kinds": kinds,
        "folders": [kind for kind in kinds if kind.folder],
        "refusal": refusal,
    }
    return render(request, "workspace/batches.html", context, status=422 if refusal else 200)


@require_http_methods(["GET", "POST"])
@employees_only
def show(request: HttpRequest, principal: Principal, batch_id: UUID) -> HttpResponse:
    """Show one run and its items by state and name; htmx asks for a part of it alone."""
    search = search_of(request=request, filters=("state", "after"))
    state = search.filters.get("state", "")
    after = search.filters.get("after", "")
    items = interaction.public.batch_items(
        batch_id=batch_id,
        principal=principal,
        state=state or None,
        search=search.text,
        after_line=int(after) if after.isascii() and after.isdigit() and len(after) < 9 else 0,
        limit=ITEMS_SHOWN + 1,
    )
    kept = [pair for pair in parse_qsl(search.query) if pair[0] != "after"]
    has_more = len(items) > ITEMS_SHOWN
    context = _run(batch_id, principal) | {
        "items": items[:ITEMS_SHOWN],
        "first_page": urlencode(kept),
        "next_page": urlencode([*kept, ("after", items[ITEMS_SHOWN - 1].line)]) if has_more else "",
        "state": state,
        "after": after,
        "step": STEPS.get(request.GET.get("do", "")),
    }
    part = _PARTS.get(request.GET.get("part", ""), "workspace/parts/batch_items.html")
    return found(
        request=request,
        search=search,
        page="workspace/batch.html",
        part=part,
        context=context,
    )


@require_POST
@employees_only
def steer(request: HttpRequest, principal: Principal, batch_id: UUID) -> HttpResponse:
    """Do what was confirmed; what is refused is said beside the reason, and nothing is lost."""
    step = STEPS.get(request.POST.get("do", ""))
    if step is None:
        raise Http404
    reason = request.POST.get("reason", "")
    try:
        interaction.public.steer_batch(
            batch_id=batch_id, move=step.move, principal=principal, reason=reason
        )
    except interaction.public.ReasonRefused:
        error = "Say why, in 5 to 500 characters. Somebody will read it later."
    except interaction.public.MoveRefused as refused:
        error = refused.why
    else:
        return redirect("workspace:batch", batch_id=batch_id)
    items = interaction.public.batch_items(
        batch_id=batch_id, principal=principal, limit=ITEMS_SHOWN
    )
    asked = {"step": step, "reason": reason, "error": error, "items": items, "state": ""}
    context = _run(batch_id, principal) | asked
    return render(request, "workspace/batch.html", context, status=422)


@require_GET
@employees_only
def failures(_request: HttpRequest, principal: Principal, batch_id: UUID) -> HttpResponse:
    """Hand out what failed, was refused or stopped, as a table."""
    table = interaction.public.batch_failures(batch_id=batch_id, principal=principal)
    answer = HttpResponse(table, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="failures-{batch_id}.csv"'
    return answer


_PARTS: Mapping[str, str] = {
    "now": "workspace/parts/batch_now.html",
    "ask": "workspace/parts/batch_ask.html",
}


def _run(batch_id: UUID, principal: Principal) -> dict[str, Any]:
    run = interaction.public.batch_run(batch_id=batch_id, principal=principal)
    moves = interaction.public.batch_moves(batch_id=batch_id, principal=principal)
    people = {run.made_by, *(each.made_by for each in moves)}
    counted = [(value, words, getattr(run, value or "items")) for value, words in STATES]
    return {
        "run": run,
        "moves": moves,
        "names": interaction.public.names_of(principal_ids=sorted(people)),
        "states": [each for each in counted if each[2] or each[0] not in _SELDOM],
    }


def _take(request: HttpRequest, principal: Principal) -> UUID | str:
    """Take the file of a form; return the run, or why there is none."""
    process, _, name = request.POST.get("kind", "").partition("/")
    given = request.FILES.get("file")
    if given is None or not given.size:
        return "Choose a file."
    if given.size > FILE_BYTES_MAX:
        return "The file is larger than 16 MB."
    kinds = interaction.public.batch_kinds(principal=principal)
    if (process, name) not in {(kind.process, kind.name) for kind in kinds}:
        return "Choose what the file is for."
    try:
        run = interaction.public.load_batch(
            process=process,
            name=name,
            file_name=given.name or "file",
            content=given.read(),
            principal=principal,
            at=datetime.now(UTC),
        )
    except interaction.public.FileNotUnderstood as refused:
        place = f"Line {refused.line}" if refused.line else "The file"
        return f"{place}: {refused.reason}."
    return run.id
