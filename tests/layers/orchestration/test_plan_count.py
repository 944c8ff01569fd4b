"""How many plans a person proposes in a minute: counted once for all processes."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, connections

from orchestration.public import TooManyPlans, count_plan
from sentinel.public import legal_entity
from tests.layers.orchestration.flows import AT


def count(person, at, times):
    for _ in range(times):
        count_plan(principal=person, at=at)


def test_the_sixty_first_plan_of_a_minute_is_refused_with_how_long_to_wait(employee):
    count(employee, AT, 60)

    with pytest.raises(TooManyPlans) as refused:
        count_plan(principal=employee, at=AT + timedelta(seconds=20))

    assert (refused.value.code, refused.value.seconds) == ("too_many_plans", 40)


def test_a_minute_later_there_is_room_again(employee):
    count(employee, AT, 60)
    with pytest.raises(TooManyPlans):
        count_plan(principal=employee, at=AT + timedelta(seconds=59))

    count(employee, AT + timedelta(seconds=60), 60)

    with pytest.raises(TooManyPlans):
        count_plan(principal=employee, at=AT + timedelta(seconds=60))


def test_each_person_is_counted_alone(employee):
    count(employee, AT, 60)

    count_plan(principal=replace(employee, id="customer:another"), at=AT)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count FROM orch_plan_count ORDER BY count")
        assert [row[0] for row in cursor.fetchall()] == [1, 60]


@pytest.mark.django_db(transaction=True)
def test_processes_that_ask_at_once_share_one_count(employee, entity):
    count(employee, AT, 57)
    start, admitted = Barrier(8), []

    def ask():
        start.wait()
        try:
            with legal_entity(entity=entity):
                count_plan(principal=employee, at=AT)
                admitted.append(True)
        except TooManyPlans:
            pass
        finally:
            connections.close_all()

    threads = [Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(admitted) == 3
