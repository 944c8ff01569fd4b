"""Asking for a change of a flow: another version, another share of new work. Both need a second."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

import interaction.public
from apps.workspace.flows import change_id_of, files_of, flow_named, rule_of, version_of
from apps.workspace.guard import FLOW_PROPOSERS, for_roles
from sentinel.vocabulary import Principal

FILE_BYTES_MAX = 5 * 1024 * 1024
RULES_MAX = 20


class FileRefused(ValueError):
    """A file that was sent is no text, or too large; `words` say which."""

    code = "file_refused"
    is_retryable = False

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@require_http_methods(["GET", "POST"])
@for_roles(*FLOW_PROPOSERS)
def propose(request: HttpRequest, principal: Principal, process: str) -> HttpResponse:
    """Propose another version of a flow; a refusal names the element and the line."""
    flow = flow_named(process, principal)
    context: dict[str, Any] = {"flow": flow, "rule": rule_of(flow), **_choices(request)}
    context["rules"] = files_of(rule_of(flow), principal).rules
    if request.method != "POST":
        return render(request, "workspace/propose.html", context)
    change_id = change_id_of(request)
    try:
        interaction.public.propose_version(
            proposal_id=change_id,
            process=process,
            change=_change(request),
            why=request.POST.get("why", ""),
            trial=_trial(request),
            principal=principal,
            at=datetime.now(UTC),
        )
    except (interaction.public.DrawingRefused, interaction.public.ModelRefused) as refused:
        context |= {"findings": refused.findings}
    except interaction.public.ScenarioRefused as refused:
        context |= {"scenario_faults": refused.faults}
    except (interaction.public.ChangeNotProposed, FileRefused) as refused:
        context |= {"refusal": refused.words}
    else:
        return redirect(f"{reverse('workspace:flow', args=[process])}?asked={change_id}")
    return render(request, "workspace/propose.html", context, status=422)


@require_http_methods(["GET", "POST"])
@for_roles(*FLOW_PROPOSERS)
def share(request: HttpRequest, principal: Principal, process: str) -> HttpResponse:
    """Ask for another share of new work for a version: all of it makes it the rule."""
    flow = flow_named(process, principal)
    asked = request.POST if request.method == "POST" else request.GET
    version = version_of(flow, asked.get("version", ""))
    context: dict[str, Any] = {"flow": flow, "rule": rule_of(flow), **_choices(request)}
    context |= {"version": version, "is_back": version.version < rule_of(flow).version}
    if request.method != "POST":
        return render(request, "workspace/share.html", context)
    change_id = change_id_of(request)
    try:
        interaction.public.ask_roll_out(
            change_id=change_id,
            digest=version.digest,
            trial=_trial(request),
            why=request.POST.get("why", ""),
            principal=principal,
            at=datetime.now(UTC),
        )
    except interaction.public.ChangeNotProposed as refused:
        context |= {"refusal": refused.words}
        return render(request, "workspace/share.html", context, status=422)
    return redirect(f"{reverse('workspace:flow', args=[process])}?asked={change_id}")


def _choices(request: HttpRequest) -> Mapping[str, object]:
    """Return what was filled in, so that a refusal loses nothing but the files."""
    return {
        "change_id": request.POST.get("change_id") or uuid4(),
        "teams": interaction.public.teams(),
        "share": request.POST.get("share") or request.GET.get("share", "100"),
        "team": request.POST.get("team") or request.GET.get("team", ""),
        "why": request.POST.get("why", ""),
        "given_up": request.POST.get("given_up", ""),
    }


def _trial(request: HttpRequest) -> "interaction.public.Trial":
    text, team = request.POST.get("share", ""), request.POST.get("team", "")
    if not (text.isascii() and text.isdigit() and int(text) <= 100):
        raise interaction.public.ChangeNotProposed("share", "The share is a number from 0 to 100.")
    if team and team not in interaction.public.teams():
        raise interaction.public.ChangeNotProposed("team", "There is no such team.")
    return interaction.public.Trial(share=int(text), team=team or None)


def _change(request: HttpRequest) -> "interaction.public.Change":
    drawing, rules = request.FILES.get("drawing"), request.FILES.getlist("rules")
    scenarios = request.FILES.get("scenarios")
    if len(rules) > RULES_MAX:
        raise FileRefused(f"At most {RULES_MAX} files of rules at once.")
    return interaction.public.Change(
        bpmn=_text(drawing) if drawing else None,
        rules={rule.name or "": _text(rule) for rule in rules} or None,
        scenarios=_text(scenarios) if scenarios else None,
        given_up=_given_up(request.POST.get("given_up", "")),
    )


def _given_up(text: str) -> Mapping[str, str]:
    """Return why scenarios are given up: a line for each, `name: why`."""
    lines = (line.partition(":") for line in text.splitlines() if line.strip())
    return {name.strip(): why.strip() for name, _, why in lines}


def _text(file: "UploadedFile[bytes]") -> str:
    content: bytes = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise FileRefused(f"{file.name} is larger than 5 MB.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileRefused(f"{file.name} is not text in UTF-8.") from error
