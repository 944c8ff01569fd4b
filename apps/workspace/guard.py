"""Who may open the workspace: employees, as the principal their session stands for."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse

import interaction.public
from sentinel.vocabulary import Principal

P = ParamSpec("P")
FLOW_PROPOSERS = ("operations", "process_owner")
FLOW_READERS = (*FLOW_PROPOSERS, "compliance_officer")


def for_roles(
    *roles: str,
) -> Callable[
    [Callable[Concatenate[HttpRequest, Principal, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponse],
]:
    """Give views the employee behind the session if they hold one of these roles; none: any."""

    def guard(
        view: Callable[Concatenate[HttpRequest, Principal, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @interaction.public.requires_role(*roles)
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            principal = interaction.public.principal_of(user=request.user)
            return view(request, principal, *args, **kwargs)

        return guarded

    return guard


def employees_only(
    view: Callable[Concatenate[HttpRequest, Principal, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Give the view the employee behind the session; everybody else is refused."""
    return for_roles()(view)
