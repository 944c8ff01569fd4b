"""Every decision Sentinel took: found by filters, explained one by one."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

import sentinel.public
from apps.console.guard import compliance_only

PERIODS = (("1", "24 hours"), ("7", "7 days"), ("30", "30 days"), ("", "All time"))
VERDICTS = (
    ("permit", "Permitted"),
    ("deny", "Denied"),
    ("needs_approval", "Needed approval"),
    ("needs_step_up", "Needed step-up"),
)
OUTCOMES = (("done", "Done"), ("failed", "Failed"), ("unknown", "Unknown"), ("expired", "Expired"))
PAGE_SIZE = 40


@require_GET
@compliance_only
def index(request: HttpRequest) -> HttpResponse:
    """List decisions, newest first, filtered; htmx asks for the rows alone."""
    asked = request.GET
    days = asked.get("days", "30")
    known = days in {value for value, _words in PERIODS if value}
    since = datetime.now(UTC) - timedelta(days=int(days)) if known else None
    filters = sentinel.public.DecisionFilter(
        verdict=asked.get("verdict") or None,
        action_kind=asked.get("kind") or None,
        actor=asked.get("actor", "").strip() or None,
        policy_id=asked.get("rule", "").strip() or None,
        case_id=_uuid(asked.get("case", "")),
        outcome=asked.get("outcome") or None,
        since=since,
        until=None,
        search=asked.get("q", "").strip()[:60],
    )
    page = sentinel.public.decisions(
        filters=filters, cursor=asked.get("after") or None, limit=PAGE_SIZE
    )
    more = request.GET.copy()
    more["after"] = page.next_cursor or ""
    context = {
        "page": page,
        "filters": filters,
        "days": days,
        "periods": PERIODS,
        "verdicts": VERDICTS,
        "outcomes": OUTCOMES,
        "kinds": sorted(entry.kind for entry in sentinel.public.action_kinds()),
        "more": more.urlencode() if page.next_cursor else "",
        "query": request.GET.urlencode(),
    }
    return render(request, _template(request), context)


@require_GET
@compliance_only
def show(request: HttpRequest, decision_id: UUID) -> HttpResponse:
    """Explain one decision: who, on whose behalf, which rule, which facts, what came of it."""
    try:
        explanation = sentinel.public.explain(decision_id=decision_id)
    except sentinel.public.DecisionUnknown as error:
        raise Http404 from error
    return render(request, "console/decision.html", {"explanation": explanation})


def _template(request: HttpRequest) -> str:
    if request.headers.get("HX-Request") != "true":
        return "console/decisions.html"
    if request.GET.get("after"):
        return "console/parts/decision_rows.html"
    return "console/parts/decision_table.html"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
