"""Who may open the workspace: employees, as the principal their session stands for."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse

import interaction.public
from sentinel.vocabulary import Principal

P = ParamSpec("P")


def employees_only(
    view: Callable[Concatenate[HttpRequest, Principal, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Give the view the employee behind the session; everybody else is refused."""

    @interaction.public.requires_role()
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        principal = interaction.public.principal_of(user=request.user)
        return view(request, principal, *args, **kwargs)

    return guarded
