"""What came of a trial, beside all other work: to be widened, or withdrawn."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

import interaction.public
from apps.workspace.flows import flow_named, may_propose
from apps.workspace.guard import FLOW_READERS, for_roles
from sentinel.vocabulary import Principal

WHOLE = 100


@require_GET
@for_roles(*FLOW_READERS)
def show(request: HttpRequest, principal: Principal, process: str) -> HttpResponse:
    """Show the trial of a flow that is under way, or that there is none."""
    flow = flow_named(process, principal)
    outcomes = interaction.public.trial_outcomes(process=process, principal=principal)
    context: dict[str, object] = {"flow": flow, "outcomes": outcomes}
    context["may_propose"] = may_propose(principal)
    if outcomes is not None:
        context["wider"] = min(WHOLE, max(outcomes.trial.share * 2, 1))
        context["lines"] = _lines(outcomes)
    return render(request, "workspace/trial.html", context)


def _lines(
    outcomes: "interaction.public.TrialOutcomes",
) -> list[tuple[str, int, int, str, str]]:
    """Return one line for each thing counted, with its share of the cases that began."""
    names = (
        ("Began", "begun"),
        ("Still running", "running"),
        ("Done", "done"),
        ("Refused, cancelled or expired", "refused"),
        ("Ended otherwise", "failed"),
        ("With an incident", "incidents"),
        ("Brought forward before a deadline", "escalations"),
    )
    inside, outside = outcomes.inside, outcomes.outside
    return [
        (
            words,
            getattr(inside, name),
            getattr(outside, name),
            _share(getattr(inside, name), inside.begun),
            _share(getattr(outside, name), outside.begun),
        )
        for words, name in names
    ]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "-"
