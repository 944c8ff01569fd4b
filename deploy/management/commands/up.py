"""`manage.py up`: the whole bank on one machine, in one terminal."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from types import FrameType
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from django.core.management import get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy import processes, programs
from deploy.embedded.archiving import archive_settings
from deploy.embedded.place import EmbeddedUnavailable, place_for
from deploy.embedded.server import AlreadyRunning, EmbeddedPostgres
from deploy.greeting import Greeting
from deploy.home import SOURCE, home, keys
from deploy.installation import BankRuns, only_one, write_note
from deploy.keys import key_in
from deploy.management.commands.seed import CUSTOMERS_MAX, CUSTOMERS_MIN
from deploy.ports import PORT, PortTaken, free_port, listener
from deploy.safekeeping.unfinished import require_settled
from deploy.supervisor import Child, Supervisor
from deploy.witness import vkey_in

READY_SECONDS_MAX = 60
_WATCH_SECONDS = 0.2
_MANAGE = SOURCE / "manage.py"


class Command(BaseCommand):
    help = "Run the bank: database, pages, workers and loops. Ctrl-C ends all of it."
    # The checks ask the database, which is not up yet.
    requires_system_checks = ()
    _processor_port = 0

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, help=f"default: the first free from {PORT}")
        parser.add_argument("--host", default=programs.HOST)
        parser.add_argument(
            "--customers", type=int, default=40, help="of the sample bank; 0 makes none"
        )
        parser.add_argument(
            "--fresh",
            action=argparse.BooleanOptionalAction,
            default=False,
            help="empty the embedded database and begin anew",
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - argparse's own values
        if options["customers"] and not CUSTOMERS_MIN <= options["customers"] <= CUSTOMERS_MAX:
            raise CommandError(
                f"--customers must be 0 or between {CUSTOMERS_MIN} and {CUSTOMERS_MAX}."
            )
        require_settled()
        self._begin = time.monotonic()
        self._stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop_soon)
        try:
            with only_one(home()):
                self._run(options)
        except BankRuns as running:
            self.stdout.write(str(running))
        except (PortTaken, EmbeddedUnavailable, AlreadyRunning) as refusal:
            raise CommandError(str(refusal)) from refusal

    def _run(self, options: dict[str, Any]) -> None:
        pages = listener(options["port"], options["host"])
        url = f"http://{options['host']}:{pages.getsockname()[1]}"
        postgres = self._postgres(is_fresh=options["fresh"])
        environment = self._environment(postgres)
        children = self._children(environment, pages.fileno())
        supervisor = Supervisor(children, postgres, self._say)
        try:
            self._prepare(environment, options["customers"])
            supervisor.children[:0] = self._witness(environment)
            self._watch(supervisor, url, environment)
        finally:
            self._say("stopping")
            supervisor.stop()
            self._say("stopped")

    def _watch(self, supervisor: Supervisor, url: str, environment: dict[str, str]) -> None:
        """Keep everything running until a signal comes; greet when the first page answers."""
        named = [each.name for each in supervisor.children]
        self._say(f"starting {', '.join(named[:-1])} and {named[-1]}")
        supervisor.watch()
        give_up_at = time.monotonic() + READY_SECONDS_MAX
        welcome = ("welcome", url, "--process", str(os.getpid()))
        greeting = Greeting(lambda: self._begun(environment, *welcome))
        is_noted = False
        while not self._stopping.wait(_WATCH_SECONDS):
            supervisor.watch()
            if is_noted:
                greeting.go_on()
            elif _is_live(url):
                is_noted = True
                write_note(home(), url=url)
            elif time.monotonic() > give_up_at:
                give_up_at = float("inf")
                self._say(f"no page answers yet at {url}; see {home() / 'logs'}")

    def _postgres(self, *, is_fresh: bool) -> EmbeddedPostgres | None:
        if "DATABASE_URL" in os.environ:
            if is_fresh:
                raise CommandError(
                    "--fresh empties the embedded database only, not DATABASE_URL's."
                )
            return None
        if is_fresh:
            self._say("emptying the database")
            shutil.rmtree(place_for(home()).data)
        self._say("starting PostgreSQL")
        archiving = archive_settings(os.environ, home())
        postgres = EmbeddedPostgres(home(), self._say, archiving)
        postgres.start()
        return postgres

    def _environment(self, postgres: EmbeddedPostgres | None) -> dict[str, str]:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        if postgres is not None and postgres.place is not None:
            environment["FRONTLINE_SOCKET"] = str(postgres.place.socket)
        if not environment.get("CARD_PROCESSOR_URL"):
            self._processor_port = free_port(programs.HOST)
            environment["CARD_PROCESSOR_URL"] = f"http://{programs.HOST}:{self._processor_port}"
            environment["CARD_PROCESSOR_KEY"] = key_in(keys(), "card-processor")
        return environment

    def _children(self, environment: dict[str, str], pages: int) -> list[Child]:
        logs = home() / "logs"
        logs.mkdir(exist_ok=True)
        simulated = [
            Child(
                "card processor simulator",
                programs.card_processor(storage=home() / "simulators", port=port),
                environment,
                logs / "card-processor-simulator.log",
            )
            for port in [self._processor_port]
            if port
        ]
        return [
            *simulated,
            Child(
                "web",
                programs.web_on(descriptor=pages),
                environment,
                logs / "web.log",
                kept=(pages,),
            ),
            Child("worker", programs.worker(), environment, logs / "worker.log"),
            Child("tick", programs.tick(manage=_MANAGE), environment, logs / "tick.log"),
        ]

    def _witness(self, environment: dict[str, str]) -> list[Child]:
        """Return the witness of this machine, unless others are named or there is no log yet.

        Its key and its memory stand in a folder of their own. A witness counts for more on a
        machine that whoever runs the bank cannot change: name that one in FRONTLINE_WITNESSES.
        """
        if environment.get("FRONTLINE_WITNESSES") or self._stopping.is_set():
            return []
        log_keys = self._log_keys(environment)
        if not log_keys:
            return []
        storage, port = home() / "outside-witness", free_port(programs.HOST)
        environment["FRONTLINE_WITNESSES"] = f"http://{programs.HOST}:{port} {vkey_in(storage)}"
        return [
            Child(
                "witness",
                programs.witness(storage=storage, port=port, log_keys=log_keys),
                environment,
                home() / "logs" / "witness.log",
            )
        ]

    def _log_keys(self, environment: dict[str, str]) -> list[str]:
        listed = subprocess.run(
            [sys.executable, str(_MANAGE), "keys", "list", "--json"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return [
            each["verification_key"]
            for each in json.loads(listed.stdout)
            if each["purpose"] == "log"
        ]

    def _prepare(self, environment: dict[str, str], customers: int) -> None:
        self._say("preparing the database")
        self._manage(environment, "prepare_database")
        if customers and "seed" in get_commands():
            self._manage(environment, "seed_once", "--customers", str(customers))
        if not self._stopping.is_set():
            # Rules change by two people, never by a start: this only says so.
            self._begun(environment, "bundles", "list", "--quiet").wait()

    def _manage(self, environment: dict[str, str], *arguments: str) -> None:
        """Run a command of ours to its end; a signal meanwhile ends it and us."""
        if self._stopping.is_set():
            return
        child = self._begun(environment, *arguments)
        while child.poll() is None:
            if self._stopping.wait(0.05):
                processes.stop(child, first=signal.SIGTERM, seconds=5)
                return
        if child.returncode:
            raise CommandError(f"{arguments[0]} failed; its words are above.")

    def _begun(self, environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
        return processes.spawn(
            [sys.executable, str(_MANAGE), *arguments],
            environment=environment,
            last_signal=signal.SIGKILL,
        )

    def _say(self, words: str) -> None:
        self.stdout.write(f"  {time.monotonic() - self._begin:5.1f} s  {words}")
        self.stdout.flush()

    def _stop_soon(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()


def _is_live(url: str) -> bool:
    try:
        with urlopen(f"{url}/health/live", timeout=1) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
