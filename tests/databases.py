"""The databases of one test run: a template made once, and clones of it that tests may spoil."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.embedded.server import EmbeddedPostgres
from deploy.settings.database import administrator, conninfo

SOURCE = Path(__file__).resolve().parent.parent
# What a crash would lose is of no interest here.
UNSAFE_AND_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "max_wal_size": "256MB",
}


MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 8 * 1024**3


class ServerLost(RuntimeError):
    """The PostgreSQL of this test process is gone: every test after this one would fail, too."""


@dataclass(slots=True)
class TestDatabases:
    """Makes databases on the embedded PostgreSQL, or on the server DATABASE_URL names."""

    __test__ = False

    home: Path
    run: str
    _server: EmbeddedPostgres | None = None

    @property
    def template(self) -> str:
        return f"frontline_template_{self.run}"

    def start(self) -> None:
        """Start the server unless one is given, and make the template."""
        if not os.environ.get("DATABASE_URL"):
            self._server = EmbeddedPostgres(self.home, _say, UNSAFE_AND_FAST)
            os.environ["FRONTLINE_SOCKET"] = str(self._server.start())
        made = subprocess.run(
            [sys.executable, "manage.py", "prepare_database"],
            cwd=SOURCE,
            env={**os.environ, "FRONTLINE_DATABASE": self.template},
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"The test database was not made:\n{made.stdout}\n{made.stderr}")

    def clone(self, name: str) -> None:
        """Make the named database anew from the template, ending every session in it."""
        self.copy(self.template, name)

    def copy(self, source: str, name: str) -> None:
        """Make the named database anew as a copy of another, ending every session in it."""
        # Where nothing is flushed, copying files takes a third of the time of logging pages.
        strategy = sql.SQL("STRATEGY file_copy" if self._server else "")
        with self.superuser("postgres") as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER frontline_owner {}").format(
                    sql.Identifier(name), sql.Identifier(source), strategy
                )
            )

    def drop(self, name: str) -> None:
        with self.superuser("postgres") as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def superuser(self, name: str) -> psycopg.Connection:
        """Return an autocommit connection of the administrator to the named database.

        Raises:
            ServerLost: the server ended before it was told to; its last words say how.
        """
        if self._server is not None and self._is_lost(self._server):
            raise ServerLost(self._server.last_words())
        settings = administrator(os.environ, os.environ.get("FRONTLINE_SOCKET", ""))
        return psycopg.connect(conninfo({**settings, "NAME": name}), autocommit=True)

    @staticmethod
    def _is_lost(server: EmbeddedPostgres) -> bool:
        # Whose folder is removed runs on for a minute, and nobody can reach it any more.
        has_data = server.place is not None and (server.place.data / "PG_VERSION").exists()
        return not (server.is_running() and has_data)

    def stop(self, *, is_started: bool) -> None:
        """End what was started and remove what was made."""
        if is_started and os.environ.get("DATABASE_URL"):
            self.drop(self.template)
        if self._server is not None:
            if self._is_lost(self._server):
                _say(self._server.last_words())
            self._server.stop()
        # The data may belong to the system user PostgreSQL runs as.
        shutil.rmtree(self.home, ignore_errors=True)


def in_memory() -> str | None:
    """Return a folder that lies in memory, if there is one with room: clones wait for no disk.

    What is tested with it survives the death of a process just as on a disk.
    """
    is_roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
    return str(MEMORY) if is_roomy and os.access(MEMORY, os.W_OK) else None


def fresh_home() -> Path:
    """Return a new folder for this run that the system user of PostgreSQL can reach."""
    home = Path(tempfile.mkdtemp(prefix="frontline-test-", dir=in_memory()))
    home.chmod(0o711)
    return home


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
