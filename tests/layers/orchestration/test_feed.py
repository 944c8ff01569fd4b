"""The feed gives out every line once, also those of a transaction that commits late."""

import psycopg
import pytest

from orchestration.public import CursorNotUnderstood, events_after
from tests.layers.orchestration.flows import AT

INSERT = "INSERT INTO orch_event (type, subject, occurred_at, payload) VALUES (%s, %s, %s, '{}')"


def writer(dsn):
    connection = psycopg.connect(dsn)
    connection.execute("SELECT set_config('frontline.entity', 'meridian-nl', false)")
    connection.commit()
    return connection


@pytest.mark.django_db(transaction=True)
def test_a_late_committer_is_not_skipped(dsn, entity):
    with writer(dsn) as late, writer(dsn) as early:
        late.execute(INSERT, ["late", "s", AT])
        early.execute(INSERT, ["early", "s", AT])
        early.commit()

        assert events_after(cursor="", limit=10) == ()

        late.commit()
        first = events_after(cursor="", limit=1)
        rest = events_after(cursor=first[0].cursor, limit=10)

    assert [event.type for event in (*first, *rest)] == ["late", "early"]


def test_a_cursor_of_another_feed_is_refused(entity):
    with pytest.raises(CursorNotUnderstood):
        events_after(cursor="yesterday", limit=1)
