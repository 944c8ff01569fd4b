"""Who may open the console: compliance officers, read-only."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

import interaction.public

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def compliance_only(view: View[P]) -> View[P]:
    """Refuse everybody who is not a compliance officer of the legal entity in force."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        principal = interaction.public.principal_of(user=request.user)
        if "compliance_officer" not in principal.roles:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(guarded)
