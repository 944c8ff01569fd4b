"""The core's feed becomes facts: each event once, in order, none skipped."""

import json
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connection

import nexus.public
import sentinel.public
from deploy.settings.database import conninfo

pytestmark = pytest.mark.django_db(transaction=True)

ANNA = UUID(int=1)


@pytest.fixture
def core_writer(dsn):
    """Return a way to open transactions that write to the core's outbox, as its owner may."""
    opened = []

    def begin():
        writer = psycopg.connect(conninfo(settings.DATABASES["owner"]))
        writer.execute("SELECT set_config('frontline.entity', 'meridian-nl', false)")
        opened.append(writer)
        return writer

    yield begin
    for writer in opened:
        writer.close()


def announce(writer, name, event_type="party.registered", **more):
    payload = {"party_id": str(ANNA), "kind": "person", "name": name, **more}
    writer.execute(
        "INSERT INTO gc_outbox (event_id, type, subject, payload) VALUES (%s, %s, %s, %s)",
        [uuid4(), event_type, f"party:{ANNA}", json.dumps(payload)],
    )


def name_now():
    return nexus.public.customer_state(customer_id=ANNA).party["name"]


def test_event_is_taken_in_once(entity, core_writer):
    writer = core_writer()
    announce(writer, "Anna")
    writer.commit()

    first, second = nexus.public.ingest_once(), nexus.public.ingest_once()

    assert (first.ingested, second.ingested) == (1, 0)
    assert first.cursor == second.cursor == nexus.public.position()
    assert len(nexus.public.facts_of(subjects=[f"party:{ANNA}"])) == 1


def test_late_committer_is_not_skipped(entity, core_writer):
    slow, quick = core_writer(), core_writer()
    announce(slow, "Anna")
    announce(quick, "Anna de Vries")
    quick.commit()

    assert nexus.public.ingest_once().ingested == 0
    slow.commit()

    assert nexus.public.ingest_once().ingested == 2
    assert name_now() == "Anna de Vries"


def test_position_that_cannot_be_reached_yet_is_said_so(entity, core_writer):
    first, open_one, later = core_writer(), core_writer(), core_writer()
    announce(first, "Anna")
    first.commit()
    assert nexus.public.ingest_once().ingested == 1
    announce(open_one, "Anna de V.")
    announce(later, "Anna de Vries")
    position = later.execute("SELECT max(xact::text || ':' || position) FROM gc_outbox").fetchone()
    later.commit()

    state = nexus.public.customer_state(customer_id=ANNA, at_least=position[0])

    assert not state.is_current
    assert state.party["name"] == "Anna"


def test_invariant_07_event_of_the_wrong_shape_stops_ingestion_there(entity, core_writer):
    writer = core_writer()
    announce(writer, "Anna")
    writer.commit()
    nexus.public.ingest_once()
    reached = nexus.public.position()
    announce(writer, "Robot", kind="robot")
    writer.commit()

    with pytest.raises(nexus.public.EventNotUnderstood, match="kind"):
        nexus.public.ingest_once()

    assert nexus.public.position() == reached
    assert name_now() == "Anna"


def test_invariant_13_feed_of_another_entity_is_not_seen(entity, core_writer):
    writer = core_writer()
    announce(writer, "Anna")
    writer.commit()

    with sentinel.public.legal_entity(entity="meridian-be"):
        assert nexus.public.ingest_once().ingested == 0
        assert nexus.public.position() == ""

    assert nexus.public.ingest_once().ingested == 1


def test_own_feed_tells_whose_picture_moved(entity, core_writer):
    writer = core_writer()
    announce(writer, "Anna")
    writer.commit()
    nexus.public.ingest_once()

    (change,) = nexus.public.events_after(cursor="", limit=10)

    assert (change.customer_id, change.topics) == (ANNA, ("party",))
    assert nexus.public.events_after(cursor=change.position, limit=10) == ()


def test_application_cannot_write_the_core_feed(entity):
    with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gc_outbox (event_id, type, subject) VALUES (%s, 'x', 'x')", [ANNA]
        )
