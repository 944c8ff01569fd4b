"""Working on a case together: handing a task on, saying something, putting a file in."""

from datetime import UTC, datetime
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

import interaction.public
from apps.workspace.cases import said_again
from apps.workspace.guard import employees_only
from sentinel.vocabulary import Principal

_REFUSED_FILES = {
    "empty": "The file is empty.",
    "too_big": "The file is larger than 5 MB.",
    "type_not_taken": "Only PDF, PNG, JPEG and plain text are taken.",
    "not_what_it_says": "The file is not what its name says.",
    "customer_forgotten": "This customer was forgotten: nothing more is kept about them.",
    "too_many": "This case has as many files as it can hold.",
}


@require_POST
@employees_only
def delegate(request: HttpRequest, principal: Principal, task_id: UUID) -> HttpResponse:
    """Hand a task on to a colleague; what is refused is said beside what was written."""
    to, comment = request.POST.get("to", ""), request.POST.get("comment", "").strip()
    case_id = _id(request, "case_id")
    try:
        task = interaction.public.delegate(
            task_id=task_id, principal=principal, to=to, comment=comment, at=datetime.now(UTC)
        )
    except interaction.public.DelegationRefused as refused:
        words = refused.words
    except interaction.public.AnswerRefused as refused:
        words = " ".join(refused.errors.values())
    else:
        return redirect(f"/workspace/cases/{task.case_id}/#task-{task.id}")
    handed = {"task_id": task_id, "to": to, "comment": comment, "refusal": words}
    return said_again(request, principal, case_id, {"handed": handed})


@require_POST
@employees_only
def comment(request: HttpRequest, principal: Principal, case_id: UUID) -> HttpResponse:
    """Say something about a case to those who work on it."""
    words = request.POST.get("words", "")
    try:
        interaction.public.comment(
            case_id=case_id, principal=principal, words=words, at=datetime.now(UTC)
        )
    except interaction.public.AnswerRefused as refused:
        why = " ".join(refused.errors.values())
        talked = {"form": "comment", "refusal": why, "words": words}
        return said_again(request, principal, case_id, {"talked": talked})
    return redirect(f"/workspace/cases/{case_id}/#case-history")


@require_POST
@employees_only
def attach(request: HttpRequest, principal: Principal, case_id: UUID) -> HttpResponse:
    """Put a file into a case, once; what cannot be taken is said in words."""
    try:
        file = _file(request)
        interaction.public.attach(
            case_id=case_id, principal=principal, file=file, at=datetime.now(UTC)
        )
    except interaction.public.AttachmentRefused as refused:
        words = _REFUSED_FILES.get(refused.reason, "The file cannot be taken.")
        talked = {"form": "attach", "refusal": words}
        return said_again(request, principal, case_id, {"talked": talked})
    return redirect(f"/workspace/cases/{case_id}/#case-documents")


def _id(request: HttpRequest, field: str) -> UUID:
    try:
        return UUID(request.POST.get(field, ""))
    except ValueError as error:
        raise BadRequest from error


def _file(request: HttpRequest) -> "interaction.public.Attachment":
    sent = request.FILES.get("file")
    if sent is None:
        raise interaction.public.AttachmentRefused("", "empty")
    # One byte more than is taken tells that there is more.
    content = sent.read(interaction.public.ATTACHMENT_BYTES_MAX + 1)
    return interaction.public.Attachment(
        id=_id(request, "file_id"),
        name=sent.name or "file",
        media_type=sent.content_type or "",
        content=content,
    )
