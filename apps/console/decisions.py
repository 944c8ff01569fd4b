"""Every decision Sentinel took: found by filters, explained one by one."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
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
VERDICT_WORDS = {
    "permit": "Permitted",
    "deny": "Denied",
    "needs_approval": "Approval needed",
    "needs_step_up": "Second factor needed",
}
UNREADABLE = {
    "erased": "Erased: what it was decided on was forgotten at its subject's request.",
    "altered": "What was kept with it was altered, so it cannot be judged again.",
    "before inputs were kept": "It is from before the bank kept what it decided on.",
    "not judged by rules": "It was refused before any rule was asked.",
    "without its rules": "The rules it was taken under are not kept here.",
    "another catalogue": "Its action has another form in this release.",
}


@require_GET
@compliance_only
def index(request: HttpRequest) -> HttpResponse:
    """List decisions, newest first, filtered, with their plot; htmx asks for one part alone."""
    at = datetime.now(UTC)
    filters = _filters(request, at)
    part = request.GET.get("part", "")
    context = _asked(request, filters)
    if part != "plot":
        context |= _page(request, filters)
    if part != "rows":
        context |= _plot(request, filters, at)
    return render(request, _template(request), context)


def _filters(request: HttpRequest, at: datetime) -> sentinel.public.DecisionFilter:
    asked = request.GET
    days = asked.get("days", "30")
    is_period = days in {value for value, _words in PERIODS if value}
    return sentinel.public.DecisionFilter(
        verdict=asked.get("verdict") or None,
        action_kind=asked.get("kind") or None,
        actor=asked.get("actor", "").strip() or None,
        policy_id=asked.get("rule", "").strip() or None,
        case_id=_uuid(asked.get("case", "")),
        outcome=asked.get("outcome") or None,
        since=_moment(asked.get("from")) or (at - timedelta(days=int(days)) if is_period else None),
        until=_moment(asked.get("until")),
        search=asked.get("q", "").strip()[:60],
        emergency_id=_uuid(asked.get("emergency", "")),
    )


def _asked(request: HttpRequest, filters: sentinel.public.DecisionFilter) -> dict[str, Any]:
    return {
        "filters": filters,
        "days": request.GET.get("days", "30"),
        "stretch": (request.GET.get("from", ""), request.GET.get("until", "")),
        "periods": PERIODS,
        "verdicts": VERDICTS,
        "outcomes": OUTCOMES,
        "kinds": sorted(entry.kind for entry in sentinel.public.action_kinds()),
        "query": _query(request),
        "whole_period": _query(request, "from", "until"),
    }


def _page(request: HttpRequest, filters: sentinel.public.DecisionFilter) -> dict[str, Any]:
    page = sentinel.public.decisions(
        filters=filters, cursor=request.GET.get("after") or None, limit=PAGE_SIZE
    )
    more = request.GET.copy()
    more["after"] = page.next_cursor or ""
    more["part"] = "older"
    return {"page": page, "more": more.urlencode() if page.next_cursor else ""}


def _plot(
    request: HttpRequest, filters: sentinel.public.DecisionFilter, at: datetime
) -> dict[str, Any]:
    """Return the bars of the plot, each with the filters that show what it counts."""
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    bars = sentinel.public.decision_timeline(filters=filters, origin=midnight, until=at)
    rest = _query(request, "from", "until")
    return {
        "bars": [
            {
                "bar": bar,
                "counts": [bar.verdicts.get(verdict, 0) for verdict, _words in VERDICTS],
                "query": f"{rest}&" * bool(rest)
                + urlencode({"from": bar.since.isoformat(), "until": bar.until.isoformat()}),
            }
            for bar in bars
        ],
        "total": sum(bar.count for bar in bars),
        "totals": [
            (verdict, words, sum(bar.verdicts.get(verdict, 0) for bar in bars))
            for verdict, words in VERDICTS
        ],
    }


def _query(request: HttpRequest, *without: str) -> str:
    kept = request.GET.copy()
    for name in ("part", "after", *without):
        kept.pop(name, None)
    return kept.urlencode()


@require_GET
@compliance_only
def show(request: HttpRequest, decision_id: UUID) -> HttpResponse:
    """Explain one decision: who, on whose behalf, which rule, which facts, what came of it."""
    try:
        explanation = sentinel.public.explain(decision_id=decision_id)
    except sentinel.public.DecisionUnknown as error:
        raise Http404 from error
    return render(request, "console/decision.html", {"explanation": explanation})


@require_GET
@compliance_only
def otherwise(request: HttpRequest, decision_id: UUID) -> HttpResponse:
    """Judge a decision again: then, under the rules of today, and with the least that flips it."""
    try:
        explanation = sentinel.public.explain(decision_id=decision_id)
    except sentinel.public.DecisionUnknown as error:
        raise Http404 from error
    context: dict[str, Any] = {"explanation": explanation, "verdicts": VERDICT_WORDS}
    try:
        context["found"] = sentinel.public.otherwise(decision_id=decision_id)
    except sentinel.public.InputsUnreadable as error:
        context["unreadable"] = UNREADABLE.get(error.why, error.why)
    except sentinel.public.BundleRefused:
        context["unreadable"] = "Its rules do not fit the actions of this release any more."
    return render(request, "console/otherwise.html", context)


def _template(request: HttpRequest) -> str:
    if request.headers.get("HX-Request") != "true":
        return "console/decisions.html"
    return _PARTS.get(request.GET.get("part", ""), "console/parts/decisions_found.html")


_PARTS: Mapping[str, str] = {
    "older": "console/parts/decision_rows.html",
    "rows": "console/parts/decision_table.html",
    "plot": "console/parts/plot.html",
}


def _moment(text: str | None) -> datetime | None:
    """Return a time with its zone; anything else is no time."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
