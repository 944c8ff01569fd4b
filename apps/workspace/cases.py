"""A case: what happened, why it stopped, the evidence side by side, and what to do about it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import interaction.public
from apps.workspace.forms import Field, answer_from, answered, fields_of
from apps.workspace.guard import employees_only
from apps.workspace.searching import found, search_of
from sentinel.vocabulary import Principal


@require_http_methods(["GET", "POST"])
@employees_only
def index(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the cases this employee may see, newest first."""
    search = search_of(request=request, filters=("state",))
    state = search.filters.get("state")
    rows = interaction.public.cases(principal=principal, search=search.text, state=state)
    return found(
        request=request,
        search=search,
        page="workspace/cases.html",
        part="workspace/parts/case_rows.html",
        context={"rows": rows, "state": state or ""},
    )


@require_GET
@employees_only
def show(request: HttpRequest, principal: Principal, case_id: UUID) -> HttpResponse:
    """Show a case; htmx asks for one part of it when something has changed."""
    case = interaction.public.case(case_id=case_id, principal=principal, at=datetime.now(UTC))
    part = request.GET.get("part", "")
    template = _PARTS.get(part, "workspace/case.html")
    context = _context(case, principal)
    if template == "workspace/case.html":
        context |= _beside(case, principal)
    return render(request, template, context)


def said_again(
    request: HttpRequest, principal: Principal, case_id: UUID, said: Mapping[str, object]
) -> HttpResponse:
    """Show the case once more with what was refused, beside the form it was written in."""
    case = interaction.public.case(case_id=case_id, principal=principal, at=datetime.now(UTC))
    context = {**_context(case, principal), **_beside(case, principal), **said}
    return render(request, "workspace/case.html", context, status=422)


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
            passkey=_passkey(request),
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
    case = interaction.public.case(case_id=case_id, principal=principal, at=datetime.now(UTC))
    return HttpResponse(case.diagram_xml, content_type="application/xml")


@require_GET
@employees_only
def document(request: HttpRequest, principal: Principal, document_id: UUID) -> HttpResponse:
    """Hand over a document of a case, to be looked at but never run."""
    name, media_type, content = interaction.public.document_content(
        document_id=document_id, principal=principal, at=datetime.now(UTC)
    )
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{_plain(name)}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


_PARTS: Mapping[str, str] = {
    "tasks": "workspace/parts/case_tasks.html",
    "history": "workspace/parts/case_history.html",
    "head": "workspace/parts/case_head.html",
    "documents": "workspace/parts/case_documents.html",
}


def _beside(case: "interaction.public.CaseView", principal: Principal) -> dict[str, object]:
    """Return what only the whole page shows: the customer, the runs, the change it decides on."""
    beside: dict[str, object] = {
        "runs": interaction.public.runs_of_case(case_id=case.id, principal=principal),
        "change": interaction.public.change_of_case(case_id=case.id, principal=principal),
        "file_id": uuid4(),
    }
    if case.customer_id:
        beside["customer"] = interaction.public.customer_screen(
            customer_id=case.customer_id, principal=principal, at=datetime.now(UTC)
        )
    return beside


def _context(case: "interaction.public.CaseView", principal: Principal) -> dict[str, object]:
    tasks = [_with_fields(task, principal) for task in case.tasks]
    people = [line.actor_words for line in case.history]
    people += [who for task in case.tasks for who in (task.claimed_by, task.assigned_to) if who]
    people += [each.principal_id for task in tasks for each in task["colleagues"]]
    return {
        "case": case,
        "names": interaction.public.names_of(principal_ids=people),
        "principal": principal,
        "tasks": tasks,
    }


def _with_fields(
    task: "interaction.public.TaskView",
    principal: Principal,
    filled: Mapping[str, object] | None = None,
    errors: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    fields: tuple[Field, ...] = fields_of(schema=task.form, filled=filled, errors=errors)
    return {
        "task": task,
        "fields": fields,
        "errors": [(field.id, field.error) for field in fields if field.error],
        "is_mine": task.claimed_by == principal.id,
        "answered": answered(schema=task.form, answers=task.answers),
        "comment": (filled or {}).get("comment", ""),
        "takes_passkey": task.claimed_by == principal.id
        and interaction.public.is_passkey_needed(task_id=task.id, principal=principal),
        "colleagues": _colleagues(task, principal),
    }


def _colleagues(
    task: "interaction.public.TaskView", principal: Principal
) -> "tuple[interaction.public.Colleague, ...]":
    """Return to whom this person may hand a task on; nobody where it is not theirs to hand on."""
    is_open = task.state in {"open", "claimed"}
    is_supervisor = "operations" in principal.roles
    is_theirs = task.role in principal.roles and task.claimed_by in {None, principal.id}
    if not is_open or not (is_theirs or is_supervisor):
        return ()
    return interaction.public.could_take(task_id=task.id, principal=principal, at=datetime.now(UTC))


def _refused(
    request: HttpRequest,
    principal: Principal,
    task: "interaction.public.TaskView",
    filled: Mapping[str, object],
    errors: Mapping[str, str],
) -> HttpResponse:
    case = interaction.public.case(case_id=task.case_id, principal=principal, at=datetime.now(UTC))
    context = _context(case, principal)
    context |= _beside(case, principal)
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


def _passkey(request: HttpRequest) -> "interaction.public.PasskeyAnswer | None":
    is_given = bool(request.POST.get("passkey"))
    return interaction.public.passkey_in(request=request) if is_given else None


def _plain(name: str) -> str:
    """Return a file name that cannot break out of its header."""
    return "".join(sign if sign.isalnum() or sign in " .-_" else "_" for sign in name)[:80]
