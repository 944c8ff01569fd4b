"""Flows that call one another: never in a circle as published, never without end as they run."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection

from orchestration import journeys
from orchestration.core import history as past
from orchestration.durable import store
from orchestration.durable.children import LEVELS_MAX
from orchestration.durable.definitions import FlowUnknown, current_flow
from orchestration.durable.publication import publish
from orchestration.public import (
    Change,
    DrawingRefused,
    TaskFilters,
    Trial,
    complete,
    proposals_of,
    propose_version,
    publish_journeys,
    tasks,
)
from orchestration.versions.rollouts import rule_of
from tests.authority import found_bank, now
from tests.layers.orchestration.flows import HEAD, SCRIPTS
from tests.layers.orchestration.test_across_flows import CALL, children_of, sweep

JOURNEY = """
{{"journey": "circles", "flows": {{"{first}": {{"drawing": "{first}.bpmn", "title": "T",
"summary": "S.", "purpose": "servicing"}}, "{second}": {{"drawing": "{second}.bpmn",
"title": "T", "summary": "S.", "purpose": "servicing"}}}}}}
"""


@pytest.fixture
def officer(employee):
    roles = ("compliance_officer", "employee")
    return replace(employee, id=f"employee:{uuid4()}", person_id=str(uuid4()), roles=roles)


@pytest.fixture
def proposer(db, employee):
    found_bank()
    publish(next(each for each in journeys.flow_sources() if each.process == "change_flow"))
    return replace(employee, roles=("operations", "employee"))


def calling(called: str, binding: str = "") -> str:
    """Draw a process that calls another, in a version if one is named."""
    body = CALL.format(called=called)
    how = f'<extensionElements><frontline:binding version="{binding}"/></extensionElements>'
    call = f'<callActivity id="call" calledElement="{called}"'
    return body.replace(f"{call}/>", f"{call}>{how}</callActivity>") if binding else body


def drawn(process: str, body: str) -> str:
    return f'{HEAD}\n<process id="{process}" isExecutable="true">{body}</process></definitions>'


def proposed(proposer, process: str, body: str):
    return propose_version(
        proposal_id=uuid4(),
        process=process,
        change=Change(bpmn=drawn(process, body)),
        why="It is called from now on.",
        trial=Trial(),
        principal=proposer,
        at=now(),
    )


def agreed(officer):
    (task,) = tasks(principal=officer, filters=TaskFilters(kind="approval"))
    complete(
        task_id=task.id,
        principal=officer,
        answer={"verdict": "approve"},
        comment="I compared both drawings.",
        at=now(),
    )


def installed(settings, folder, **bodies: str) -> None:
    """Make these drawings the only journey of the installation, in this order."""
    first, second = bodies
    (folder / "journey.json").write_text(JOURNEY.format(first=first, second=second))
    for process, body in bodies.items():
        (folder / f"{process}.bpmn").write_text(drawn(process, body))
    settings.JOURNEYS = [str(folder)]


def is_published(process: str) -> bool:
    try:
        current_flow(process)
    except FlowUnknown:
        return False
    return True


@pytest.mark.parametrize("bodies", [{"a": "b", "b": "a"}, {"b": "b", "a": "b"}])
def test_journeys_that_call_one_another_in_a_circle_are_not_published(
    db, flows, settings, tmp_path, bodies
):
    installed(settings, tmp_path, **{name: calling(called) for name, called in bodies.items()})

    with pytest.raises(DrawingRefused) as refused:
        publish_journeys()

    first = next(iter(bodies))
    assert (refused.value.code, refused.value.element) == ("cyclic_call", "call")
    assert refused.value.line == 3
    assert repr(first) in refused.value.words
    assert not is_published("a")
    assert not is_published("b")


def test_journeys_whose_calls_end_are_published_and_published_again(db, flows, settings, tmp_path):
    installed(settings, tmp_path, a=calling("b"), b=SCRIPTS)

    assert publish_journeys() == publish_journeys() == ("a version 1", "b version 1")


def test_journeys_may_turn_round_which_calls_which(db, flows, settings, tmp_path):
    installed(settings, tmp_path, a=calling("b"), b=SCRIPTS)
    publish_journeys()

    installed(settings, tmp_path, b=calling("a"), a=SCRIPTS)

    assert publish_journeys() == ("b version 2", "a version 2")


def test_a_proposal_that_closes_a_circle_through_two_flows_is_refused(flows, proposer, officer):
    flows.published(calling("b"), process="a")
    flows.published(calling("c"), process="b")
    flows.published(SCRIPTS, process="c")

    with pytest.raises(DrawingRefused) as refused:
        proposed(proposer, "c", calling("a"))

    assert (refused.value.code, refused.value.element, refused.value.line) == (
        "cyclic_call",
        "call",
        3,
    )
    assert "'c' calls 'a' calls 'b' calls 'c'" in refused.value.words
    assert proposals_of(process="c") == ()
    assert tasks(principal=officer, filters=TaskFilters()) == ()


def test_a_version_named_by_its_number_that_ends_may_be_called_back(flows, proposer):
    flows.published(SCRIPTS, process="a")
    flows.published(calling("a", binding="1"), process="b")

    proposed(proposer, "a", calling("b"))

    assert len(proposals_of(process="a")) == 1


def test_what_became_a_circle_before_it_was_agreed_is_not_published(flows, proposer, officer):
    first = flows.published(SCRIPTS, process="a")
    flows.published(SCRIPTS, process="b")
    proposed(proposer, "a", calling("b"))
    flows.published(calling("a"), process="b")

    agreed(officer)

    assert rule_of("a").digest == first.digest
    assert current_flow("a").digest == first.digest


def test_flows_that_come_back_to_themselves_as_they_run_stop_with_an_incident(flows, employee):
    flows.published(calling("b"), process="a")
    flows.published(calling("= &quot;a&quot;"), process="b")
    instance_id = flows.started(current_flow("a"))

    for _ in range(LEVELS_MAX):
        sweep()

    family = [instance_id]
    while children := children_of(family[-1]):
        family.extend(children)
    assert len(family) == LEVELS_MAX
    (token,) = store.read_instance(family[-1]).state.tokens
    assert token.wait == "incident"
    assert [
        entry.code
        for row in store.history_of(family[-1])
        for entry in row.entries
        if isinstance(entry, past.IncidentRaised)
    ] == ["calls_too_deep"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orch_instance")
        assert cursor.fetchone() == (LEVELS_MAX,)
