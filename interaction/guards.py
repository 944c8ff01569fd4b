"""Who may open a page: asked before the view runs."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

import nexus.public
import orchestration.public
import sentinel.public
from interaction.models import CUSTOMER, EMPLOYEE, User
from interaction.work import EmployeesOnly

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
_NOT_HERE = (
    nexus.public.CustomerUnknown,
    orchestration.public.BatchUnknown,
    orchestration.public.CaseUnknown,
    orchestration.public.DocumentUnknown,
    orchestration.public.FlowUnknown,
    orchestration.public.NotForYourRole,
    orchestration.public.NoticeUnknown,
    orchestration.public.InstanceUnknown,
    orchestration.public.ProposalUnknown,
    orchestration.public.TaskGone,
    sentinel.public.CursorRefused,
)
_NOT_YOURS = (
    EmployeesOnly,
    orchestration.public.CaseForEmployees,
    orchestration.public.NotYourTask,
    orchestration.public.OperationsOnly,
    orchestration.public.TaskTaken,
    sentinel.public.ApprovalRefused,
)


def requires_customer(view: View[P]) -> View[P]:
    """Open a view to signed-in customers only; others sign in first or are refused."""
    return _guarded(view, lambda user: user.principal_kind == CUSTOMER)


def requires_person(view: View[P]) -> View[P]:
    """Open a view to whoever is signed in; others sign in first."""
    return _guarded(view, lambda _user: True)


def requires_role(*roles: str) -> Callable[[View[P]], View[P]]:
    """Open a view to signed-in employees who hold any of these roles; no role named: to all."""

    def allows(user: User) -> bool:
        holds = not roles or bool(set(roles) & set(user.roles))
        return user.principal_kind == EMPLOYEE and holds

    def guard(view: View[P]) -> View[P]:
        return _guarded(view, allows)

    return guard


def _guarded(view: View[P], allows: Callable[[User], bool]) -> View[P]:
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not isinstance(request.user, User):
            return _to_sign_in(request)
        if not allows(request.user):
            raise PermissionDenied
        # What the layers below refuse becomes the page that says so, not one that says we broke.
        try:
            return view(request, *args, **kwargs)
        except _NOT_HERE as error:
            raise Http404 from error
        except _NOT_YOURS as error:
            raise PermissionDenied from error

    return guarded


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a page to the door; a part of a page tells the page to go there."""
    is_part = "HX-Request" in request.headers
    back = request.headers.get("HX-Current-URL", "") if is_part else request.get_full_path()
    address = f"/sign-in/?{urlencode({'next': back})}"
    if is_part:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)
