"""What a customer's own program may do in their session: propose a plan, which they confirm."""

from collections.abc import Mapping

from django.utils import timezone
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

import interaction.public
from apps.api.edge import ProgramView, object_of
from interaction.public import PlanRefused, TooManyPlans

_CUSTOMER = "customer"


class PlansPerPerson(BaseThrottle):  # type: ignore[misc]  # the framework has no types
    """So many plans of one person, refused ones included: each asks Sentinel about every step."""

    _seconds: int | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the plan, in whichever process it came."""
        del view
        principal = interaction.public.principal_of(user=request.user, session=request.session)
        try:
            interaction.public.count_plan(principal=principal, at=timezone.now())
        except TooManyPlans as refused:
            self._seconds = refused.seconds
            return False
        return True

    def wait(self) -> int | None:
        """Return for how many seconds to wait."""
        return self._seconds


class ProposePlan(ProgramView):
    """`POST`: check a plan and show it to the signed-in customer; nothing of it is begun."""

    throttle_classes = (PlansPerPerson,)

    def throttled(self, request: Request, wait: float | None) -> None:
        """Refuse with the code of the house, and say when to come again."""
        del request
        refusal = Throttled(wait)
        refusal.detail = {"code": "too_many_plans"}
        raise refusal

    def post(self, request: Request) -> Response:
        """Take `{"tasks": [...]}`; a refusal names each fault with its code and its place."""
        principal = interaction.public.principal_of(user=request.user, session=request.session)
        if principal.kind != _CUSTOMER:
            return Response({"code": "only_for_customers"}, status=403)
        return _proposed(principal, object_of(request))


def _proposed(principal: interaction.public.Principal, plan: Mapping[str, object]) -> Response:
    try:
        card_id = interaction.public.propose_plan(principal=principal, plan=plan, at=timezone.now())
    except PlanRefused as refused:
        faults = [
            {"code": each.code, "place": each.place, "words": each.words} for each in refused.faults
        ]
        return Response({"code": refused.code, "faults": faults}, status=422)
    return Response({"plan": str(card_id)}, status=201)
