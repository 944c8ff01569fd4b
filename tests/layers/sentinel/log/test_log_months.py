from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection

from sentinel.log.months import log_months, open_months_once
from sentinel.log.records import append
from sentinel.log.sequencer import run_sequencer_once

pytestmark = pytest.mark.django_db(transaction=True)


def at(moment: datetime) -> UUID:
    """Return an identifier of version 7 that was made at a moment."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | 0b10 << 62 | uuid4().int >> 70)


def put(identifier: UUID) -> UUID:
    with connection.cursor() as cursor:
        return append(cursor, kind="issued", body={}, new_id=lambda: identifier)


def place(identifier: UUID) -> str:
    """Return the name of the partition that holds a record."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM sentinel_record WHERE id = %s", [identifier]
        )
        return cursor.fetchone()[0].removeprefix("sentinel_record_")


def opened(superuser_connection, first: str, count: int = 1) -> int:
    return superuser_connection.execute(
        "SELECT count(sentinel_open_month((%s::date + make_interval(months => n))::date))"
        " FROM generate_series(0, %s) n",
        [first, count - 1],
    ).fetchone()[0]


def test_record_made_now_lies_in_the_month_of_now(entity):
    with connection.cursor() as cursor:
        record = append(cursor, kind="issued", body={})

    assert place(record) == f"{datetime.now(UTC):%Y_%m}"


def test_this_month_and_two_more_are_open_and_opening_again_changes_nothing(entity):
    months = [each.name for each in log_months()]

    assert len(months) == 4
    assert months[0] == f"{datetime.now(UTC):%Y-%m}"
    assert months[-1] == "other"
    assert open_months_once() == 0
    assert [each.name for each in log_months()] == months


def test_the_first_and_the_last_moment_of_a_month_lie_in_it(entity, superuser_connection):
    opened(superuser_connection, "2031-02-01", 2)

    first = put(at(datetime(2031, 2, 1, tzinfo=UTC)))
    last = put(at(datetime(2031, 2, 28, 23, 59, 59, 999_000, tzinfo=UTC)))
    after = put(at(datetime(2031, 3, 1, tzinfo=UTC)))

    assert [place(each) for each in (first, last, after)] == ["2031_02", "2031_02", "2031_03"]


def test_record_of_a_month_nobody_opened_moves_when_it_is_opened(entity, superuser_connection):
    early, other = put(at(datetime(2033, 5, 9, tzinfo=UTC))), put(uuid4())
    run_sequencer_once()
    before = superuser_connection.execute("SELECT * FROM sentinel_record ORDER BY id").fetchall()
    assert (place(early), place(other)) == ("other", "other")

    assert opened(superuser_connection, "2033-05-01") == 1

    after = superuser_connection.execute("SELECT * FROM sentinel_record ORDER BY id").fetchall()
    assert after == before
    assert (place(early), place(other)) == ("2033_05", "other")


def test_one_identifier_is_taken_once_across_all_months(entity):
    record = put(uuid4())

    with pytest.raises(Exception, match="duplicate key"):
        put(record)


@pytest.mark.parametrize("partition", ["month", "other"])
def test_partition_is_fenced_and_append_only_like_the_whole(
    entity, dsn, owner_connection, partition
):
    record = put(uuid4()) if partition == "other" else put(at(datetime.now(UTC)))
    table = f"sentinel_record_{place(record)}"

    with psycopg.connect(dsn, autocommit=True) as application:
        application.execute("SELECT set_config('frontline.entity', %s, false)", [entity])
        for statement in (
            f"SELECT FROM {table}",
            f"INSERT INTO {table} SELECT * FROM sentinel_record",
            f"UPDATE {table} SET body = ''",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
            f"ALTER TABLE sentinel_record DETACH PARTITION {table}",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                application.execute(statement)

    assert owner_connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    owner_connection.execute("SELECT set_config('frontline.entity', %s, false)", [entity])
    assert owner_connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)
    for statement in (f"UPDATE {table} SET body = ''", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(psycopg.Error) as refused:
            owner_connection.execute(statement)
        assert refused.value.sqlstate == "FL001"


def test_the_application_opens_months_by_the_clock_only(entity, dsn):
    with psycopg.connect(dsn, autocommit=True) as application:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("SELECT sentinel_open_month('2031-01-01')")
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            application.execute("SELECT sentinel_open_months(1000)")
