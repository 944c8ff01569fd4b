"""The flows of the bank: their versions, who gets which, what was asked for, and the files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

import interaction.public
from apps.workspace.guard import FLOW_PROPOSERS, FLOW_READERS, for_roles
from sentinel.vocabulary import Principal

DRAWING = "drawing.bpmn"


@dataclass(frozen=True, slots=True)
class FlowLine:
    """A flow in the list: the version that is the rule, the trial beside it, and what waits."""

    process: str
    rule: "interaction.public.VersionView"
    trial: "interaction.public.VersionView | None"
    running: int
    waiting: int


@require_GET
@for_roles(*FLOW_READERS)
def index(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List every flow with the version that is the rule, and new flows that wait for approval."""
    asked = interaction.public.changes_asked(principal=principal)
    waiting = [change for change in asked if change.standing == "asked"]
    known = interaction.public.flows(principal=principal)
    names = {flow.process for flow in known}
    lines = [
        FlowLine(
            process=flow.process,
            rule=next(each for each in flow.versions if each.is_rule),
            trial=next((each for each in flow.versions if each.trial), None),
            running=sum(each.running for each in flow.versions),
            waiting=sum(change.process == flow.process for change in waiting),
        )
        for flow in known
    ]
    is_part = request.headers.get("HX-Request") == "true"
    template = "workspace/parts/flow_rows.html" if is_part else "workspace/flows.html"
    new = [change for change in waiting if change.process not in names]
    return render(request, template, {"lines": lines, "new": new})


@require_GET
@for_roles(*FLOW_READERS)
def show(request: HttpRequest, principal: Principal, process: str) -> HttpResponse:
    """Show one flow; htmx asks for what moves."""
    flow = flow_named(process, principal)
    changes = interaction.public.changes_asked(process=process, principal=principal)
    context = {
        "flow": flow,
        "rule": rule_of(flow),
        "trial": next((each for each in flow.versions if each.trial), None),
        "changes": changes,
        "asked": next((each for each in changes if str(each.id) == request.GET.get("asked")), None),
        "names": names_in(changes),
        "rules": files_of(rule_of(flow), principal).rules,
        "may_propose": may_propose(principal),
    }
    is_part = request.headers.get("HX-Request") == "true"
    template = "workspace/parts/flow_now.html" if is_part else "workspace/flow.html"
    return render(request, template, context)


@require_GET
@for_roles(*FLOW_READERS)
def version_file(
    request: HttpRequest, principal: Principal, digest: str, name: str
) -> HttpResponse:
    """Hand over one file of a published version, to be looked at or changed."""
    del request
    files = interaction.public.version_files(digest=digest, principal=principal)
    content = files.bpmn if name == DRAWING else files.rules.get(name)
    if content is None:
        raise Http404
    shown = f"{files.process}-{files.version}.bpmn" if name == DRAWING else name
    response = HttpResponse(content, content_type="application/xml")
    response["Content-Disposition"] = f'attachment; filename="{shown}"'
    return response


def flow_named(process: str, principal: Principal) -> "interaction.public.FlowView":
    """Return the flow of this name; without one the page is not there."""
    known = interaction.public.flows(principal=principal)
    found = next((each for each in known if each.process == process), None)
    if found is None:
        raise Http404
    return found


def rule_of(flow: "interaction.public.FlowView") -> "interaction.public.VersionView":
    """Return the version that is the rule for new work of a flow."""
    return next(each for each in flow.versions if each.is_rule)


def files_of(
    version: "interaction.public.VersionView", principal: Principal
) -> "interaction.public.VersionFiles":
    """Return the files a version is made of."""
    return interaction.public.version_files(digest=version.digest, principal=principal)


def version_of(
    flow: "interaction.public.FlowView", digest: str
) -> "interaction.public.VersionView":
    """Return a version of a flow by its digest; without one the page is not there."""
    found = next((each for each in flow.versions if each.digest == digest), None)
    if found is None:
        raise Http404
    return found


def may_propose(principal: Principal) -> bool:
    """Tell whether somebody may ask for changes; the layer below refuses the others anyway."""
    return bool(set(FLOW_PROPOSERS) & set(principal.roles))


def change_id_of(request: HttpRequest) -> UUID:
    """Return the id a form carries, so that sending it twice asks once."""
    try:
        return UUID(request.POST.get("change_id", ""))
    except ValueError as error:
        raise Http404 from error


def names_in(changes: Iterable["interaction.public.AskedChange"]) -> Mapping[str, str]:
    """Return the names of those who asked for changes, and of those who decided."""
    people = (who for each in changes for who in (each.asked_by, each.decided_by))
    return interaction.public.names_of(principal_ids=people)
