"""Another durable engine beside ours, in processes of an interpreter that has it."""

import os
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from django.conf import settings

from deploy.benches.report import Goal

VARIABLE = "FRONTLINE_BENCH_PEER"
PROGRAM = Path(__file__).with_name("durable_peer.py")


def peer_goal() -> Mapping[str, Goal]:
    """Return the goal of the comparison, if there is one."""
    return {"steps_over_peer": Goal(4.0)} if os.environ.get(VARIABLE) else {}


class Peers:
    """Processes of the peer, waiting to be told to work for a while; none without a peer."""

    def __init__(self, interpreter: str | None, count: int) -> None:
        self.rates: list[float] = []
        self._processes: list[subprocess.Popen[str]] = []
        # One after the other: the first makes the peer's tables.
        for number in range(count if interpreter else 0):
            process = subprocess.Popen(
                [str(interpreter), str(PROGRAM), _address(), str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self._processes.append(process)
            self._answer(process)

    @classmethod
    def from_environment(cls, count: int) -> "Peers":
        """Start what the environment names."""
        return cls(os.environ.get(VARIABLE), count)

    def __enter__(self) -> "Peers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes:
            with suppress(BrokenPipeError, subprocess.TimeoutExpired):
                process.communicate(timeout=20)
            process.kill()
            process.wait()

    def work(self, seconds: float) -> None:
        """Let all work for some seconds and keep how many steps they made in one."""
        if not self._processes:
            return
        began = time.perf_counter()
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(f"{seconds}\n")
            process.stdin.flush()
        steps = sum(int(self._answer(each).split()[0]) for each in self._processes)
        self.rates.append(steps / (time.perf_counter() - began))

    def _answer(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        answer = process.stdout.readline()
        if not answer:
            raise PeerFailed(str(process.args))
        return answer


class PeerFailed(Exception):
    """The peer ended; its words are above."""

    code = "peer_failed"
    is_retryable = False

    def __init__(self, program: str) -> None:
        super().__init__(program)
        self.program = program


def _address() -> str:
    """Return our own database's address, as the owner, in the words of the peer's library."""
    database = settings.DATABASES["owner"]
    user = database["USER"] + (f":{quote(database['PASSWORD'])}" if database["PASSWORD"] else "")
    if database["HOST"].startswith("/"):
        return f"postgresql+psycopg://{user}@/{database['NAME']}?host={quote(database['HOST'])}"
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgresql+psycopg://{user}@{database['HOST']}{port}/{database['NAME']}"
