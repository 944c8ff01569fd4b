"""Many colleagues reach for one task, and many clicks answer one card: one of them counts."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from django.db import connections

import orchestration.public
from orchestration.public import TaskFilters, TaskGone, TaskTaken
from sentinel.public import legal_entity
from sentinel.vocabulary import Principal

COLLEAGUES = 8


def at_once(work, count):
    """Run `work(index)` in threads with connections of their own; return what each gave back."""

    def one(index):
        try:
            with legal_entity(entity="meridian-nl"):
                return work(index)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def adviser(index):
    return Principal(
        id=f"employee:{uuid4()}",
        kind="employee",
        person_id=f"person:{index}",
        entity="meridian-nl",
        roles=("adviser",),
    )


def test_a_task_is_claimed_by_one(bank):
    bank.chat().says("I want to talk to a person")
    (task,) = orchestration.public.tasks(principal=bank.employees["eva"], filters=TaskFilters())
    people = [adviser(index) for index in range(COLLEAGUES)]

    def reach(index):
        try:
            return orchestration.public.claim(
                task_id=task.id, principal=people[index], at=bank.clock.now()
            ).claimed_by
        except TaskTaken:
            return None

    holders = [holder for holder in at_once(reach, COLLEAGUES) if holder]

    assert len(holders) == 1
    kept = orchestration.public.task(task_id=task.id, principal=bank.employees["eva"])
    assert kept.claimed_by == holders[0]


def test_a_task_is_completed_by_one(bank):
    bank.chat().says("I want to talk to a person")
    (task,) = orchestration.public.tasks(principal=bank.employees["eva"], filters=TaskFilters())
    people = [adviser(index) for index in range(COLLEAGUES)]

    def finish(index):
        try:
            orchestration.public.complete(
                task_id=task.id,
                principal=people[index],
                answer={"result": "Called the customer."},
                comment="",
                at=bank.clock.now(),
            )
        except TaskGone:
            return 0
        return 1

    assert sum(at_once(finish, COLLEAGUES)) == 1


def test_invariant_03_many_clicks_on_one_confirmation_pay_once(bank):
    chat = bank.chat()
    before = bank.transfers()
    shown = chat.says("pay Hendriks Vastgoed 250 euro")
    card = next(card for card in shown.cards if card.kind == "confirm_payment")

    replies = at_once(lambda _index: chat.answers(card, answer="confirm").text, COLLEAGUES)

    assert len(set(replies)) == 1
    (step_up,) = chat.cards("step_up")
    code = chat.code()
    at_once(lambda _index: chat.answers(step_up, answer="code", code=code).text, COLLEAGUES)
    assert bank.transfers() == before + 1
