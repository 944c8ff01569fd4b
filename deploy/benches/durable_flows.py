"""Flows for the bench of the engine, published as a journey of their own, and how they are run."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from uuid import UUID, uuid4

import orchestration.public
import sentinel.public
from deploy.benches import bank, drawings
from sentinel.vocabulary import Principal

PRINCIPAL = Principal("system:bench", "system", "system:bench", bank.ENTITY, roles=("system",))
WAITING = "bench_waiting"


def chain(length: int, commit: str) -> str:
    """Return the process of so many steps in a row, with a commit per `step` or per `wait`."""
    return f"bench_{length}_{commit}"


def publish(lengths: tuple[int, ...]) -> None:
    """Publish the flows of the bench: one that waits, and steps in a row, committed both ways."""
    texts = {WAITING: drawings.drawing(WAITING, ["wait"], drawings.WAIT)}
    commits = {WAITING: "wait"}
    for length in lengths:
        names = [f"n{number}" for number in range(length)]
        for commit in ("step", "wait"):
            process = chain(length, commit)
            texts[process] = drawings.drawing(process, names, drawings.steps(names))
            commits[process] = commit
    drawings.publish(texts, {name: {"commit": commit} for name, commit in commits.items()})


class Work:
    """Begins runs of a flow in one case and moves them, as the worker of a batch run does."""

    def __init__(self, process: str, *, batch: int, steps: int) -> None:
        self.process, self.batch, self.steps = process, batch, steps
        self.case_id: UUID = uuid4()
        self._scope = ExitStack()
        self._scope.enter_context(sentinel.public.legal_entity(entity=bank.ENTITY))

    def __call__(self) -> int:
        """Begin a batch, move what is due, and return how many steps that made."""
        self.begin(self.batch, {})
        return self.move() * self.steps

    def begin(self, count: int, variables: dict[str, object]) -> list[UUID]:
        """Begin runs in one commit and return them."""
        return self.begin_each([variables] * count)

    def begin_each(self, variables: Sequence[dict[str, object]]) -> list[UUID]:
        """Begin a run with each of these variables, in one commit, and return them in order."""
        runs = [orchestration.public.NewRun(uuid4(), each) for each in variables]
        orchestration.public.begin_flows(
            process=self.process,
            runs=runs,
            principal=PRINCIPAL,
            at=bank.now() - timedelta(seconds=1),
            case_id=self.case_id,
        )
        return [each.id for each in runs]

    def move(self) -> int:
        """Look once for what is due, as the ticking process does; return how many moved."""
        return orchestration.public.run_due_once(limit=self.batch)

    def close(self) -> None:
        """Leave the legal entity."""
        self._scope.close()
