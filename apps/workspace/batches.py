"""Files of items: hand one in, watch how far it is, see what failed and why, begin that anew."""

from datetime import UTC, datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import interaction.public
from apps.workspace.guard import employees_only
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
)


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
    context = {
        "runs": interaction.public.batch_runs(principal=principal),
        "kinds": interaction.public.batch_kinds(principal=principal),
        "refusal": refusal,
    }
    return render(request, "workspace/batches.html", context, status=422 if refusal else 200)


@require_GET
@employees_only
def show(request: HttpRequest, principal: Principal, batch_id: UUID) -> HttpResponse:
    """Show one run and its items; htmx asks for how far it is alone."""
    state = request.GET.get("state", "")
    after = request.GET.get("after", "")
    run = interaction.public.batch_run(batch_id=batch_id, principal=principal)
    items = interaction.public.batch_items(
        batch_id=batch_id,
        principal=principal,
        state=state or None,
        after_line=int(after) if after.isascii() and after.isdigit() and len(after) < 9 else 0,
        limit=ITEMS_SHOWN,
    )
    context = {
        "run": run,
        "items": items,
        "state": state,
        "states": [(value, words, getattr(run, value or "items")) for value, words in STATES],
        "next_line": items[-1].line if len(items) == ITEMS_SHOWN else None,
    }
    is_part = request.headers.get("HX-Request") == "true"
    template = "workspace/parts/batch_items.html" if is_part else "workspace/batch.html"
    return render(request, template, context)


@require_POST
@employees_only
def restart(_request: HttpRequest, principal: Principal, batch_id: UUID) -> HttpResponse:
    """Begin what failed anew."""
    interaction.public.restart_failed(batch_id=batch_id, principal=principal)
    return redirect("workspace:batch", batch_id=batch_id)


@require_GET
@employees_only
def failures(_request: HttpRequest, principal: Principal, batch_id: UUID) -> HttpResponse:
    """Hand out what failed or was refused, as a table."""
    table = interaction.public.batch_failures(batch_id=batch_id, principal=principal)
    answer = HttpResponse(table, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="failures-{batch_id}.csv"'
    return answer


def _take(request: HttpRequest, principal: Principal) -> UUID | str:
    """Take the file of a form; return the run, or why there is none."""
    process, _, name = request.POST.get("kind", "").partition("/")
    given = request.FILES.get("file")
    if given is None or not given.size:
        return "Choose a file."
    if given.size > FILE_BYTES_MAX:
        return "The file is larger than 16 MB."
    if (process, name) not in interaction.public.batch_kinds(principal=principal):
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
        return f"Line {refused.line}: {refused.reason}."
    return run.id
