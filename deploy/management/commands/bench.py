"""Measure hot paths beside their physical limits."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.benches.catalogue import BENCHES, FULL, SMOKE, bench
from deploy.benches.daytime import zone_at_noon
from deploy.benches.peers import VARIABLE as PEER
from deploy.embedded.server import EmbeddedPostgres
from deploy.settings.database import administrator, conninfo

_DATABASE = "frontline_bench"
_INNER = "FRONTLINE_BENCH_INNER"


class Command(BaseCommand):
    help = (
        "Measure a hot path beside its physical limit and print the ratio. Runs on a database of"
        " its own, which is made anew each time; the running bank is not touched."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=[*BENCHES, "list"], help="a bench, or `list`")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--smoke", action="store_true", help="show in seconds that it works")
        parser.add_argument("--peer", help="engine: an interpreter that has DBOS, run beside ours")
        parser.add_argument("--out", type=Path, help="also write the JSON to this file")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401
        if options["name"] == "list":
            for name, words in BENCHES.items():
                self.stdout.write(f"{name:<12} {words}")
        elif os.environ.get(_INNER):
            self._measure(options)
        else:
            self._measure_on_own_database()

    def _measure(self, options: dict[str, Any]) -> None:
        if options["peer"]:
            os.environ[PEER] = options["peer"]
        report = bench(options["name"])(SMOKE if options["smoke"] else FULL)
        self.stdout.write(report.as_json() if options["json"] else report.as_text())
        if options["out"]:
            options["out"].write_text(report.as_json() + "\n")

    def _measure_on_own_database(self) -> None:
        """Run this command again as a child, with settings that name the bench's database."""
        home = settings.FRONTLINE_HOME / "bench"
        environment = {
            **os.environ,
            "FRONTLINE_HOME": str(home),
            "FRONTLINE_DATABASE": _DATABASE,
            "FRONTLINE_TIME_ZONE": zone_at_noon(),
            _INNER: "1",
        }
        server = None if os.environ.get("DATABASE_URL") else EmbeddedPostgres(home, self._say)
        if server:
            environment["FRONTLINE_SOCKET"] = str(server.start())
        try:
            _drop(environment)
            _manage(environment, "prepare_database")
            finished = subprocess.run([sys.executable, *sys.argv], env=environment, check=False)
        finally:
            if server:
                server.stop()
        if finished.returncode:
            raise CommandError("The bench failed; its words stand above.", returncode=1)

    def _say(self, words: str) -> None:
        self.stderr.write(words)


def _drop(environment: dict[str, str]) -> None:
    """Remove what an earlier run left, so that every run measures the same."""
    server = administrator(environment, environment.get("FRONTLINE_SOCKET", ""))
    with psycopg.connect(conninfo({**server, "NAME": "postgres"}), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")


def _manage(environment: dict[str, str], *words: str) -> None:
    finished = subprocess.run(
        [sys.executable, sys.argv[0], *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise CommandError(f"{' '.join(words)} failed:\n{finished.stdout}{finished.stderr}")
