"""Proposing another version of a flow: checked at once, in force once another person agrees."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.publication import check_source
from orchestration.journeys import FlowContent, FlowSource
from orchestration.trying import gate
from orchestration.versions import reports, rollouts
from orchestration.versions.asking import ChangeNotProposed, ask
from orchestration.versions.cyclic_calls import refuse_cyclic_calls
from orchestration.versions.readers import PROPOSING_ROLES
from orchestration.versions.rollouts import Trial
from orchestration.wording import name_words
from sentinel.vocabulary import Principal

CHANGE_FLOW = "change_flow"
WHY_LENGTH_MAX = 2_000
# What a flow that does not exist yet is proposed in place of.
NEW_FLOW = ""


class ProposalUnknown(LookupError):
    """There is no such proposal."""

    code = "proposal_unknown"
    is_retryable = False

    def __init__(self, proposal_id: str) -> None:
        super().__init__(proposal_id)
        self.proposal_id = proposal_id


@dataclass(frozen=True, slots=True)
class Change:
    """What a proposed version says otherwise: its drawing, its rules by file name, or both.

    `scenarios` are the stories it is tried out with; without, those of the version before.
    `given_up` says why scenarios of the version in force, by name, are removed or fail.
    """

    bpmn: str | None = None
    rules: Mapping[str, str] | None = None
    scenarios: str | None = None
    given_up: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What deserves a look in a proposed version; of old proposals only the words were kept.

    `element` is one of the drawing, or a table in the file of rules called `file`.
    """

    words: str
    code: str = ""
    element: str = ""
    line: int = 0
    file: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed version as kept, with what was found about it; `base` is empty for a new flow."""

    id: UUID
    process: str
    base: str
    digest: str
    why: str
    report: Mapping[str, Any]
    report_hash: str
    proposed_by: str
    proposed_at: datetime

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Return what deserves a look in it, as found when it was proposed."""
        found = self.report.get("warnings", ())
        return tuple(Doubt(each) if isinstance(each, str) else Doubt(**each) for each in found)


def propose_version(  # noqa: PLR0913  (the door's own words, one for each)
    *,
    proposal_id: UUID,
    process: str,
    change: Change,
    why: str,
    trial: Trial,
    principal: Principal,
    at: datetime,
) -> UUID:
    """Ask for another version of a flow to be published, and return the case that decides on it.

    Asking again with the same id returns the same case.

    Raises:
        FlowUnknown: nothing of this name is published.
        DrawingRefused: the drawing cannot be run, or calls itself without end.
        DecisionRefused: a rule cannot be read.
        ScenarioRefused: the scenarios that came with it cannot be read.
        ChangeNotProposed: it changes nothing, gives no reason, is not theirs to propose, or fails
            a scenario its journey insists on, or gives one of the version in force up without
            a reason; or something else was asked for under this id.
    """
    require_may_propose(principal, why)
    base = rollouts.rule_of(process)
    return propose_source(
        proposal_id=proposal_id,
        base=base,
        source=_source(base, change),
        given_up=change.given_up,
        why=why,
        trial=trial,
        principal=principal,
        at=at,
    )


def propose_source(  # noqa: PLR0913  (the words of the doors that ask for it)
    *,
    proposal_id: UUID,
    base: PublishedFlow | None,
    source: FlowSource,
    given_up: Mapping[str, str],
    why: str,
    trial: Trial,
    principal: Principal,
    at: datetime,
) -> UUID:
    """Ask for a flow to be published as `source` says, in place of `base` or as a new one.

    Raises:
        What `propose_version` raises.
    """
    require_may_propose(principal, why)
    if base is not None and source.digest == base.digest:
        raise ChangeNotProposed("nothing_changed", "This is what runs already.")
    check_source(source)
    refuse_cyclic_calls(source)
    given_up = {name: words.strip() for name, words in given_up.items()}
    report = reports.report_on(base, source, given_up)
    _require_passed(source, report)
    _require_given_up(source, report, given_up)
    proposal = Proposal(
        id=proposal_id,
        process=source.process,
        base=base.digest if base else NEW_FLOW,
        digest=source.digest,
        why=why.strip(),
        report=report,
        report_hash=reports.hash_of(report),
        proposed_by=principal.id,
        proposed_at=at,
    )
    with transaction.atomic():
        _write(proposal, source)
        return _ask_to_publish(proposal, trial, principal)


def _require_passed(source: FlowSource, report: Mapping[str, Any]) -> None:
    tried = report["scenarios"]
    broken = gate.first_broken(tried) or ("" if tried["results"] else "It has none.")
    if source.content.must_pass and broken:
        raise ChangeNotProposed("scenario_fails", f"This flow must pass its scenarios. {broken}")


def _require_given_up(
    source: FlowSource, report: Mapping[str, Any], given_up: Mapping[str, str]
) -> None:
    """Let nobody propose weaker scenarios unsaid: who agrees reads each that is given up, and why.

    Raises:
        ChangeNotProposed: one of the version in force is given up without a reason, or a reason is
            given for one that is not.
    """
    found = dict(gate.to_be_given_up(report["scenarios"]))
    for name, why in given_up.items():
        if name not in found:
            words = f"“{name}” is no scenario of the version in force that fails or is removed."
            raise ChangeNotProposed("scenario_not_given_up", words)
        if len(why) > WHY_LENGTH_MAX:
            words = f"Say why “{name}” is given up in at most {WHY_LENGTH_MAX} characters."
            raise ChangeNotProposed("scenario_given_up", words)
    unsaid = [f"“{name}”: {what}" for name, what in found.items() if not given_up.get(name)]
    if source.content.must_pass and unsaid:
        words = "Say why these scenarios of the version in force are given up. " + "; ".join(unsaid)
        raise ChangeNotProposed("scenario_given_up", words)


def _ask_to_publish(proposal: Proposal, trial: Trial, principal: Principal) -> UUID:
    what = "the new flow" if proposal.base == NEW_FLOW else "a new version of"
    return ask(
        change_id=proposal.id,
        flow=CHANGE_FLOW,
        about={"change": "publish", "process": proposal.process},
        parameters={
            "proposal_id": str(proposal.id),
            "process": proposal.process,
            "digest": proposal.digest,
            "base": proposal.base,
            "share": trial.share,
            "team": trial.team,
            "report_hash": proposal.report_hash,
        },
        words=f"publish {what} {name_words(proposal.process)}: {proposal.why}",
        principal=principal,
        at=proposal.proposed_at,
    )


def require_may_propose(principal: Principal, why: str) -> None:
    """Refuse a change without a reason, or by somebody who has no say in it.

    Raises:
        ChangeNotProposed: it is.
    """
    if principal.kind != "employee" or not PROPOSING_ROLES & set(principal.roles):
        raise ChangeNotProposed("not_yours", "Changes are proposed by operations.")
    if not why.strip() or len(why) > WHY_LENGTH_MAX:
        raise ChangeNotProposed("no_reason", f"Say why, in at most {WHY_LENGTH_MAX} characters.")


def read_proposal(proposal_id: UUID) -> Proposal:
    """Return a proposal.

    Raises:
        ProposalUnknown: there is none with this id.
    """
    found = _read("id = %s", proposal_id)
    if not found:
        raise ProposalUnknown(str(proposal_id))
    return found[0]


def proposals_of(*, process: str) -> tuple[Proposal, ...]:
    """Return what was proposed for a flow, newest first."""
    return _read("process = %s ORDER BY proposed_at DESC", process)


def source_of(proposal_id: UUID) -> FlowSource:
    """Return what a proposal would publish.

    Raises:
        ProposalUnknown: there is none with this id.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT journey, process, bpmn, rules, content, scenarios FROM orch_proposal"
            " WHERE id = %s",
            [proposal_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise ProposalUnknown(str(proposal_id))
    journey, process, drawing, rules, content, scenarios = row
    stored = json.loads(content)
    return FlowSource(
        journey=journey,
        process=process,
        bpmn=drawing,
        rules=json.loads(rules),
        content=FlowContent.model_validate(stored["content"]),
        forms=stored["forms"],
        schemas=stored.get("schemas", {}),
        scenarios=scenarios,
    )


def source_as_published(flow: PublishedFlow) -> FlowSource:
    """Return a published flow as the source it was made from."""
    return FlowSource(
        journey=flow.journey,
        process=flow.process,
        bpmn=flow.bpmn,
        rules=flow.rules,
        content=flow.content,
        forms=flow.forms,
        schemas=flow.schemas,
        scenarios=gate.scenarios_of(flow),
    )


def _source(base: PublishedFlow, change: Change) -> FlowSource:
    source = source_as_published(base)
    unknown = set(change.rules or ()) - set(source.rules)
    if unknown:
        words = f"This flow has no rules called {sorted(unknown)[0]}."
        raise ChangeNotProposed("rules_unknown", words)
    return replace(
        source,
        bpmn=source.bpmn if change.bpmn is None else change.bpmn,
        rules={**source.rules, **(change.rules or {})},
        scenarios=source.scenarios if change.scenarios is None else change.scenarios,
    )


def _write(proposal: Proposal, source: FlowSource) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orch_proposal (id, process, base, digest, journey, bpmn, rules, content,
                   scenarios, why, report, proposed_by, proposed_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (id) DO NOTHING
            """,
            [
                proposal.id,
                proposal.process,
                proposal.base,
                proposal.digest,
                source.journey,
                source.bpmn,
                json.dumps(source.rules),
                source.text,
                source.scenarios,
                proposal.why,
                reports.text_of(proposal.report),
                proposal.proposed_by,
                proposal.proposed_at,
            ],
        )


def _read(condition: str, value: UUID | str) -> tuple[Proposal, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, process, base, digest, why, report, proposed_by, proposed_at"  # noqa: S608
            f" FROM orch_proposal WHERE {condition}",
            [value],
        )
        rows = cursor.fetchall()
    return tuple(
        Proposal(
            id=row[0],
            process=row[1],
            base=row[2],
            digest=row[3],
            why=row[4],
            report=json.loads(row[5]),
            report_hash=reports.hash_of(json.loads(row[5])),
            proposed_by=row[6],
            proposed_at=row[7],
        )
        for row in rows
    )
