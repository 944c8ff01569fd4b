"""The rules of flows as tables: looked through, changed cell by cell with tests, and proposed."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

import interaction.public
from apps.workspace.flows import change_id_of, flow_named, may_propose
from apps.workspace.guard import FLOW_READERS, for_roles
from interaction.public import NO_DRAFT, RuleDraft, RulePage, RuleTestDraft
from sentinel.vocabulary import Principal

_CELL = "cell_"
TESTS_MAX = 200
_TEST_FIELDS = ("test_name", "test_decision", "test_inputs", "test_outputs")


@require_GET
@for_roles(*FLOW_READERS)
def index(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List the files of rules that new work follows, with what is wrong in them."""
    lines = [
        (each, [found for found in each.findings if found.severity != "note"])
        for each in interaction.public.rule_files(principal=principal)
    ]
    return render(request, "workspace/rules.html", {"lines": lines})


@require_http_methods(["GET", "POST"])
@for_roles(*FLOW_READERS)
def show(request: HttpRequest, principal: Principal, process: str, file: str) -> HttpResponse:
    """Show the tables of a file; with a draft, what it changes, breaks and decides."""
    flow = flow_named(process, principal)
    draft = _draft(request.POST) if request.method == "POST" else NO_DRAFT
    context: dict[str, Any] = {"flow": flow, "file": file, "may_propose": may_propose(principal)}
    context |= {"change_id": request.POST.get("change_id") or uuid4()}
    context["why"] = request.POST.get("why", "")
    is_wanted = request.POST.get("do") == "propose"
    try:
        page = _page(process, file, draft, principal)
        if is_wanted:
            return _proposed(request, principal, page, draft)
    except interaction.public.ScenarioRefused as refused:
        words = "; ".join(each.words for each in refused.faults)
        context["refusal"] = f"The test “{refused.name}” cannot be read: {words}."
        page = _page(process, file, RuleDraft(draft.cells), principal)
    except interaction.public.CellRefused as refused:
        context["refusal"] = refused.words
        page = _page(process, file, NO_DRAFT, principal)
    except (interaction.public.ChangeNotProposed, interaction.public.ModelRefused) as refused:
        context["refusal"] = refused.words
    context |= _shown(page, is_checked=request.method == "POST")
    status = 422 if "refusal" in context else 200
    return render(request, "workspace/rule.html", context, status=status)


def _proposed(
    request: HttpRequest, principal: Principal, page: RulePage, draft: RuleDraft
) -> HttpResponse:
    change_id = change_id_of(request)
    interaction.public.propose_rules(
        proposal_id=change_id,
        process=page.process,
        file=page.file,
        draft=draft,
        why=request.POST.get("why", ""),
        trial=interaction.public.Trial(),
        principal=principal,
        at=datetime.now(UTC),
    )
    return redirect(f"{reverse('workspace:flow', args=[page.process])}?asked={change_id}")


def _page(process: str, file: str, draft: RuleDraft, principal: Principal) -> RulePage:
    try:
        return interaction.public.rule_page(
            process=process, file=file, draft=draft, principal=principal
        )
    except interaction.public.RulesUnknown as unknown:
        raise Http404 from unknown


def _draft(asked: QueryDict) -> RuleDraft:
    """Return the cells and tests a form holds; a test without a name is no test any more."""
    cells = {
        name.removeprefix(_CELL): str(value).replace("\r\n", "\n")
        for name, value in asked.items()
        if name.startswith(_CELL)
    }
    columns = [asked.getlist(name)[:TESTS_MAX] for name in _TEST_FIELDS]
    tests = (RuleTestDraft(*row) for row in zip(*columns, strict=False))
    return RuleDraft(cells, tuple(each for each in tests if each.name.strip()))


def _shown(page: RulePage, *, is_checked: bool) -> dict[str, object]:
    return {
        "page": page,
        "is_checked": is_checked,
        "decisions": sorted({table.decision for table in page.tables}),
        "problems": [each for each in page.findings if each.severity != "note"],
        "notes": [each for each in page.findings if each.severity == "note"],
    }
