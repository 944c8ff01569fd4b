"""A round through the legal entities: what ails one is told, and holds up no other."""

import threading

import pytest

from deploy.heartbeats import heartbeats
from deploy.rounds import EachEntity, EntitiesFailed
from deploy.ticking import Loop
from sentinel.entities import register_legal_entity
from sentinel.public import (
    LegalEntity,
    current_entity,
    legal_entities,
    legal_entity,
)

# A failure closes the connection, as in the ticking process.
pytestmark = pytest.mark.django_db(transaction=True)


class Ailing(RuntimeError):
    code = "feed_not_understood"


@pytest.fixture
def entities():
    for entity, country in (("meridian-nl", "NL"), ("meridian-be", "BE")):
        with legal_entity(entity=entity):
            register_legal_entity(registered=LegalEntity(entity, "Bank", country, "EUR"))
    found = tuple(each.entity for each in legal_entities())
    assert len(found) > 1
    return found


def test_a_legal_entity_that_fails_holds_up_no_other(entities):
    served = []

    def work():
        if current_entity() == entities[0]:
            raise Ailing
        served.append(current_entity())

    each = EachEntity("ingest", work, 0.25)
    with pytest.raises(EntitiesFailed) as failed:
        each()
    with pytest.raises(EntitiesFailed):
        each()

    assert served == list(entities[1:]) * 2
    assert failed.value.entities == (entities[0],)
    assert failed.value.code == "feed_not_understood"


def test_one_that_fails_is_asked_again_later_and_counts_as_well_once_it_works(entities):
    tried = []

    def work():
        tried.append(current_entity())
        if len(tried) == 1:
            raise Ailing

    each = EachEntity("ingest", work, 0.0)
    with pytest.raises(EntitiesFailed):
        each()
    each()

    assert tried == [*entities, *entities]


def test_a_loop_tells_of_the_failure_and_does_not_slow_down(entities):
    def work():
        if current_entity() == entities[0]:
            raise Ailing

    loop = Loop("ingest", EachEntity("ingest", work, 60.0), 60.0, threading.Event())
    loop._work_once()
    loop._work_once()

    assert loop.failures == 0
    (beaten,) = [each for each in heartbeats() if each.loop == "ingest"]
    assert beaten.failures_in_a_row == 2
