"""Putting a run right by hand: pass over a stopped step, or change it; a second person agrees."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

import interaction.public
from apps.workspace.guard import for_roles
from apps.workspace.rights import RIGHTS, Right
from apps.workspace.running import page_of
from sentinel.vocabulary import Principal

REASON_LENGTH_MIN, REASON_LENGTH_MAX = 10, 500
VALUES_LENGTH_MAX = 20_000
_NOT_HELD = "One of these values is no number that can be calculated with, or nests too deeply."
_DENIED = "The bank's rules do not let you do this. Nothing has changed."


class _NotUnderstood(ValueError):
    """What was typed is no JSON object."""


@require_POST
@for_roles("operations")
def ask(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """Ask for it; what is refused is said beside the field, and nothing is lost."""
    right = RIGHTS.get(request.POST.get("do", ""))
    if right is None:
        raise Http404
    asked = {
        name: request.POST.get(name, "")[:VALUES_LENGTH_MAX]
        for name in ("reason", "values", "incident", "token", "node")
    }
    errors, values = _checked(asked)
    if asked["node"] and asked["node"] not in _steps(run_id, principal):
        errors["node"] = "Its drawing has no such step."
    if errors:
        return _again(
            request,
            principal,
            run_id,
            right,
            {"asked": asked, "errors": errors, "status": 422},
        )
    try:
        done = _asked(right, run_id, asked, values, principal)
    except (interaction.public.InterventionRefused, ValueError) as refused:
        if getattr(refused, "reason", "") == "value_not_held":
            said = {"asked": asked, "errors": {"values": _NOT_HELD}, "status": 422}
            return _again(request, principal, run_id, right, said)
        words = _REFUSALS.get(getattr(refused, "reason", ""), "It does not stand so any more.")
        return _again(
            request, principal, run_id, right, {"asked": asked, "refusal": words, "status": 409}
        )
    if done.state == "denied":
        return _again(
            request, principal, run_id, right, {"asked": asked, "refusal": _DENIED, "status": 403}
        )
    return redirect("workspace:run", run_id=run_id)


def _steps(run_id: UUID, principal: Principal) -> set[str]:
    run = interaction.public.run_page(instance_id=run_id, principal=principal, at=datetime.now(UTC))
    return {step.id for step in interaction.public.steps_of(digest=run.digest, principal=principal)}


_REFUSALS = {
    "incident_not_open": "Nothing of this run is stopped there any more.",
    "already_ended": "It has ended.",
    "unknown_token": "It does not stand at that step any more.",
}


def _checked(asked: Mapping[str, str]) -> tuple[dict[str, str], Mapping[str, object]]:
    errors: dict[str, str] = {}
    if not REASON_LENGTH_MIN <= len(asked["reason"].strip()) <= REASON_LENGTH_MAX:
        errors["reason"] = "Say why, in 10 to 500 characters. The second person reads it."
    values: Mapping[str, object] = {}
    try:
        values = _object(asked["values"])
    except _NotUnderstood:
        errors["values"] = "This is not a JSON object. Begin with { and end with }."
    if bool(asked["token"]) != bool(asked["node"]):
        errors["node"] = "Choose both, or neither: from where, and to which step."
    return errors, values


def _object(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text.strip() or "{}")
    except (ValueError, RecursionError) as error:
        raise _NotUnderstood from error
    if not isinstance(found, dict):
        raise _NotUnderstood
    return found


def _asked(
    right: Right,
    run_id: UUID,
    asked: Mapping[str, str],
    values: Mapping[str, object],
    principal: Principal,
) -> "interaction.public.Intervention":
    reason, at = asked["reason"].strip(), datetime.now(UTC)
    if right.move == "pass_over":
        return interaction.public.pass_over(
            incident_id=UUID(asked["incident"]),
            principal=principal,
            output=values,
            reason=reason,
            at=at,
        )
    moves = {asked["token"]: asked["node"]} if asked["token"] else {}
    return interaction.public.change_instance(
        instance_id=run_id,
        principal=principal,
        variables=values,
        moves=moves,
        reason=reason,
        at=at,
    )


def _again(
    request: HttpRequest,
    principal: Principal,
    run_id: UUID,
    right: Right,
    said: Mapping[str, Any],
) -> HttpResponse:
    context = {**page_of(run_id, principal), "right": right, **said}
    return render(request, "workspace/run.html", context, status=said["status"])
