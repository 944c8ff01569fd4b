"""People are told of work that presses: in the workspace, by a message, once, and only theirs."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

import grand_central.public
from orchestration.durable import sweeping
from orchestration.durable.doorbell import database_time
from orchestration.public import (
    NewWorker,
    NoticeUnknown,
    TaskFilters,
    claim,
    complete,
    enlist,
    notices,
    notify_once,
    see_notice,
    tasks,
)
from sentinel.vocabulary import Principal
from tests.authority import found_bank, throw
from tests.layers.orchestration.flows import SCRIPTS


class Clock:
    """A clock that the test moves."""

    def __init__(self):
        self.offset = timedelta(0)

    def __call__(self):
        return database_time() + self.offset


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def bank(transactional_db, entity):
    found_bank()


def person(*roles, entity="meridian-nl"):
    key = uuid4()
    return Principal(f"employee:{key}", "employee", str(key), entity, roles)


@pytest.fixture
def opened(bank, flows, clock):
    flows.started(flows.published(SCRIPTS), at=clock(), amount=21)
    (task,) = tasks(principal=flows.employee, filters=TaskFilters())
    return task


def run(clock):
    sweeping.sweep(limit=10, clock=clock)
    return notify_once(clock=clock)


def mail(principal):
    return [each.template for each in grand_central.public.mailbox(recipient=principal.id)]


def said(principal):
    return [(each.kind, each.words, each.title) for each in notices(principal=principal)]


def test_nobody_is_told_while_there_is_time(opened, employee, clock):
    clock.offset = timedelta(hours=1)

    assert run(clock) == 0
    assert said(employee) == []


def test_the_holder_is_told_before_the_deadline_and_the_role_after_it(opened, employee, clock):
    colleague, adviser = person("operations"), person("adviser")
    enlist(
        workers=[
            NewWorker(employee.id, ("operations",)),
            NewWorker(colleague.id, ("operations",)),
            NewWorker(adviser.id, ("adviser",)),
        ]
    )
    clock.offset = opened.warn_at - database_time() + timedelta(minutes=1)

    run(clock)
    run(clock)

    (holder, other) = sorted((employee, colleague), key=lambda who: len(said(who)), reverse=True)
    (task,) = tasks(principal=employee, filters=TaskFilters())
    assert task.assigned_to == holder.id
    assert said(holder) == [("escalated", "Brought forward", "Check 42")]
    assert said(other) == said(adviser) == []
    assert (mail(holder), mail(other), mail(adviser)) == (["task_escalated"], [], [])

    clock.offset = opened.due_at - database_time() + timedelta(minutes=1)
    run(clock)
    run(clock)

    assert [kind for kind, _words, _title in said(holder)] == ["overdue", "escalated"]
    assert said(other) == [("overdue", "Overdue", "Check 42")]
    assert sorted(mail(holder)) == ["task_escalated", "task_overdue"]
    assert (mail(other), mail(adviser)) == (["task_overdue"], [])


def test_a_notice_is_seen_by_one_and_still_shown_to_the_other(opened, employee, clock):
    colleague, adviser = person("operations"), person("adviser")
    clock.offset = opened.warn_at - database_time() + timedelta(minutes=1)
    run(clock)
    (notice,) = notices(principal=employee)

    with pytest.raises(NoticeUnknown):
        see_notice(notice_id=notice.id, principal=adviser, at=clock())
    see_notice(notice_id=notice.id, principal=employee, at=clock())
    see_notice(notice_id=notice.id, principal=employee, at=clock())

    assert said(employee) == []
    assert [each.id for each in notices(principal=colleague)] == [notice.id]


def test_what_is_done_presses_nobody(opened, employee, clock):
    clock.offset = opened.warn_at - database_time() + timedelta(minutes=1)
    run(clock)
    claim(task_id=opened.id, principal=employee, at=clock())

    complete(task_id=opened.id, principal=employee, answer={}, comment="", at=clock())

    assert said(employee) == []


def test_who_may_not_do_a_task_is_not_told_of_it(opened, employee, clock):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orch_task SET excluded = ARRAY[%s]", [employee.id])
    enlist(workers=[NewWorker(employee.id, ("operations",))])
    clock.offset = opened.warn_at - database_time() + timedelta(minutes=1)

    run(clock)

    assert said(employee) == []
    assert mail(employee) == []


def test_without_a_permission_nothing_is_sent_and_the_workspace_still_tells(
    opened, employee, clock
):
    enlist(workers=[NewWorker(employee.id, ("operations",))])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sentinel_redemption")
        before = cursor.fetchone()
    throw("action:messages.send")
    clock.offset = opened.warn_at - database_time() + timedelta(minutes=1)

    run(clock)

    assert [kind for kind, _words, _title in said(employee)] == ["escalated"]
    assert mail(employee) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sentinel_redemption")
        assert cursor.fetchone() == (before[0] + 1,)
        cursor.execute("SELECT state FROM orch_notice_message")
        assert cursor.fetchall() == [("refused",)]


def test_who_has_left_the_role_is_told_nothing(opened, employee, clock):
    clock.offset = opened.warn_at - database_time() + timedelta(minutes=1)
    run(clock)

    assert said(replace(employee, roles=())) == []
