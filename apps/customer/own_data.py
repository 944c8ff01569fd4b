"""What the bank holds about a customer, shown to that customer alone."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

import interaction.public
from apps.customer.screen import screen
from apps.customer.views import principal


@never_cache
@require_GET
@interaction.public.requires_customer
def show(request: HttpRequest) -> HttpResponse:
    """Show everything held about whoever is signed in, or hand it over as a file."""
    who = principal(request)
    own_id = UUID(who.id.removeprefix("customer:"))
    report = interaction.public.access_report(
        customer_id=own_id, asked_by=who, at=timezone.localtime()
    )
    if report is None:
        raise Http404
    if request.GET.get("as") != "json":
        return screen(request, "customer/own_data.html", {"report": report})
    text = interaction.public.as_json(report=report)
    response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response
