"""What is asked for by hand: overtaken by the end, and told with the two people behind it."""

from dataclasses import replace
from html import unescape

import pytest
from django.db import connection

import sentinel.public
from interaction.public import names_of
from orchestration.durable import control, store
from orchestration.durable.interventions import intervention
from orchestration.public import (
    InterventionRefused,
    cancel,
    case,
    change_instance,
    complete,
    incidents,
    pass_over,
    run_page,
)
from orchestration.worklist.rows import tasks_of_case
from tests.journeys.test_hostile_browser import signed_in
from tests.journeys.test_put_right import WHY, agree, begun, maker_of, second, told_overtaken
from tests.layers.orchestration.flows import CALLS, SCRIPTS

__all__ = ["begun", "second"]


def asked_to_change(bank, instance_id):
    return change_instance(
        instance_id=instance_id,
        principal=maker_of(bank),
        variables={"total": 1},
        moves={},
        reason=WHY,
        at=bank.clock.now(),
    )


def page_of(instance_id):
    answer = signed_in("omar").get(f"/workspace/running/{instance_id}/")
    return " ".join(unescape(answer.content.decode()).split())


def test_what_was_asked_for_is_overtaken_by_the_end_and_all_of_it_is_concluded(bank, begun, second):
    instance_id = begun(SCRIPTS, amount=21)
    asked, at = asked_to_change(bank, instance_id), bank.clock.now()
    case_id = store.read_instance(instance_id).case_id

    cancel(instance_id=instance_id, by=second.id, reason="Not needed.", at=at)

    assert intervention(asked.id).state == "overtaken"
    assert row_of(asked.id) == (at, None)
    assert sentinel.public.approval_request(request_id=asked.request_id).state == "closed"
    (task,) = (each for each in tasks_of_case(case_id) if each.kind == "approval")
    assert (task.state, task.closed_at) == ("cancelled", at)
    words = (
        "Not put right by hand: The case ended before a second person agreed. Asked for was:"
        f" total becomes 1. Reason given: {WHY}"
    )
    (line,) = (
        each
        for each in case(case_id=case_id, principal=second, at=at).history
        if "Not put right" in each.words
    )
    assert line.words == words
    assert words in page_of(instance_id)
    assert told_overtaken() == {maker_of(bank).id}


def test_a_question_that_was_overtaken_can_be_answered_no_more(bank, begun, second):
    instance_id = begun(SCRIPTS, amount=21)
    asked, at = asked_to_change(bank, instance_id), bank.clock.now()
    request = sentinel.public.approval_request(request_id=asked.request_id)
    cancel(instance_id=instance_id, by=second.id, reason="Not needed.", at=at)

    with pytest.raises(sentinel.public.ApprovalClosed):
        sentinel.public.approve(
            request_id=asked.request_id,
            approver=second,
            verdict="approve",
            comment=WHY,
            params_hash=request.params_hash,
            at=at,
        )
    with pytest.raises(InterventionRefused) as again:
        asked_to_change(bank, instance_id)

    assert again.value.reason == "already_ended"


def test_passing_over_is_overtaken_when_the_step_is_settled_otherwise(bank, begun, second):
    instance_id = begun(CALLS.format(call="read:balance", attempts=1), name="x", iban="NL")
    (fault,) = incidents(instance_id=instance_id, limit=5)
    at, maker = bank.clock.now(), maker_of(bank)
    asked = pass_over(incident_id=fault.id, principal=maker, output={}, reason=WHY, at=at)
    other = asked_to_change(bank, instance_id)

    control.retry(incident_id=fault.id, by=second.id, at=at)

    assert intervention(asked.id).state == "overtaken"
    assert sentinel.public.approval_request(request_id=asked.request_id).state == "closed"
    assert "The step was settled otherwise before a second person agreed." in page_of(instance_id)
    assert intervention(other.id).state == "waiting"
    assert sentinel.public.approval_request(request_id=other.request_id).state == "open"


def test_an_end_by_what_was_agreed_to_overtakes_the_others_and_not_itself(bank, begun, second):
    instance_id = begun(CALLS.format(call="read:balance", attempts=1), name="x", iban="NL")
    (fault,) = incidents(instance_id=instance_id, limit=5)
    at, maker = bank.clock.now(), maker_of(bank)
    asked = pass_over(incident_id=fault.id, principal=maker, output={"x": 1}, reason=WHY, at=at)
    case_id = store.read_instance(instance_id).case_id
    (task,) = (each for each in tasks_of_case(case_id) if each.kind == "approval")
    other = asked_to_change(bank, instance_id)

    complete(task_id=task.id, principal=second, answer={"verdict": "approve"}, comment=WHY, at=at)

    assert store.read_instance(instance_id).status == "completed"
    assert intervention(asked.id).state == "done"
    assert intervention(other.id).state == "overtaken"


def test_the_page_names_the_two_people_behind_what_was_put_right(bank, begun):
    instance_id = begun(CALLS.format(call="read:balance", attempts=1), name="x", iban="NL")
    (fault,) = incidents(instance_id=instance_id, limit=5)
    at, maker = bank.clock.now(), maker_of(bank)
    other = next(each for each in bank.employees.values() if each.id != maker.id)
    agreeing = replace(other, roles=maker.roles)
    pass_over(incident_id=fault.id, principal=maker, output={}, reason=WHY, at=at)

    agree(agreeing, at)

    lines = run_page(instance_id=instance_id, principal=maker, at=at).lines
    (line,) = (each for each in lines if each.words.endswith("passed over"))
    assert (line.by, line.agreed_by) == (maker.id, agreeing.id)
    names = names_of(principal_ids=[maker.id, agreeing.id])
    page = page_of(instance_id)
    asked, agreed = (names.get(each.id, "A colleague") for each in (maker, agreeing))
    assert f"{asked}, agreed by {agreed}" in page
    assert "decision:" not in page


def row_of(intervention_id):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT done_at, decision_id FROM orch_intervention WHERE id = %s", [intervention_id]
        )
        return cursor.fetchone()
