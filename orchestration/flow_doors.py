"""The part of the door where flows are tried out, proposed, compared, rolled out and moved."""

from orchestration.rulebook.cells import CellRefused
from orchestration.rulebook.doors import (
    NO_DRAFT,
    RuleDraft,
    RuleFile,
    RulePage,
    RulesUnknown,
    RuleTestDraft,
    propose_rules,
    rule_files,
    rule_page,
)
from orchestration.trying.doors import (
    TryScript,
    TryStory,
    drawing_to_try,
    stories_of,
    stories_of_version,
    try_scenario,
    try_version,
)
from orchestration.trying.forking import Fork, ForkOrigin, fork_run
from orchestration.trying.looking import FlowFinding, flow_findings
from orchestration.trying.running import Coverage, ScenarioResult
from orchestration.trying.scenarios import ScenarioFault, ScenarioRefused
from orchestration.trying.showing import TryQuestion, TryView
from orchestration.trying.sources import (
    ScenarioReport,
    ScenarioSource,
    run_scenarios,
    scenario_sources,
)
from orchestration.trying.stepping import Move, MoveKind, TryRefused
from orchestration.versions.asked import AskedChange, change_of_case, changes_asked
from orchestration.versions.asking import ChangeNotProposed
from orchestration.versions.changes import ask_move, ask_roll_out, verdicts_of
from orchestration.versions.dry_runs import InstanceVerdict
from orchestration.versions.outcomes import Side, TrialOutcomes, trial_outcomes
from orchestration.versions.proposals import (
    Change,
    Doubt,
    Proposal,
    ProposalUnknown,
    proposals_of,
    propose_version,
)
from orchestration.versions.readers import FlowReadersOnly
from orchestration.versions.reading import (
    StepName,
    VersionFiles,
    compare_proposal,
    proposal_verdicts,
    steps_of,
    version_files,
)
from orchestration.versions.releases import ReleasedFlow, propose_release, released_flows
from orchestration.versions.rollouts import Rollout, Trial
from orchestration.versions.views import (
    FlowView,
    VersionComparison,
    VersionView,
    compare_versions,
    flows,
)

__all__ = [
    "NO_DRAFT",
    "AskedChange",
    "CellRefused",
    "Change",
    "ChangeNotProposed",
    "Coverage",
    "Doubt",
    "FlowFinding",
    "FlowReadersOnly",
    "FlowView",
    "Fork",
    "ForkOrigin",
    "InstanceVerdict",
    "Move",
    "MoveKind",
    "Proposal",
    "ProposalUnknown",
    "ReleasedFlow",
    "Rollout",
    "RuleDraft",
    "RuleFile",
    "RulePage",
    "RuleTestDraft",
    "RulesUnknown",
    "ScenarioFault",
    "ScenarioRefused",
    "ScenarioReport",
    "ScenarioResult",
    "ScenarioSource",
    "Side",
    "StepName",
    "Trial",
    "TrialOutcomes",
    "TryQuestion",
    "TryRefused",
    "TryScript",
    "TryStory",
    "TryView",
    "VersionComparison",
    "VersionFiles",
    "VersionView",
    "ask_move",
    "ask_roll_out",
    "change_of_case",
    "changes_asked",
    "compare_proposal",
    "compare_versions",
    "drawing_to_try",
    "flow_findings",
    "flows",
    "fork_run",
    "proposal_verdicts",
    "proposals_of",
    "propose_release",
    "propose_rules",
    "propose_version",
    "released_flows",
    "rule_files",
    "rule_page",
    "run_scenarios",
    "scenario_sources",
    "steps_of",
    "stories_of",
    "stories_of_version",
    "trial_outcomes",
    "try_scenario",
    "try_version",
    "verdicts_of",
    "version_files",
]
