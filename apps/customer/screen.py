"""What every page of the customer app shows beside its content: the conversation and commands."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

import interaction.public

FIRST_SUGGESTIONS = ("What is my balance?", "What did I spend this month?", "Block my card")


def screen(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a page of the customer app with the conversation docked to it."""
    return render(request, template, dock(request) | context, status=status)


def dock(request: HttpRequest) -> dict[str, Any]:
    """Return what the docked conversation shows."""
    principal = interaction.public.principal_of(user=request.user, session=request.session)
    thread = interaction.public.current_thread(principal=principal, at=timezone.now())
    return {
        "thread": thread,
        "first_name": str(getattr(request.user, "display_name", "")).partition(" ")[0],
        "first_suggestions": FIRST_SUGGESTIONS,
        "today": timezone.localdate(),
        "sent_id": interaction.public.new_sent_id(),
        "suggestion_id": interaction.public.new_sent_id(),
        "person_id": interaction.public.new_sent_id(),
    }
