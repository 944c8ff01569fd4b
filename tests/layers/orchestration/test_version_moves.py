"""Running cases moved to another version: judged, agreed by a second person, then moved."""

from uuid import uuid4

import pytest

from orchestration.core import Verdict
from orchestration.durable import engine, store
from orchestration.public import (
    ChangeNotProposed,
    TaskFilters,
    ask_move,
    case,
    changes_asked,
    complete,
    tasks,
    verdicts_of,
)
from orchestration.versions import moving
from orchestration.versions.dry_runs import dry_run, hash_of
from tests.authority import found_bank, now
from tests.layers.orchestration.flows import AT, SCRIPTS, TIMER
from tests.layers.orchestration.test_versions import (  # noqa: F401  (fixtures)
    decided,
    first,
    officer,
    proposer,
)

RENAMED = SCRIPTS.replace('id="check"', 'id="look"').replace('"check"', '"look"')


@pytest.fixture(autouse=True)
def rules(db):
    found_bank()


@pytest.fixture
def second(first, flows):  # noqa: F811
    return flows.published(SCRIPTS.replace('due="PT4H"', 'due="PT2H"'))


def asked_to_move(old, new, proposer, mapping=None):  # noqa: F811
    return ask_move(
        change_id=uuid4(),
        old_digest=old.digest,
        new_digest=new.digest,
        mapping=mapping or {},
        why="The deadline was wrong.",
        principal=proposer,
        at=now(),
    )


def test_running_cases_go_over_once_it_is_agreed(first, second, flows, proposer, officer):  # noqa: F811
    running = [flows.started(first, amount=21) for _ in range(3)]
    found = verdicts_of(
        old_digest=first.digest, new_digest=second.digest, mapping={}, principal=proposer
    )
    assert [each.verdict for each in found] == [Verdict.SAFE] * 3

    asked_to_move(first, second, proposer)
    assert moving.move_agreed_once() == 0
    decided(officer)
    assert moving.move_agreed_once() == 3
    assert moving.move_agreed_once() == 0

    for instance_id in running:
        row = store.read_instance(instance_id)
        assert row.definition == second.digest
        assert engine.rebuilt_state(instance_id) == row.state


def test_work_done_after_the_move_follows_the_new_drawing(first, flows, proposer, officer):  # noqa: F811
    instance_id = flows.started(first, amount=21)
    longer = SCRIPTS.replace(
        '<sequenceFlow id="c" sourceRef="check" targetRef="e"/>',
        '<scriptTask id="more" scriptFormat="feel"><extensionElements>'
        '<frontline:script result="extra"/></extensionElements><incoming>c</incoming>'
        "<outgoing>d</outgoing><script>total + 1</script></scriptTask>"
        '<sequenceFlow id="c" sourceRef="check" targetRef="more"/>'
        '<sequenceFlow id="d" sourceRef="more" targetRef="e"/>',
    ).replace('<endEvent id="e"><incoming>c<', '<endEvent id="e"><incoming>d<')
    asked_to_move(first, flows.published(longer), proposer)
    decided(officer)
    moving.move_agreed_once()

    (task,) = tasks(principal=proposer, filters=TaskFilters(kind="check"))
    complete(task_id=task.id, principal=proposer, answer={}, comment="", at=AT)

    row = store.read_instance(instance_id)
    assert (row.status, row.state.variables["extra"]) == ("completed", 43)
    assert engine.rebuilt_state(instance_id) == row.state
    lines = [line.words for line in case(case_id=row.case_id, principal=proposer, at=now()).history]
    assert "Goes on in version 2 of p, was in version 1." in lines


def test_a_renamed_element_needs_a_mapping(first, flows, proposer, officer):  # noqa: F811
    instance_id = flows.started(first, amount=21)
    renamed = flows.published(RENAMED)
    (verdict,) = verdicts_of(
        old_digest=first.digest, new_digest=renamed.digest, mapping={}, principal=proposer
    )
    assert verdict.verdict is Verdict.NEEDS_MAPPING
    assert verdict.words == ("check is not in the new version",)

    with pytest.raises(ChangeNotProposed):
        asked_to_move(first, renamed, proposer)
    asked_to_move(first, renamed, proposer, {"check": "look"})
    decided(officer)
    moving.move_agreed_once()

    assert store.read_instance(instance_id).state.tokens[0].node == "look"


def test_what_cannot_move_stays_and_says_why(first, second, flows, proposer, officer):  # noqa: F811
    moved, ended = flows.started(first, amount=21), flows.started(first, amount=22)
    asked_to_move(first, second, proposer)
    decided(officer)
    (task,) = [
        each
        for each in tasks(principal=proposer, filters=TaskFilters(kind="check"))
        if each.case_id == store.read_instance(ended).case_id
    ]
    complete(task_id=task.id, principal=proposer, answer={}, comment="", at=AT)

    assert moving.move_agreed_once() == 2

    assert store.read_instance(moved).definition == second.digest
    assert store.read_instance(ended).definition == first.digest


@pytest.mark.parametrize("mapping", [{"nowhere": "check"}, {"check": "nowhere"}])
def test_a_mapping_of_nothing_is_refused(first, second, flows, proposer, mapping):  # noqa: F811
    flows.started(first, amount=21)

    with pytest.raises(ChangeNotProposed):
        asked_to_move(first, second, proposer, mapping)

    assert moving.move_agreed_once() == 0


def test_versions_of_two_flows_are_not_mixed(first, flows, proposer):  # noqa: F811
    other = flows.published(TIMER, process="q")

    for old, new in ((first, other), (first, first)):
        with pytest.raises(ChangeNotProposed):
            asked_to_move(old, new, proposer)


def words_of(case_id, officer):  # noqa: F811
    return [line.words for line in case(case_id=case_id, principal=officer, at=now()).history]


def test_another_list_of_cases_than_was_agreed_to_is_refused(
    first,  # noqa: F811
    second,
    flows,
    proposer,  # noqa: F811
    officer,  # noqa: F811
):
    running = flows.started(first, amount=21)
    case_id = asked_to_move(first, second, proposer)
    later = flows.started(first, amount=22)

    decided(officer)

    assert moving.move_agreed_once() == 0
    assert [store.read_instance(each).definition for each in (running, later)] == [first.digest] * 2
    assert "Other cases are running" in words_of(case_id, officer)[-1]


def test_what_is_agreed_to_names_each_case_and_what_was_found(first, flows, proposer, officer):  # noqa: F811
    stopped = flows.published(TIMER, process="q")
    renamed = flows.published(TIMER.replace('"wait"', '"pause"'), process="q")
    running = [flows.started(stopped) for _ in range(2)]
    other = flows.published(TIMER.replace("PT1H", "PT2H"), process="q")
    case_id = asked_to_move(stopped, other, proposer)
    before = asked(proposer, case_id)

    assert sorted(before["instances"]) == sorted(str(each) for each in running)
    assert before["report_hash"] != hash_of(
        dry_run(old_digest=stopped.digest, old=stopped.definition, new=renamed.definition), {}
    )
    assert before["report_hash"] == hash_of(
        dry_run(old_digest=stopped.digest, old=stopped.definition, new=other.definition), {}
    )


def asked(proposer, case_id):  # noqa: F811
    changes = changes_asked(principal=proposer)
    return next(each.parameters for each in changes if each.case_id == case_id)
