"""Runs the same work from several processes at once, round by round, interleaved with others."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType

from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

_STOP = 0.0


@dataclass(frozen=True, slots=True)
class Timed:
    """Units of work of which only a part is measured: that took so many seconds."""

    units: int
    seconds: float


Work = Callable[[], "int | Timed"]
# Called once in each client; returns the work, which returns how many units it has done.
Prepare = Callable[[int], Work]


@dataclass(frozen=True, slots=True)
class Round:
    """What all clients did together in one round."""

    units: int
    seconds: float
    latencies_ms: tuple[float, ...]

    @property
    def per_second(self) -> float:
        """Return units of work per second."""
        return self.units / self.seconds

    @property
    def per_busy_second(self) -> float:
        """Return units per second of what was measured of them; for one client at a time."""
        return self.units * 1_000 / sum(self.latencies_ms)


class Clients:
    """Several processes with a connection each, waiting to be told to work for a while."""

    def __init__(self, prepare: Prepare, count: int) -> None:
        leave_no_connection()
        context = multiprocessing.get_context("fork")
        self._pipes: list[Connection] = []
        self._processes: list[BaseProcess] = []
        for index in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, prepare, index), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        for pipe in self._pipes:
            _answer(pipe)

    def __enter__(self) -> "Clients":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A later client holds a copy of these pipes, so closing them alone would end nobody.
        for pipe in self._pipes:
            with suppress(BrokenPipeError):
                pipe.send(_STOP)
            pipe.close()
        for process in self._processes:
            process.join(10)

    def work(self, seconds: float) -> Round:
        """Let every client work for some seconds and return what they did together."""
        began = time.perf_counter()
        for pipe in self._pipes:
            pipe.send(seconds)
        answers = [_answer(pipe) for pipe in self._pipes]
        elapsed = time.perf_counter() - began
        return Round(
            units=sum(units for units, _ in answers),
            seconds=elapsed,
            latencies_ms=tuple(sample for _, samples in answers for sample in samples),
        )


class ClientFailed(Exception):
    """A client's work raised; its words are in the error."""

    code = "client_failed"
    is_retryable = False

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def interleaved(
    workloads: Mapping[str, tuple[Prepare, int]],
    *,
    rounds: int,
    seconds: float,
    after_round: Callable[[float], object] = lambda _seconds: None,
) -> dict[str, list[Round]]:
    """Run every workload in turn, several times, so that the machine's weather hits all alike.

    `after_round` works as long in each round, the first included, for whoever is no client.
    """
    measured: dict[str, list[Round]] = {name: [] for name in workloads}
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(Clients(prepare, count))
            for name, (prepare, count) in workloads.items()
        }
        for number in range(rounds + 1):
            for name, clients in running.items():
                done = clients.work(seconds)
                if number:  # The first round warms caches and plans.
                    measured[name].append(done)
            after_round(seconds)
    return measured


def median_rate(rounds: list[Round]) -> float:
    """Return the median of units per second over the rounds."""
    return statistics.median(each.per_second for each in rounds)


def median_ratio(above: list[Round], below: list[Round]) -> float:
    """Return the median of the ratios of rounds that ran next to each other."""
    return statistics.median(a.per_second / b.per_second for a, b in zip(above, below, strict=True))


def median_busy_rate(rounds: list[Round]) -> float:
    """Return the median of units per measured second over the rounds of one client."""
    return statistics.median(each.per_busy_second for each in rounds)


def median_busy_ratio(above: list[Round], below: list[Round]) -> float:
    """Return the median of the ratios of neighbouring rounds, by measured seconds."""
    pairs = zip(above, below, strict=True)
    return statistics.median(a.per_busy_second / b.per_busy_second for a, b in pairs)


def percentile_ms(rounds: list[Round], share: float) -> float:
    """Return the latency below which a share of all units stayed, in milliseconds."""
    samples = sorted(sample for each in rounds for sample in each.latencies_ms)
    return samples[min(len(samples) - 1, int(share * len(samples)))] if samples else 0.0


def leave_no_connection() -> None:
    """Close connections and pools: a forked process would share sockets and miss the threads."""
    for connection in connections.all():
        connection.close()
        if isinstance(connection, DatabaseWrapper):
            connection.close_pool()


def _serve(pipe: Connection, prepare: Prepare, index: int) -> None:
    """Run in a client: work whenever told to, until the other side hangs up."""
    try:
        unit = prepare(index)
        pipe.send((0, []))
        while (seconds := pipe.recv()) != _STOP:
            pipe.send(_work(unit, seconds))
    except Exception as error:  # noqa: BLE001 - carried to the parent, which raises it
        pipe.send(f"{type(error).__name__}: {error}")


def _work(work: Work, seconds: float) -> tuple[int, list[float]]:
    units = 0
    samples: list[float] = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        done = work()
        if not isinstance(done, Timed):
            done = Timed(done, time.perf_counter() - began)
        units += done.units
        samples.append(done.seconds * 1_000)
    return units, samples


def _answer(pipe: Connection) -> tuple[int, list[float]]:
    answer = pipe.recv()
    if isinstance(answer, str):
        raise ClientFailed(answer)
    units, samples = answer
    return units, samples
