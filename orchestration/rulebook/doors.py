"""The rules of flows: read as tables, looked through, changed with tests, and proposed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from orchestration import dmn
from orchestration.dmn import Finding, ModelRefused
from orchestration.durable.definitions import PublishedFlow
from orchestration.publishing import RuleFinding
from orchestration.rulebook.cells import RuleTable, tables_in, with_cells
from orchestration.trying import gate
from orchestration.trying.deciding import RuleTestResult, decided
from orchestration.trying.scenarios import RuleTest, read_scenarios, read_values
from orchestration.versions import rollouts
from orchestration.versions.asking import ChangeNotProposed
from orchestration.versions.proposals import Change, propose_version
from orchestration.versions.readers import require_flow_reader
from orchestration.versions.rollouts import Trial
from orchestration.versions.views import flows
from sentinel.vocabulary import Principal


class RulesUnknown(LookupError):
    """The flow has no rules of this name."""

    code = "rules_unknown"
    is_retryable = False

    def __init__(self, process: str, file: str) -> None:
        super().__init__(process, file)
        self.process, self.file = process, file


@dataclass(frozen=True, slots=True)
class RuleTestDraft:
    """A test as somebody writes it: `inputs` and `outputs` are JSON."""

    name: str
    decision: str
    inputs: str
    outputs: str


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """What somebody would change: cells by key, and all tests of the file; None leaves them."""

    cells: Mapping[str, str]
    tests: tuple[RuleTestDraft, ...] | None = None


NO_DRAFT = RuleDraft({})
# The instant tests of rules are made at, so that one that looks at the clock always says the same.
_TESTED_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file of rules in the list, of the version that is the rule for new work."""

    process: str
    file: str
    version: int
    versions: int
    tables: int
    rules: int
    tests: int
    findings: tuple[RuleFinding, ...]


@dataclass(frozen=True, slots=True)
class RuleTestView:
    """A test as drafted, with what came of it; without a result the rules cannot be run."""

    draft: RuleTestDraft
    result: RuleTestResult | None


@dataclass(frozen=True, slots=True)
class RulePage:
    """A file of rules with a draft put in: `faults` say why it cannot be run, if it cannot."""

    process: str
    file: str
    digest: str
    version: int
    tables: tuple[RuleTable, ...]
    findings: tuple[RuleFinding, ...]
    faults: tuple[Finding, ...]
    tests: tuple[RuleTestView, ...]
    changed: int

    @property
    def failing(self) -> int:
        """Return how many tests did not come out as expected."""
        return sum(1 for each in self.tests if each.result and each.result.broken)


def rule_files(*, principal: Principal) -> tuple[RuleFile, ...]:
    """Return the files of rules that new work follows, by flow and name.

    Raises:
        FlowReadersOnly: the flows are not theirs to look at.
    """
    return tuple(
        _line(rollouts.rule_of(flow.process), file, len(flow.versions))
        for flow in flows(principal=principal)
        for file in sorted(rollouts.rule_of(flow.process).rules)
    )


def rule_page(*, process: str, file: str, draft: RuleDraft, principal: Principal) -> RulePage:
    """Return a file of rules with a draft put in, looked through and tested; nothing is changed.

    Raises:
        FlowUnknown: nothing of this name is published.
        FlowReadersOnly: the flows are not theirs to look at.
        RulesUnknown: the flow has no such rules.
        CellRefused: the draft changes a cell that is not there.
        ScenarioRefused: a test of the draft cannot be read.
    """
    require_flow_reader(principal)
    base = _base(process, file)
    xml = with_cells(base.rules[file], draft.cells)
    tables = tables_in(xml, base.rules[file])
    drafts = _tests_of(base, file) if draft.tests is None else draft.tests
    tests = tuple((each, _read(each, file)) for each in drafts)
    faults: tuple[Finding, ...] = ()
    findings: tuple[RuleFinding, ...] = ()
    views = tuple(RuleTestView(each, None) for each in drafts)
    try:
        models = dmn.parse_files({**base.rules, file: xml})
        findings = _findings(base, file, models[file])
        dmn.publishable(models[file])
        views = tuple(RuleTestView(each, decided(read, models, _TESTED_AT)) for each, read in tests)
    except ModelRefused as refused:
        faults = refused.findings
    changed = sum(cell.is_changed for table in tables for row in table.rows for cell in row.cells)
    return RulePage(
        process=process,
        file=file,
        digest=base.digest,
        version=base.version,
        tables=tables,
        findings=findings,
        faults=faults,
        tests=views,
        changed=changed,
    )


def propose_rules(  # noqa: PLR0913  (the door's own words, one for each)
    *,
    proposal_id: UUID,
    process: str,
    file: str,
    draft: RuleDraft,
    why: str,
    trial: Trial,
    principal: Principal,
    at: datetime,
) -> UUID:
    """Ask for rules to be changed as drafted, and return the case that decides on it.

    Raises:
        FlowUnknown: nothing of this name is published.
        RulesUnknown: the flow has no such rules.
        CellRefused: the draft changes a cell that is not there.
        ModelRefused: the rules cannot be run, or contradict themselves.
        ScenarioRefused: a test of the draft cannot be read.
        ChangeNotProposed: a test fails, nothing changes, or it is not theirs to propose.
    """
    page = rule_page(process=process, file=file, draft=draft, principal=principal)
    for test in page.tests:
        for words in test.result.broken if test.result else ():
            raise ChangeNotProposed("rule_test_fails", f"“{test.draft.name}”: {words}.")
    base = _base(process, file)
    return propose_version(
        proposal_id=proposal_id,
        process=process,
        change=Change(
            rules={file: with_cells(base.rules[file], draft.cells)},
            scenarios=_scenarios(base, file, draft),
        ),
        why=why,
        trial=trial,
        principal=principal,
        at=at,
    )


def _base(process: str, file: str) -> PublishedFlow:
    base = rollouts.rule_of(process)
    if file not in base.rules:
        raise RulesUnknown(process, file)
    return base


def _line(base: PublishedFlow, file: str, versions: int) -> RuleFile:
    tables = tables_in(base.rules[file], base.rules[file])
    return RuleFile(
        process=base.process,
        file=file,
        version=base.version,
        versions=versions,
        tables=len(tables),
        rules=sum(len(each.rows) for each in tables),
        tests=len(_tests_of(base, file)),
        findings=_findings(base, file, dmn.parse_files(base.rules)[file]),
    )


def _findings(base: PublishedFlow, file: str, model: dmn.Definitions) -> tuple[RuleFinding, ...]:
    return tuple(
        RuleFinding(
            journey=base.journey,
            process=base.process,
            file=file,
            table=found.table,
            code=found.code,
            severity=found.severity.value,
            line=found.line,
            rules=found.rules,
            words=found.words,
            example=found.example,
        )
        for found in dmn.analyse(model.model)
    )


def _tests_of(base: PublishedFlow, file: str) -> tuple[RuleTestDraft, ...]:
    text = gate.scenarios_of(base)
    if not text:
        return ()
    stored: list[dict[str, Any]] = json.loads(text).get("decisions", [])
    return tuple(
        RuleTestDraft(
            each["name"],
            each["decision"].partition("#")[2],
            _text(each["inputs"]),
            _text(each["outputs"]),
        )
        for each in stored
        if each["decision"].partition("#")[0] == file
    )


def _scenarios(base: PublishedFlow, file: str, draft: RuleDraft) -> str | None:
    """Return the scenarios of a version with the tests of one file written anew."""
    if draft.tests is None:
        return None
    text = gate.scenarios_of(base)
    whole: dict[str, Any] = json.loads(text) if text else {"flow": base.process, "scenarios": []}
    before: list[dict[str, Any]] = whole.get("decisions", [])
    others = [each for each in before if each["decision"].partition("#")[0] != file]
    # A test that says what it said keeps the rules it names as well.
    kept = {each["name"]: each for each in before}
    drawn = (_stored(each, file) for each in draft.tests)
    whole["decisions"] = [*others, *(_as_before(kept.get(each["name"]), each) for each in drawn)]
    return json.dumps(whole, ensure_ascii=False, indent=2)


def _as_before(before: Mapping[str, Any] | None, now: dict[str, Any]) -> Mapping[str, Any]:
    is_same = before is not None and {**before, **now} == before
    return before if is_same and before is not None else now


def _stored(draft: RuleTestDraft, file: str) -> dict[str, Any]:
    return {
        "name": draft.name,
        "decision": f"{file}#{draft.decision}",
        "inputs": json.loads(draft.inputs),
        "outputs": json.loads(draft.outputs),
    }


def _read(draft: RuleTestDraft, file: str) -> RuleTest:
    """Read a test through the door that scenario files come by, so that one rule holds for both.

    Raises:
        ScenarioRefused: its JSON is none, or no test.
    """
    name, decision = json.dumps(draft.name), json.dumps(f"{file}#{draft.decision}")
    for part in (draft.inputs, draft.outputs):
        read_values(name=draft.name, text=part)
    text = (
        f'{{"flow": "p", "scenarios": [], "decisions": [{{"name": {name}, "decision": {decision},'
        f' "inputs": {draft.inputs}, "outputs": {draft.outputs}}}]}}'
    )
    return read_scenarios(name=draft.name, text=text).content.decisions[0]


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
