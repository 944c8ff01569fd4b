"""What people are shown of versions and of each other before they decide something."""

from dataclasses import replace
from uuid import uuid4

import pytest

from orchestration.public import (
    Absence,
    NewWorker,
    ProposalUnknown,
    TaskFilters,
    change_of_case,
    changes_asked,
    colleagues,
    compare_proposal,
    could_take,
    enlist,
    enter_absence,
    proposal_verdicts,
    steps_of,
    tasks,
    teams,
    version_files,
)
from tests.authority import found_bank, now
from tests.layers.orchestration.flows import SCRIPTS
from tests.layers.orchestration.test_versions import (  # noqa: F401  (fixtures)
    SECOND,
    decided,
    first,
    officer,
    proposed,
    proposer,
)


@pytest.fixture(autouse=True)
def rules(db):
    found_bank()


def test_a_proposal_is_compared_with_what_it_was_made_from(first, proposer):  # noqa: F811
    case_id = proposed(proposer)
    (asked,) = changes_asked(process="p", principal=proposer)

    both = compare_proposal(proposal_id=asked.id, principal=proposer)

    assert (both.old_version, both.new_version) == (1, None)
    assert {each.element for each in both.changes} == {"double", "check"}
    assert (asked.case_id, asked.kind, asked.standing) == (case_id, "publish", "asked")
    assert asked.asked_by == proposer.id
    assert changes_asked(process="q", principal=proposer) == ()


def test_running_cases_are_judged_against_a_proposal(first, flows, proposer):  # noqa: F811
    flows.started(first, amount=21)
    proposed(proposer, bpmn=SECOND)
    (asked,) = changes_asked(process="p", principal=proposer)

    (verdict,) = proposal_verdicts(proposal_id=asked.id, principal=proposer)

    assert (verdict.verdict.value, verdict.nodes) == ("safe", ("check",))


@pytest.mark.parametrize("read", [compare_proposal, proposal_verdicts])
def test_what_was_never_proposed_is_not_compared(first, proposer, read):  # noqa: F811
    with pytest.raises(ProposalUnknown):
        read(proposal_id=uuid4(), principal=proposer)


@pytest.mark.parametrize(("verdict", "standing"), [("approve", "made"), ("reject", "refused")])
def test_a_change_says_what_became_of_it(first, proposer, officer, verdict, standing):  # noqa: F811
    proposed(proposer)
    decided(officer, verdict)

    (asked,) = changes_asked(principal=proposer)

    assert asked.standing == standing
    assert asked.outcome


def test_only_who_may_read_its_case_is_shown_the_change_of_a_case(first, proposer, officer):  # noqa: F811
    case_id = proposed(proposer)

    assert change_of_case(case_id=case_id, principal=officer).process == "p"
    assert change_of_case(case_id=case_id, principal=proposer) is None
    assert change_of_case(case_id=uuid4(), principal=officer) is None


def test_a_version_gives_its_files_and_steps(first, proposer):  # noqa: F811
    files = version_files(digest=first.digest, principal=proposer)

    assert (files.version, files.bpmn) == (1, first.bpmn)
    assert {step.id for step in steps_of(digest=first.digest, principal=proposer)} >= {
        "double",
        "check",
    }


def test_colleagues_are_shown_with_load_and_why_they_cannot(flows, employee):
    other, away = (replace(employee, id=f"employee:{uuid4()}") for _ in range(2))
    enlist(workers=[NewWorker(each.id, each.roles, (), 4) for each in (employee, other, away)])
    enlist(workers=[NewWorker("employee:x", ("underwriter",), (), 4)])
    absence = Absence(uuid4(), away.id, now(), now().replace(year=now().year + 1))
    enter_absence(absence=absence, principal=away, at=now())
    flows.started(flows.published(SCRIPTS), amount=21)
    (task,) = tasks(principal=employee, filters=TaskFilters())

    found = {
        each.principal_id: each.why_not
        for each in could_take(task_id=task.id, principal=employee, at=now())
    }

    assert found == {other.id: "", away.id: "They are away."}
    staff = colleagues(principal=employee, at=now())
    assert sum(each.open_count for each in staff) == 1
    assert teams() == tuple(sorted({*employee.roles, "underwriter"}))


def test_who_supervises_nobody_sees_their_own_roles_only(employee):
    adviser = replace(employee, id=f"employee:{uuid4()}", roles=("adviser",))
    enlist(workers=[NewWorker(each.id, each.roles) for each in (employee, adviser)])

    assert [each.principal_id for each in colleagues(principal=adviser, at=now())] == [adviser.id]
    assert len(colleagues(principal=employee, at=now())) == 2
    assert colleagues(principal=replace(adviser, kind="customer"), at=now()) == ()
