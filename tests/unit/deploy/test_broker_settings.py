"""pgmq reaches the same database as the same role, whatever is in the path."""

import pytest
from pgmq.base import PGMQConfig
from psycopg.conninfo import conninfo_to_dict

from deploy.settings.broker import broker_options, broker_url
from deploy.settings.database import databases

HARD = "/home/anna's/my \\ bank/var"


def reached_by_pgmq(database):
    options = broker_options(broker_url({}), database)
    return conninfo_to_dict(PGMQConfig(conn_string=options["conn_string"]).dsn)


@pytest.mark.parametrize("folder", ["/var/bank", "/home/anna/my bank/var", HARD])
def test_embedded_database_is_reached_through_any_path(folder):
    reached = reached_by_pgmq(databases({}, folder)["default"])

    assert (reached["host"], reached["dbname"]) == (folder, "frontline")
    assert reached["user"] == "frontline_app"


def test_server_is_reached_as_the_application():
    url = "postgres://teller:s%40fe%27@db.example:6432/bank?sslmode=require"

    reached = reached_by_pgmq(databases({"DATABASE_URL": url}, "")["default"])

    assert reached == {
        "host": "db.example",
        "port": "6432",
        "dbname": "bank",
        "user": "teller",
        "password": "s@fe'",
        "sslmode": "require",
        "options": "-c role=frontline_app",
    }


def test_a_broker_that_is_named_is_used():
    assert broker_url({"BROKER_URL": "amqp://broker//"}) == "amqp://broker//"
    assert broker_options("amqp://broker//", {}) == {}
    assert broker_options("redis://broker/0", {}) == {"visibility_timeout": 300}
