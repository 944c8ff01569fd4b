"""Web, worker and tick run apart, on servers, as a login that owns nothing."""

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import psycopg
import pytest
from channels_redis.core import RedisChannelLayer
from kombu import Connection
from psycopg import sql

from deploy.home import SOURCE
from deploy.settings.database import administrator, conninfo
from tests.banks import wait_until

NEEDED = ("DATABASE_URL", "BROKER_URL", "CHANNELS_URL")


@pytest.fixture(scope="module", autouse=True)
def servers():
    """Fail where no servers are named: whoever asks for these tests must hear that none ran."""
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        pytest.fail(f"server mode needs {', '.join(missing)}", pytrace=False)


@pytest.fixture(scope="module")
def database(servers):
    """Make a database and a login of our own on the server, and take them away again."""
    name = login = f"frontline_servers_{os.getpid()}"
    password = secrets.token_hex(8)
    given = {**administrator({"DATABASE_URL": os.environ["DATABASE_URL"]}, ""), "NAME": "postgres"}
    with psycopg.connect(conninfo(given), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(login), password)
        )
        host = f"{given['HOST']}:{given['PORT'] or 5432}"
        yield {
            "administrator": f"postgres://{given['USER']}:{given['PASSWORD']}@{host}/{name}",
            "application": f"postgres://{login}:{password}@{host}/{name}",
        }
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


@pytest.fixture(scope="module")
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def environment(database, tmp_path_factory):
    own = {name: word for name, word in os.environ.items() if not name.startswith("FRONTLINE_")}
    return {
        **own,
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "DATABASE_OWNER_URL": "none",
        "DATABASE_URL": database["application"],
        "DJANGO_SETTINGS_MODULE": "deploy.settings.production",
        "FRONTLINE_DATA_KEY": secrets.token_hex(32),
        "FRONTLINE_HOME": str(tmp_path_factory.mktemp("home")),
        "FRONTLINE_SECRET_KEY": secrets.token_hex(32),
    }


def manage(environment, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=SOURCE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def prepared(environment, database):
    owner = {
        "DATABASE_ADMIN_URL": database["administrator"],
        "DATABASE_OWNER_URL": database["administrator"],
    }
    made = manage({**environment, **owner}, "prepare_database")
    assert made.returncode == 0, made.stdout + made.stderr
    again = manage({**environment, **owner}, "prepare_database")
    assert "No migrations to apply" in again.stdout, again.stderr
    return environment


@pytest.fixture(scope="module")
def running(prepared, port):
    """Start the three programs, each on its own."""
    programs = [("web", "--port", str(port)), ("worker",), ("tick",)]
    processes = [
        subprocess.Popen([sys.executable, "manage.py", *program], cwd=SOURCE, env=prepared)
        for program in programs
    ]
    yield processes
    for process in processes:
        process.terminate()
    _web, worker, tick = [process.wait(30) for process in processes]
    assert (worker, tick) == (0, 0)


def status(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except OSError:
        return 0


def worker_listens():
    """Return whether a worker takes tasks: only then does it end politely when asked to."""
    with Connection(os.environ["BROKER_URL"]) as broker:
        try:
            queue = broker.default_channel.queue_declare("frontline", passive=True)
        except broker.channel_errors:
            return False
        return queue.consumer_count > 0


def test_the_bank_is_ready_when_its_programs_run_apart(running, port):
    assert wait_until(lambda: status(port, "/health/live") == 200, 60)
    assert wait_until(lambda: status(port, "/health/ready") == 200, 60)
    assert wait_until(worker_listens, 60)
    assert all(process.poll() is None for process in running)


def test_the_login_of_the_application_owns_and_makes_nothing(prepared, database):
    with psycopg.connect(
        database["application"], options="-c role=frontline_app", autocommit=True
    ) as connection:
        owned = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = 'frontline_app'::regrole"
            " AND relnamespace = 'public'::regnamespace"
        ).fetchone()

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE public.mine (id int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("TRUNCATE sentinel_legal_entity")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SET ROLE frontline_owner")

    assert owned == (0,)


def test_secrets_that_are_missing_are_named(prepared):
    bare = {name: word for name, word in prepared.items() if name != "FRONTLINE_DATA_KEY"}

    refused = manage(bare, "check")

    assert refused.returncode != 0
    assert "FRONTLINE_DATA_KEY" in refused.stderr


def test_broker_and_channels_carry_words():
    with Connection(os.environ["BROKER_URL"]) as broker:
        queue = broker.SimpleBuffer(f"frontline-test-{os.getpid()}")
        queue.put({"words": "hello"})
        message = queue.get(timeout=10)
        message.ack()
        queue.close()

    async def through_redis():
        layer = RedisChannelLayer(hosts=[os.environ["CHANNELS_URL"]])
        channel = await layer.new_channel()
        await layer.group_add("case.1", channel)
        await layer.group_send("case.1", {"type": "update"})
        received = await asyncio.wait_for(layer.receive(channel), 10)
        await layer.close_pools()
        return received

    assert message.payload == {"words": "hello"}
    assert asyncio.run(through_redis())["type"] == "update"
