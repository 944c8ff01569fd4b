"""Another version of a flow: proposed by one, agreed by another, given to some, taken back."""

from collections import Counter
from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection

from orchestration import journeys
from orchestration.durable import store
from orchestration.durable.definitions import current_flow, flow_of
from orchestration.durable.mass import NewRun, begin_flows
from orchestration.durable.publication import publish
from orchestration.public import (
    Change,
    ChangeNotProposed,
    DrawingRefused,
    TaskFilters,
    Trial,
    ask_roll_out,
    batch_items,
    case,
    compare_versions,
    complete,
    load_batch,
    proposals_of,
    propose_version,
    run_batches_once,
    tasks,
)
from orchestration.public import (
    flows as all_flows,
)
from orchestration.triggers.content import BatchContent, TriggerContent
from orchestration.triggers.receiving import receive
from orchestration.versions.rollouts import flow_to_start, rule_of
from tests.authority import found_bank, now
from tests.layers.orchestration.flows import HEAD, SCRIPTS


@pytest.fixture(autouse=True)
def rules(db):
    found_bank()


@pytest.fixture
def proposer(employee):
    return replace(employee, roles=("operations", "employee"))


@pytest.fixture
def officer(employee):
    return replace(
        employee,
        id=f"employee:{uuid4()}",
        person_id=str(uuid4()),
        roles=("compliance_officer", "employee"),
    )


@pytest.fixture
def first(flows):
    change = next(each for each in journeys.flow_sources() if each.process == "change_flow")
    publish(change)
    return flows.published(SCRIPTS)


def another(officer):
    """A colleague of hers: nobody answers two requests of high risk in one transaction."""
    return replace(officer, id=f"employee:{uuid4()}", person_id=str(uuid4()))


def drawn(body: str) -> str:
    return f'{HEAD}<process id="p" isExecutable="true">{body}</process></definitions>'


SECOND = drawn(SCRIPTS.replace("amount * 2", "amount * 3").replace("Check", "Look at"))


def proposed(proposer, *, bpmn: str = SECOND, trial: Trial | None = None, **more: object):
    return propose_version(
        **{
            "proposal_id": uuid4(),
            "process": "p",
            "change": Change(bpmn=bpmn),
            "why": "Threefold from now on.",
            "trial": trial or Trial(),
            "principal": proposer,
            "at": now(),
            **more,
        }
    )


def decided(officer, verdict: str = "approve"):
    (task,) = tasks(principal=officer, filters=TaskFilters(kind="approval"))
    return complete(
        task_id=task.id,
        principal=officer,
        answer={"verdict": verdict},
        comment="I compared both drawings.",
        at=now(),
    )


def new_version(proposer, officer, **more: object):
    proposed(proposer, **more)
    decided(officer)
    return proposals_of(process="p")[0].digest


def versions_of_new_work(count: int = 200, roles: tuple[str, ...] = ()) -> Counter:
    starts = (flow_to_start(process="p", instance_id=uuid4(), roles=roles) for _ in range(count))
    return Counter(flow.version for flow in starts)


def test_a_version_runs_once_somebody_else_has_agreed(first, proposer, officer):
    case_id = proposed(proposer)
    assert rule_of("p").digest == first.digest

    decided(officer)

    assert rule_of("p").version == 2
    assert versions_of_new_work(20) == {2: 20}
    lines = [line.words for line in case(case_id=case_id, principal=officer, at=now()).history]
    assert lines[-1] == "Version 2 of p is published."


def test_the_proposer_cannot_agree(first, proposer):
    proposed(proposer)
    both = replace(proposer, roles=("operations", "compliance_officer", "employee"))

    offered = tasks(principal=both, filters=TaskFilters(kind="approval"))

    assert offered == ()
    assert rule_of("p").digest == first.digest
    assert current_flow("p").digest == first.digest


def test_a_version_that_is_not_agreed_is_not_published(first, proposer, officer):
    case_id = proposed(proposer)

    decided(officer, "reject")

    assert current_flow("p").digest == first.digest
    assert case(case_id=case_id, principal=officer, at=now()).state == "closed"


def test_what_is_proposed_is_said_in_words(first, proposer):
    proposed(proposer)

    (proposal,) = proposals_of(process="p")
    assert {change["element"] for change in proposal.report["changes"]} == {"double", "check"}
    (found,) = proposal.report["warnings"]
    assert (found["element"], found["code"]) == ("double", "name_missing")
    assert found["words"] == "The activity has no name, so nobody can be told what it does."
    assert found["line"] > 0
    assert proposal.report["running"] == {"safe": 0, "needs mapping": 0, "blocked": 0}
    assert proposal.base == first.digest


def test_asking_twice_with_one_id_asks_once(first, proposer):
    proposal_id = uuid4()

    cases = {proposed(proposer, proposal_id=proposal_id) for _ in range(2)}

    assert len(cases) == 1
    assert len(proposals_of(process="p")) == 1


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"why": "  "}, ChangeNotProposed),
        ({"why": "x" * 2_001}, ChangeNotProposed),
        ({"change": Change(rules={"none.dmn": "<x/>"})}, ChangeNotProposed),
        ({"bpmn": drawn(SCRIPTS)}, ChangeNotProposed),
        ({"bpmn": drawn(SCRIPTS.replace('targetRef="e"', 'targetRef="nowhere"'))}, DrawingRefused),
        ({"bpmn": "<definitions>"}, DrawingRefused),
    ],
)
def test_what_cannot_be_proposed_asks_nobody(first, proposer, officer, more, refusal):
    if "bpmn" in more:
        more = {"change": Change(bpmn=more["bpmn"])}

    with pytest.raises(refusal):
        proposed(proposer, **more)

    assert proposals_of(process="p") == ()
    assert tasks(principal=officer, filters=TaskFilters()) == ()


def test_only_operations_may_propose(first, officer):
    with pytest.raises(ChangeNotProposed):
        proposed(officer)

    assert proposals_of(process="p") == ()


def test_a_share_of_cases_gets_the_new_version(first, proposer, officer):
    new_version(proposer, officer, trial=Trial(share=25))

    counts = versions_of_new_work(400)

    assert 60 <= counts[2] <= 140
    assert counts[1] + counts[2] == 400
    instance_id = uuid4()
    chosen = {flow_to_start(process="p", instance_id=instance_id).version for _ in range(5)}
    assert len(chosen) == 1


def test_work_from_outside_gets_no_more_of_a_version_than_was_agreed(
    flows, proposer, officer, employee
):
    publish(next(each for each in journeys.flow_sources() if each.process == "change_flow"))
    first = flows.published(
        SCRIPTS,
        triggers={"t": TriggerContent(kind="api")},
        batches={"b": BatchContent(key="id")},
    )
    second = new_version(proposer, officer, trial=Trial(share=0))

    by_trigger = receive(trigger="p/t", event_id="1", payload={}, at=now()).instance_id
    run = NewRun(uuid4(), {"amount": 1})
    begin_flows(process="p", runs=[run], principal=employee, at=now())
    handed_in = load_batch(
        process="p", name="b", file_name="b", content=b"id\n1\n", principal=employee, at=now()
    )
    run_batches_once(rounds=1)
    (item,) = batch_items(batch_id=handed_in.id, principal=employee)

    begun = {each: store.read_instance(each) for each in (by_trigger, run.id, item.instance_id)}
    assert {row.definition for row in begun.values()} == {first.digest}
    assert current_flow("p").digest == second


def test_one_team_gets_the_new_version_first(first, proposer, officer):
    new_version(proposer, officer, trial=Trial(team="operations"))

    assert versions_of_new_work(20, roles=("operations",)) == {2: 20}
    assert versions_of_new_work(20, roles=("adviser",)) == {1: 20}
    assert rule_of("p").version == 1


def test_a_trial_becomes_the_rule_and_is_taken_back(first, proposer, officer):
    digest = new_version(proposer, officer, trial=Trial(share=10))

    ask_roll_out(
        change_id=uuid4(), digest=digest, trial=Trial(), why="Works.", principal=proposer, at=now()
    )
    decided(another(officer))
    assert versions_of_new_work(20) == {2: 20}

    ask_roll_out(
        change_id=uuid4(),
        digest=first.digest,
        trial=Trial(),
        why="It does not.",
        principal=proposer,
        at=now(),
    )
    assert versions_of_new_work(20) == {2: 20}
    decided(another(officer))
    assert versions_of_new_work(20) == {1: 20}


def test_what_is_the_rule_already_is_not_asked_for(first, proposer):
    with pytest.raises(ChangeNotProposed):
        ask_roll_out(
            change_id=uuid4(),
            digest=first.digest,
            trial=Trial(),
            why="Again.",
            principal=proposer,
            at=now(),
        )


def test_a_proposal_overtaken_by_another_is_not_published(first, proposer, officer):
    slow = proposed(proposer)
    (task,) = tasks(principal=officer, filters=TaskFilters(kind="approval"))
    third = drawn(SCRIPTS.replace("amount * 2", "amount * 4"))
    proposed(proposer, bpmn=third, change=Change(bpmn=third))
    quick = next(
        each
        for each in tasks(principal=officer, filters=TaskFilters(kind="approval"))
        if each.id != task.id
    )
    for each, who in ((quick, officer), (task, another(officer))):
        complete(
            task_id=each.id,
            principal=who,
            answer={"verdict": "approve"},
            comment="Fine.",
            at=now(),
        )

    assert rule_of("p").bpmn == third
    lines = [line.words for line in case(case_id=slow, principal=officer, at=now()).history]
    assert "Another version has become the rule since this was proposed." in lines[-1]


def test_versions_are_compared_and_listed(first, proposer, officer):
    digest = new_version(proposer, officer)

    comparison = compare_versions(old_digest=first.digest, new_digest=digest, principal=proposer)
    found = next(each for each in all_flows(principal=proposer) if each.process == "p")

    assert {change.element for change in comparison.changes} == {"double", "check"}
    assert (comparison.old_version, comparison.new_version) == (1, 2)
    assert [(each.version, each.is_rule) for each in found.versions] == [(2, True), (1, False)]


def test_nothing_but_a_redeemed_decision_rolls_out(first):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orch_rollout")
        assert cursor.fetchone() == (0,)
    assert flow_of(first.digest).version == 1
