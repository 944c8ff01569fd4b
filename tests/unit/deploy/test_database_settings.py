"""Which database, as whom."""

from psycopg.conninfo import conninfo_to_dict

from deploy.settings.database import administrator, conninfo, databases, pooled

SERVER = "postgres://teller:s%40fe@db.example:6432/bank?sslmode=require"


def test_embedded_connects_as_each_role_through_the_private_socket():
    aliases = databases({}, "/home/anna/my bank/var/postgres")

    assert {name: alias["USER"] for name, alias in aliases.items()} == {
        "default": "frontline_app",
        "owner": "frontline_owner",
    }
    assert {alias["HOST"] for alias in aliases.values()} == {"/home/anna/my bank/var/postgres"}
    assert {alias["NAME"] for alias in aliases.values()} == {"frontline"}


def test_server_login_takes_the_role_of_each_alias():
    aliases = databases({"DATABASE_URL": SERVER}, "")

    default = aliases["default"]
    assert default["OPTIONS"] == {"sslmode": "require", "options": "-c role=frontline_app"}
    assert aliases["owner"]["OPTIONS"]["options"] == "-c role=frontline_owner"
    assert (default["USER"], default["PASSWORD"]) == ("teller", "s@fe")
    assert (default["HOST"], default["PORT"], default["NAME"]) == ("db.example", "6432", "bank")


def test_owner_may_have_a_login_of_its_own():
    environment = {"DATABASE_URL": SERVER, "DATABASE_OWNER_URL": "postgres://dba@db.example/bank"}

    aliases = databases(environment, "")

    assert aliases["owner"]["USER"] == "dba"
    assert aliases["default"]["USER"] == "teller"
    assert administrator(environment, "")["USER"] == "dba"


def test_another_database_name_reaches_every_alias():
    environment = {"DATABASE_URL": SERVER, "FRONTLINE_DATABASE": "elsewhere"}

    names = {alias["NAME"] for alias in databases(environment, "").values()}

    assert names == {"elsewhere"}
    assert administrator(environment, "")["NAME"] == "elsewhere"


def test_libpq_is_told_the_role_and_no_setting_of_django():
    default = pooled(databases({"DATABASE_URL": SERVER}, "")["default"], size_max=4)

    words = conninfo_to_dict(conninfo(default))

    assert words == {
        "host": "db.example",
        "port": "6432",
        "dbname": "bank",
        "user": "teller",
        "password": "s@fe",
        "sslmode": "require",
        "options": "-c role=frontline_app",
    }
