"""What a passkey has to sign for an approval."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

import interaction.public
from apps.workspace.guard import employees_only
from sentinel.vocabulary import Principal

_NONE = "You have no passkey for this address. Open the bank where you added it."


@require_POST
@employees_only
def options(request: HttpRequest, principal: Principal, task_id: UUID) -> HttpResponse:
    """Tell the browser what a passkey has to sign to approve this."""
    try:
        wanted = interaction.public.approval_passkey_request(
            task_id=task_id,
            principal=principal,
            origin=interaction.public.origin_of(request=request),
        )
    except (interaction.public.PasskeyUnknown, interaction.public.PasskeyRefused):
        return JsonResponse({"words": _NONE}, status=409)
    return JsonResponse(wanted)
