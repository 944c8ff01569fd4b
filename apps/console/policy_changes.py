"""Changes of the rules: what is proposed, what the gate found, and a second person's answer."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import interaction.public
import sentinel.public
from apps.console.guard import compliance_only
from apps.console.policy_reports import difference_lines, shown_report, shown_simulation

DAYS = (1, 7, 30, 90)
COMMENT_LENGTH_MAX = 500
REFUSALS: Mapping[str, str] = {
    "same_person": "You proposed this, so somebody else has to answer it.",
    "proposal_ended": "It was published or rejected already.",
    "report_differs": "What you agreed to is not the report of this proposal. Read it once more.",
    "report_stale": "The rules changed after this report was written, so it no longer says what"
    " publishing would change. Propose it again: the new report tells what is so.",
    "shadow_too_short": "The rules ask for more time or more decisions in shadow first.",
    "bundle_refused": "It does not pass the gate any more.",
    "bundle_tests_failed": "A case is answered otherwise now.",
    "bundle_untested": "No case shows what one of its permits allows.",
    "bundle_breaks_invariant": "Something could be permitted that must never be.",
    "never_in_force": "One goes back only to what has been in force before.",
}
STEPS = ("publish", "reject", "shadow")


@require_GET
@compliance_only
def index(request: HttpRequest) -> HttpResponse:
    """Show what is proposed, and every publication: since when it counts, who made and agreed."""
    context = {
        "proposals": [_row(each) for each in sentinel.public.bundle_proposals()],
        "publications": sentinel.public.publications(),
        "names": _names(),
    }
    return render(request, "console/policy_changes.html", context)


@require_GET
@compliance_only
def show(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show a proposal with the gate's report; `days` tries it on the decisions of some days."""
    found = _proposal(proposal_id)
    context = _shown(found)
    days = request.GET.get("days", "")
    if days in {str(each) for each in DAYS}:
        until = datetime.now(UTC)
        tried = sentinel.public.simulate_proposal(
            proposal_id=proposal_id, since=until - timedelta(days=int(days)), until=until
        )
        context |= {"tried": shown_simulation(tried.plain()), "days": int(days)}
    return render(request, "console/policy_change.html", context)


@require_http_methods(["GET", "POST"])
@compliance_only
def answer(request: HttpRequest, proposal_id: UUID, step: str) -> HttpResponse:
    """Ask once more, with the digest that is agreed to, before a proposal is answered."""
    if step not in STEPS:
        raise Http404
    found = _proposal(proposal_id)
    context = {**_shown(found), "step": step}
    if request.method == "GET":
        return render(request, "console/policy_answer.html", context)
    try:
        _carry_out(request, found, step)
    except sentinel.public.SentinelError as error:
        context |= {"refused": _refused(error), "comment": request.POST.get("comment", "")}
        return render(request, "console/policy_answer.html", context, status=422)
    said = urlencode({"done": step})
    return redirect(f"{reverse('console:policy_change', args=[proposal_id])}?{said}")


@require_POST
@compliance_only
def go_back(request: HttpRequest) -> HttpResponse:
    """Propose to go back to a bundle that has been in force; a second person publishes it."""
    try:
        made = sentinel.public.propose_rollback(
            digest=request.POST.get("digest", ""),
            maker=_principal(request),
            reason=request.POST.get("reason", "").strip()[:COMMENT_LENGTH_MAX],
        )
    except sentinel.public.SentinelError as error:
        context = {
            "proposals": [_row(each) for each in sentinel.public.bundle_proposals()],
            "publications": sentinel.public.publications(),
            "names": _names(),
            "refused": _refused(error),
        }
        return render(request, "console/policy_changes.html", context, status=422)
    return redirect("console:policy_change", proposal_id=made)


def _carry_out(request: HttpRequest, found: "sentinel.public.BundleProposal", step: str) -> None:
    by = _principal(request)
    comment = request.POST.get("comment", "").strip()[:COMMENT_LENGTH_MAX]
    steps: Mapping[str, Callable[[], None]] = {
        "publish": lambda: sentinel.public.publish_proposal(
            proposal_id=found.id,
            report_digest=request.POST.get("report", ""),
            checker=by,
            effective_from=datetime.now(UTC),
        ),
        "reject": lambda: sentinel.public.reject_proposal(
            proposal_id=found.id, checker=by, comment=comment
        ),
        "shadow": lambda: sentinel.public.start_shadow(proposal_id=found.id, by=by),
    }
    steps[step]()


def _principal(request: HttpRequest) -> "sentinel.vocabulary.Principal":
    return interaction.public.principal_of(user=request.user, session=request.session)


def _proposal(proposal_id: UUID) -> "sentinel.public.BundleProposal":
    try:
        return sentinel.public.bundle_proposal(proposal_id=proposal_id)
    except sentinel.public.ProposalUnknown as error:
        raise Http404 from error


def _shown(found: "sentinel.public.BundleProposal") -> dict[str, Any]:
    report = json.loads(found.report)
    shadow = json.loads(found.shadow.result) if found.shadow and found.shadow.result else None
    return {
        "proposal": found,
        "names": _names(),
        "report": shown_report(report),
        "difference": list(difference_lines(report["difference"])),
        "shadow": shown_simulation(shadow) if shadow else None,
        "periods": DAYS,
    }


def _row(found: "sentinel.public.BundleProposal") -> dict[str, Any]:
    report = json.loads(found.report)
    return {
        "proposal": found,
        "widening": report["widening"]["verdict"],
        "flipped": sum((report["simulation"] or {}).get("flips", {}).values()),
    }


def _names() -> dict[str, str]:
    return {each.principal_id: each.display_name for each in interaction.public.staff_members()}


def _refused(error: "sentinel.public.SentinelError") -> dict[str, str]:
    words = REFUSALS.get(error.code, "It was refused.")
    problems = "; ".join(getattr(error, "problems", ())[:3])
    return {"code": error.code, "words": f"{words} {problems}".strip()}
