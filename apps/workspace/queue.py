"""The queue: what waits for this role, what is most urgent, and who has it."""

from datetime import UTC, datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import interaction.public
from apps.workspace.guard import employees_only
from apps.workspace.searching import found, search_of
from sentinel.vocabulary import Principal

KINDS = (
    ("", "All kinds"),
    ("call_back", "Call back"),
    ("approval", "Approval"),
    ("screening_review", "Screening"),
    ("fraud_review", "Fraud"),
    ("handoff", "Handoff"),
    ("incident", "Incident"),
)
VIEWS = (("open", "Open"), ("mine", "Mine"), ("done", "Done"))


@require_http_methods(["GET", "POST"])
@employees_only
def show(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Show the queue; htmx asks for the list alone."""
    search = search_of(request=request, filters=("view", "kind"))
    chosen = search.filters.get("view", "open")
    filters = interaction.public.TaskFilters(
        state="done" if chosen == "done" else None if chosen == "mine" else "open",
        kind=search.filters.get("kind"),
        mine=chosen == "mine",
        search=search.text,
    )
    tasks = interaction.public.tasks(principal=principal, filters=filters)
    context = {
        "tasks": tasks,
        "filters": filters,
        "chosen": chosen,
        "views": VIEWS,
        "kinds": KINDS,
        "principal": principal,
        "notices": interaction.public.notices(principal=principal),
        "names": interaction.public.names_of(
            principal_ids=[who for task in tasks for who in (task.claimed_by, task.assigned_to)]
        ),
        "late": sum(1 for task in tasks if _is_late(task)),
    }
    return found(
        request=request,
        search=search,
        page="workspace/queue.html",
        part="workspace/parts/task_list.html",
        context=context,
    )


@require_GET
@employees_only
def open_task(request: HttpRequest, principal: Principal, task_id: UUID) -> HttpResponse:
    """Open the case a task belongs to, at the task."""
    task = interaction.public.task(task_id=task_id, principal=principal)
    return redirect(f"/workspace/cases/{task.case_id}/#task-{task.id}")


@require_POST
@employees_only
def see_notice(request: HttpRequest, principal: Principal, notice_id: UUID) -> HttpResponse:
    """Show a notice no more to this employee, and go to what it is about if they ask to."""
    interaction.public.see_notice(notice_id=notice_id, principal=principal, at=datetime.now(UTC))
    return redirect("workspace:queue")


@require_POST
@employees_only
def claim(request: HttpRequest, principal: Principal, task_id: UUID) -> HttpResponse:
    """Take a task, so that nobody else works on it, and go to its case."""
    task = interaction.public.claim(task_id=task_id, principal=principal, at=datetime.now(UTC))
    return redirect(f"/workspace/cases/{task.case_id}/#task-{task.id}")


@require_POST
@employees_only
def give_back(request: HttpRequest, principal: Principal, task_id: UUID) -> HttpResponse:
    """Put a task back into the queue, undone."""
    interaction.public.unclaim(task_id=task_id, principal=principal, at=datetime.now(UTC))
    return redirect("workspace:queue")


def _is_late(task: "interaction.public.TaskView") -> bool:
    return task.due_at is not None and task.state != "done" and task.due_at < datetime.now(UTC)
