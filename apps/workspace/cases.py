"""A case: what happened, why it stopped, the evidence side by side, and what to do about it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

import interaction.public
from apps.workspace.forms import Field, answer_from, answered, fields_of
from apps.workspace.guard import employees_only
from sentinel.vocabulary import Principal


@require_GET
@employees_only
def index(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the cases this employee may see, newest first."""
    search = request.GET.get("q", "").strip()[:80]
    state = request.GET.get("state") or None
    rows = interaction.public.cases(principal=principal, search=search, state=state)
    context = {"rows": rows, "search": search, "state": state or ""}
    is_part = request.headers.get("HX-Request") == "true"
    template = "workspace/parts/case_rows.html" if is_part else "workspace/cases.html"
    return render(request, template, context)


@require_GET
@employees_only
def show(request: HttpRequest, principal: Principal, case_id: UUID) -> HttpResponse:
    """Show a case; htmx asks for one part of it when something has changed."""
    case = interaction.public.case(case_id=case_id, principal=principal)
    part = request.GET.get("part", "")
    template = _PARTS.get(part, "workspace/case.html")
    context = _context(case, principal)
    if template == "workspace/case.html" and case.customer_id:
        context["customer"] = interaction.public.customer_screen(
            customer_id=case.customer_id, principal=principal
        )
    return render(request, template, context)


@require_POST
@employees_only
def answer(request: HttpRequest, principal: Principal, task_id: UUID) -> HttpResponse:
    """Answer a task; what cannot be accepted is shown beside its field and nothing is lost."""
    task = interaction.public.task(task_id=task_id, principal=principal)
    filled = answer_from(schema=task.form, posted=request.POST)
    comment = request.POST.get("comment", "").strip()
    try:
        done = interaction.public.complete(
            task_id=task_id,
            principal=principal,
            answer=filled,
            comment=comment,
            at=datetime.now(UTC),
        )
    except interaction.public.AnswerRefused as refused:
        return _refused(request, principal, task, {**filled, "comment": comment}, refused.errors)
    return _back_to_case(request, done.case_id)


@require_POST
@employees_only
def return_task(request: HttpRequest, principal: Principal, task_id: UUID) -> HttpResponse:
    """Send a task back with a comment, for somebody to complete what is missing."""
    returned = interaction.public.return_task(
        task_id=task_id,
        principal=principal,
        comment=request.POST.get("comment", "").strip(),
        at=datetime.now(UTC),
    )
    return _back_to_case(request, returned.case_id)


@require_GET
@employees_only
def drawing(request: HttpRequest, principal: Principal, case_id: UUID) -> HttpResponse:
    """Return the drawing of the flow that this case runs on."""
    case = interaction.public.case(case_id=case_id, principal=principal)
    return HttpResponse(case.diagram_xml, content_type="application/xml")


@require_GET
@employees_only
def document(request: HttpRequest, principal: Principal, document_id: UUID) -> HttpResponse:
    """Hand over a document of a case, to be looked at but never run."""
    name, media_type, content = interaction.public.document_content(
        document_id=document_id, principal=principal
    )
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{_plain(name)}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


_PARTS: Mapping[str, str] = {
    "tasks": "workspace/parts/case_tasks.html",
    "history": "workspace/parts/case_history.html",
    "head": "workspace/parts/case_head.html",
}


def _context(case: "interaction.public.CaseView", principal: Principal) -> dict[str, object]:
    actors = [line.actor_words for line in case.history]
    actors += [task.claimed_by for task in case.tasks if task.claimed_by]
    return {
        "case": case,
        "names": interaction.public.names_of(principal_ids=actors),
        "principal": principal,
        "tasks": [_with_fields(task, principal) for task in case.tasks],
    }


def _with_fields(
    task: "interaction.public.TaskView",
    principal: Principal,
    filled: Mapping[str, object] | None = None,
    errors: Mapping[str, str] | None = None,
) -> dict[str, object]:
    fields: tuple[Field, ...] = fields_of(schema=task.form, filled=filled, errors=errors)
    return {
        "task": task,
        "fields": fields,
        "errors": [(field.id, field.error) for field in fields if field.error],
        "is_mine": task.claimed_by == principal.id,
        "answered": answered(schema=task.form, answers=task.answers),
        "comment": (filled or {}).get("comment", ""),
    }


def _refused(
    request: HttpRequest,
    principal: Principal,
    task: "interaction.public.TaskView",
    filled: Mapping[str, object],
    errors: Mapping[str, str],
) -> HttpResponse:
    case = interaction.public.case(case_id=task.case_id, principal=principal)
    context = _context(case, principal)
    context["tasks"] = [
        _with_fields(each, principal, filled, errors)
        if each.id == task.id
        else _with_fields(each, principal)
        for each in case.tasks
    ]
    is_part = request.headers.get("HX-Request") == "true"
    template = "workspace/parts/case_tasks.html" if is_part else "workspace/case.html"
    return render(request, template, context, status=422)


def _back_to_case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    return redirect("workspace:case", case_id=case_id)


def _plain(name: str) -> str:
    """Return a file name that cannot break out of its header."""
    return "".join(sign if sign.isalnum() or sign in " .-_" else "_" for sign in name)[:80]
