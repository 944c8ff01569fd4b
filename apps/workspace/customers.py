"""The customer as an employee sees them: who, what they hold, what moved, how it hangs together."""

from datetime import UTC, date, datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

import interaction.public
from apps.workspace.guard import employees_only
from apps.workspace.searching import found, search_of
from sentinel.vocabulary import Principal


@require_http_methods(["GET", "POST"])
@employees_only
def index(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Find customers by name, town or account number; that a list was read is written down."""
    search = search_of(request=request, filters=("case",))
    case_id = _case(search.filters.get("case", ""))
    customers = interaction.public.list_customers(
        text=search.text, principal=principal, at=datetime.now(UTC), case_id=case_id
    )
    return found(
        request=request,
        search=search,
        page="workspace/customers.html",
        part="workspace/parts/customer_rows.html",
        context={"found": customers, "case_id": case_id},
    )


@require_GET
@employees_only
def show(request: HttpRequest, principal: Principal, customer_id: UUID) -> HttpResponse:
    """Show one customer now, or as of a day when one is given."""
    at, as_of = datetime.now(UTC), _day(request.GET.get("as_of", ""))
    customer = interaction.public.customer_screen(
        customer_id=customer_id, principal=principal, at=at, as_of=as_of
    )
    context = {
        "customer": customer,
        "as_of": as_of,
        "today": at.date(),
        "page": interaction.public.customer_bookings(
            customer_id=customer_id, principal=principal, at=at, limit=12
        ),
        "cases": interaction.public.cases(principal=principal, customer_id=customer_id),
    }
    return render(request, "workspace/customer.html", context)


def _case(text: str) -> UUID | None:
    """Return the case a list is read for; what names none is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _day(text: str) -> datetime | None:
    """Return the end of a day given as YYYY-MM-DD; anything else is now."""
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(asked.year, asked.month, asked.day, 23, 59, 59, tzinfo=UTC)
