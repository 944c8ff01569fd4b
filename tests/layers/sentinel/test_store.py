"""Statements of the hot path, sent straight to libpq on the connection Django holds."""

import gc
from weakref import ref

import pytest
from django.db import DataError, OperationalError, connection, transaction
from psycopg.pq import TransactionStatus

from sentinel.public import count_written, run_statement
from sentinel.store import PLANS_MAX

pytestmark = pytest.mark.django_db(transaction=True)


def test_values_stand_in_order_or_by_name():
    in_order = run_statement(sql="SELECT %s::int - %s::int, 7 %% 4", parameters=[5, 3])
    by_name = run_statement(
        sql="SELECT %(a)s::int - %(b)s::int + %(a)s::int", parameters={"b": 3, "a": 5}
    )

    assert (in_order, by_name) == ([(2, 3)], [(7,)])


def test_values_of_several_types_come_back_as_they_went():
    given = ["it's 100%", b"\x00\xff", None, 2**40, True, ["a", 'b"c']]

    ((*back,),) = run_statement(
        sql="SELECT %s::text, %s::bytea, %s::uuid, %s::bigint, %s::boolean, %s::text[]",
        parameters=given,
    )

    assert back == given


def test_the_first_statement_opens_the_transaction_and_a_rollback_takes_it_back():
    with transaction.atomic():
        run_statement(sql="SELECT set_config('frontline.trial', %s, true)", parameters=["on"])
        is_open = connection.connection.pgconn.transaction_status

        transaction.set_rollback(True)

    ((left,),) = run_statement(sql="SELECT current_setting('frontline.trial', true)")
    assert (is_open, left) == (TransactionStatus.INTRANS, "")


def test_plans_outlive_a_rollback():
    statement = "SELECT %s::int"
    run_statement(sql=statement, parameters=[1])

    with transaction.atomic():
        connection.cursor().execute("SELECT 1")
        run_statement(sql=statement, parameters=[1])
        transaction.set_rollback(True)
    connection.cursor().execute("SELECT 1")

    assert run_statement(sql=statement, parameters=[2]) == [(2,)]


def test_a_text_beyond_those_kept_is_run_all_the_same():
    for number in range(PLANS_MAX + 2):
        ((found,),) = run_statement(sql=f"SELECT {number} + %s::int", parameters=[1])

        assert found == number + 1

    ((kept,),) = run_statement(sql="SELECT count(*) FROM pg_prepared_statements")
    assert kept == PLANS_MAX


def test_rows_written_are_counted():
    with transaction.atomic():
        connection.cursor().execute("CREATE TEMPORARY TABLE trial (n int) ON COMMIT DROP")

        written = count_written(sql="INSERT INTO trial VALUES (%s), (%s)", parameters=[1, 2])
        met = count_written(sql="UPDATE trial SET n = 3 WHERE n = %s", parameters=[9])

    assert (written, met) == (2, 0)


def test_what_the_server_refuses_is_raised_as_django_has_it():
    with pytest.raises(DataError), transaction.atomic():
        run_statement(sql="SELECT 1 / %s::int", parameters=[0])

    assert run_statement(sql="SELECT %s::int", parameters=[4]) == [(4,)]


def test_a_connection_that_was_closed_is_let_go():
    run_statement(sql="SELECT 1")
    raw = ref(connection.connection)

    connection.close()
    gc.collect()

    assert raw() is None


def test_a_lost_connection_is_an_operational_error(superuser_connection):
    run_statement(sql="SELECT 1")
    superuser_connection.execute(
        "SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid]
    )

    with pytest.raises(OperationalError):
        run_statement(sql="SELECT 1")
    with pytest.raises(OperationalError):
        run_statement(sql="SELECT 1")
