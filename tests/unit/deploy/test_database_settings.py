"""Which database, as whom."""

import os
import subprocess
import sys

import pytest
from psycopg.conninfo import conninfo_to_dict

from deploy.home import SOURCE
from deploy.settings.database import administrator, conninfo, databases, owner_problem, pooled

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


def test_programs_that_need_no_owner_get_no_way_to_act_as_it():
    environment = {"DATABASE_URL": SERVER, "DATABASE_OWNER_URL": "none"}

    assert set(databases(environment, "")) == {"default"}
    assert administrator(environment, "")["USER"] == "teller"
    assert owner_problem(environment) == ""


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        (None, "Set DATABASE_OWNER_URL"),
        ("", "Set DATABASE_OWNER_URL"),
        (SERVER, "names the login of DATABASE_URL"),
        ("postgres://teller@db.example:6432/other", "names the login of DATABASE_URL"),
        ("postgres://dba@db.example:6432/bank", ""),
        ("none", ""),
    ],
)
def test_a_server_is_not_used_with_one_login_for_both_roles(owner, words):
    environment = {"DATABASE_URL": SERVER}
    if owner is not None:
        environment["DATABASE_OWNER_URL"] = owner

    problem = owner_problem(environment)

    assert words in problem
    assert bool(problem) is bool(words)


@pytest.mark.parametrize(
    ("owner", "status"), [({}, 1), ({"DATABASE_OWNER_URL": "none"}, 0)], ids=["missing", "none"]
)
def test_production_does_not_start_without_saying_who_the_owner_is(tmp_path, owner, status):
    own = {name: word for name, word in os.environ.items() if "DATABASE" not in name}
    environment = {
        **own,
        "ALLOWED_HOSTS": "bank.example",
        "BROKER_URL": "redis://broker.example",
        "CHANNELS_URL": "redis://channels.example",
        "DATABASE_URL": SERVER,
        "DJANGO_SETTINGS_MODULE": "deploy.settings.production",
        "FRONTLINE_DATA_KEY": "00" * 32,
        "FRONTLINE_HOME": str(tmp_path),
        "FRONTLINE_SECRET_KEY": "secret",
        **owner,
    }
    asked = [sys.executable, "-c", "from deploy.settings import production"]

    ran = subprocess.run(
        asked, cwd=SOURCE, env=environment, capture_output=True, text=True, check=False
    )

    assert ran.returncode == status, ran.stderr
    assert ("Set DATABASE_OWNER_URL: for prepare_database" in ran.stderr) is bool(status)
