"""Two versions side by side, and what would become of running cases in another version."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

import interaction.public
from apps.workspace.flows import change_id_of, flow_named, may_propose, rule_of, version_of
from apps.workspace.guard import FLOW_READERS, for_roles
from sentinel.vocabulary import Principal

SHOWN_MAX = 200
_MAPS = "map_"
# The verdicts of a dry run by their names for templates, worst first.
VERDICTS = (("blocked", "blocked"), ("needs mapping", "needs_mapping"), ("safe", "safe"))


@require_GET
@for_roles(*FLOW_READERS)
def compare(request: HttpRequest, principal: Principal, process: str) -> HttpResponse:
    """Show what differs between two versions, or between a version and a proposed one."""
    proposal = _proposal(request, process)
    context: dict[str, Any] = {"proposal": proposal, "flow": {"process": process}, "old": None}
    if proposal is None or proposal.base:
        flow = flow_named(process, principal)
        old = version_of(flow, request.GET.get("old", ""))
        context |= {"flow": flow, "old": old}
    if proposal is not None:
        context["both"] = interaction.public.compare_proposal(
            proposal_id=proposal.id, principal=principal
        )
        verdicts = interaction.public.proposal_verdicts(
            proposal_id=proposal.id, principal=principal
        )
        context["names"] = interaction.public.names_of(principal_ids=[proposal.proposed_by])
        context["warnings"] = proposal.doubts
        context |= _tried_out(proposal)
    else:
        new = version_of(flow, _new(request))
        context["both"] = interaction.public.compare_versions(
            old_digest=old.digest, new_digest=new.digest, principal=principal
        )
        verdicts = _verdicts(old.digest, new.digest, {}, principal)
        context["new"] = new
    changes = interaction.public.changes_asked(process=process, principal=principal)
    context["change"] = next((each for each in changes if str(each.id) == _new(request)), None)
    context |= _counted(verdicts)
    return render(request, "workspace/compare.html", context)


@require_GET
@for_roles(*FLOW_READERS)
def compared_drawing(
    request: HttpRequest, principal: Principal, process: str, side: str
) -> HttpResponse:
    """Return one of the two drawings of a comparison."""
    proposal = _proposal(request, process)
    if proposal is not None:
        both = interaction.public.compare_proposal(proposal_id=proposal.id, principal=principal)
    else:
        flow = flow_named(process, principal)
        old = version_of(flow, request.GET.get("old", ""))
        new = version_of(flow, _new(request))
        both = interaction.public.compare_versions(
            old_digest=old.digest, new_digest=new.digest, principal=principal
        )
    drawing = both.old_xml if side == "old" else both.new_xml
    return HttpResponse(drawing, content_type="application/xml")


@require_http_methods(["GET", "POST"])
@for_roles(*FLOW_READERS)
def move(request: HttpRequest, principal: Principal, process: str) -> HttpResponse:
    """Show what would become of each running case in another version, and ask for it to be done."""
    flow = flow_named(process, principal)
    asked = request.POST if request.method == "POST" else request.GET
    old = version_of(flow, asked.get("old", ""))
    new = version_of(flow, asked.get("new") or rule_of(flow).digest)
    mapping = {
        name.removeprefix(_MAPS): str(value)
        for name, value in asked.items()
        if name.startswith(_MAPS) and value
    }
    context: dict[str, Any] = {"flow": flow, "old": old, "new": new}
    context |= {"change_id": request.POST.get("change_id") or uuid4(), "is_ready": False}
    context |= {"why": request.POST.get("why", ""), "may_propose": may_propose(principal)}
    if old.digest != new.digest:
        verdicts = _verdicts(old.digest, new.digest, mapping, principal)
        context |= _counted(verdicts) | _mapping_form(
            old.digest, new.digest, verdicts, mapping, principal
        )
    if request.method != "POST":
        return render(request, "workspace/move.html", context)
    change_id = change_id_of(request)
    try:
        interaction.public.ask_move(
            change_id=change_id,
            old_digest=old.digest,
            new_digest=new.digest,
            mapping=mapping,
            why=context["why"],
            principal=principal,
            at=datetime.now(UTC),
        )
    except interaction.public.ChangeNotProposed as refused:
        context["refusal"] = refused.words
        return render(request, "workspace/move.html", context, status=422)
    return redirect(f"{reverse('workspace:flow', args=[process])}?asked={change_id}")


def _tried_out(proposal: "interaction.public.Proposal") -> dict[str, object]:
    """Return what came of the scenarios of a proposal, and which of them failed."""
    tried = proposal.report.get("scenarios", {})
    failed = [each for each in tried.get("results", ()) if not each["has_passed"]]
    return {"tried": tried, "tried_failed": failed}


def _proposal(request: HttpRequest, process: str) -> "interaction.public.Proposal | None":
    proposed = interaction.public.proposals_of(process=process)
    return next((each for each in proposed if str(each.id) == _new(request)), None)


def _new(request: HttpRequest) -> str:
    return request.GET.get("new", "")


def _verdicts(
    old: str, new: str, mapping: Mapping[str, str], principal: Principal
) -> "tuple[interaction.public.InstanceVerdict, ...]":
    if old == new:
        return ()
    return interaction.public.verdicts_of(
        old_digest=old, new_digest=new, mapping=mapping, principal=principal
    )


def _counted(verdicts: "tuple[interaction.public.InstanceVerdict, ...]") -> dict[str, object]:
    counts = Counter(each.verdict.value for each in verdicts)
    return {
        "verdicts": verdicts[:SHOWN_MAX],
        "verdicts_total": len(verdicts),
        "counts": {short: counts[name] for name, short in VERDICTS},
        "is_ready": counts["safe"] > 0,
    }


def _mapping_form(
    old: str,
    new: str,
    verdicts: "tuple[interaction.public.InstanceVerdict, ...]",
    mapping: Mapping[str, str],
    principal: Principal,
) -> dict[str, object]:
    """Return where cases stand that cannot go on as they are, each with its place to be chosen."""
    names = {
        step.id: step.name for step in interaction.public.steps_of(digest=old, principal=principal)
    }
    stuck = {node for each in verdicts if each.verdict.value != "safe" for node in each.nodes}
    places = sorted(node for node in stuck | mapping.keys() if node in names)
    return {
        "places": [(node, names[node], mapping.get(node, "")) for node in places],
        "steps": interaction.public.steps_of(digest=new, principal=principal),
        "mapping": mapping,
    }
