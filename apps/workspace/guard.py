"""Who may open the workspace: employees, as the principal their session stands for."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

import interaction.public

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, interaction.public.Principal, P], HttpResponseBase]


def employees_only(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Give the view the employee behind the session; anybody else is refused."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        principal = interaction.public.principal_of(user=request.user)
        if principal.kind != "employee":
            raise PermissionDenied
        return view(request, principal, *args, **kwargs)

    return login_required(guarded)
