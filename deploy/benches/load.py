"""Many flows at once, worked on by several processes of which one is killed: none lost, none twice.

A file of items begins an instance each; every instance waits for its time, then for its message,
then makes three steps that each leave a line in its case, in the step's own transaction. What the
tables say afterwards is counted: whatever was lost or done twice shows.
"""

import multiprocessing
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.context import ForkProcess
from uuid import UUID, uuid5

from django.db import connection

import orchestration.public
import sentinel.public
from deploy.benches import bank, drawings
from deploy.benches.catalogue import Effort
from deploy.benches.clients import leave_no_connection
from deploy.benches.report import Goal, Report
from sentinel.vocabulary import Principal

WORKERS = 4
STEPS = ("first", "second", "third")
PROCESS = "bench_load"
MESSAGE = "bench_paid"
BEGUN_AT_ONCE = 200
PATIENCE_SECONDS = 900.0
LOOK_SECONDS = 0.25
OPERATOR = Principal(
    "employee:bench", "employee", "employee:bench", bank.ENTITY, roles=("operations", "employee")
)
_HEARD = (
    '<intermediateCatchEvent id="heard"><extensionElements><frontline:correlation value="= key"/>'
    '</extensionElements><messageEventDefinition messageRef="paid"/></intermediateCatchEvent>'
)
# How it came out: instances begun, completed, with a gap or a repetition in their history; lines of
# steps in all and of different steps; ends told in all and of different instances; instances that
# took a message; timers fired.
_OUTCOME = """
WITH run AS (SELECT id, case_id, status, rev FROM orch_instance WHERE process = %(process)s)
SELECT (SELECT count(*) FROM run),
       (SELECT count(*) FROM run WHERE status = 'completed'),
       (SELECT count(*) FROM run WHERE rev <> (
            SELECT count(DISTINCT h.seq) FROM orch_history h
             WHERE h.instance_id = run.id AND h.seq < run.rev)),
       (SELECT count(*) FROM orch_case_note n JOIN run ON run.case_id = n.case_id
         WHERE n.reference = ANY(%(steps)s)),
       (SELECT count(DISTINCT (n.case_id, n.reference)) FROM orch_case_note n
          JOIN run ON run.case_id = n.case_id WHERE n.reference = ANY(%(steps)s)),
       (SELECT count(*) FROM orch_event
         WHERE type = 'instance.ended' AND subject LIKE 'instance:%%'),
       (SELECT count(DISTINCT subject) FROM orch_event
         WHERE type = 'instance.ended' AND subject LIKE 'instance:%%'),
       (SELECT count(DISTINCT instance_id) FROM orch_message
         WHERE name = %(message)s AND state = 'delivered'),
       (SELECT count(*) FROM orch_history h JOIN run ON run.id = h.instance_id
         WHERE h.event LIKE '~["t",%%')
"""


def measure(effort: Effort) -> Report:
    """Begin, move and end everything, and count what came of it."""
    began = time.perf_counter()
    count, ahead = (200, 3.0) if effort.is_smoke else (10_000, 30.0)
    bank.open_bank(customers=1)
    _publish()
    with sentinel.public.legal_entity(entity=bank.ENTITY):
        batch_id = _hand_in(count, ahead)
    with _working() as workers, sentinel.public.legal_entity(entity=bank.ENTITY):
        figures = _carry(batch_id, workers, count)
        outcome = _outcome(count)
    whole = outcome.pop("whole")
    return Report(
        bench="load",
        ratios={"whole_over_begun": whole / count},
        figures={**figures, **outcome},
        limits={"instances": float(count), "workers": float(WORKERS)},
        seconds=time.perf_counter() - began,
        goals={"whole_over_begun": Goal(1.0)},
    )


def _publish() -> None:
    text = drawings.drawing(
        PROCESS,
        ["wait", "heard", *STEPS],
        drawings.WAIT + _HEARD + drawings.steps(STEPS),
        declared=f'<message id="paid" name="{MESSAGE}"/>',
    )
    content = {
        "queue": "load",
        "notes": {name: f"Done: {name}." for name in STEPS},
        "batches": {
            "load": {
                "key": "id",
                "variables": {"key": "= event.id", "until": "= event.until"},
                "running_max": 100_000,
            }
        },
    }
    drawings.publish({PROCESS: text}, {PROCESS: content})


def _hand_in(count: int, ahead: float) -> UUID:
    """Hand in a file whose items wait together, and come due within ten seconds of each other."""
    first = bank.now() + timedelta(seconds=ahead)
    lines = ["id,until"]
    lines += [
        f"{number},{(first + timedelta(seconds=10 * number / count)).isoformat()}"
        for number in range(count)
    ]
    handed_in = orchestration.public.load_batch(
        process=PROCESS,
        name="load",
        file_name="load.csv",
        content="\n".join(lines).encode(),
        principal=OPERATOR,
        at=bank.now(),
    )
    return handed_in.id


@contextmanager
def _working() -> Iterator[list[ForkProcess]]:
    """Let processes work as the ticking process does, until the block is over."""
    leave_no_connection()
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_work, daemon=True) for _ in range(WORKERS)]
    for each in workers:
        each.start()
    try:
        yield workers
    finally:
        for each in workers:
            each.kill()
            each.join()


def _work() -> None:
    with sentinel.public.legal_entity(entity=bank.ENTITY):
        while True:
            moved = orchestration.public.run_batches_once(rounds=1)
            moved += orchestration.public.run_due_once(limit=BEGUN_AT_ONCE)
            if not moved:
                time.sleep(LOOK_SECONDS)


def _carry(batch_id: UUID, workers: list[ForkProcess], count: int) -> dict[str, float]:
    """Send every message, kill a worker in the middle, and wait until no item is left."""
    began, sent, most, killed = time.perf_counter(), 0, 0, False
    view = orchestration.public.batch_run(batch_id=batch_id, principal=OPERATOR)
    while view.ended_at is None and time.perf_counter() - began < PATIENCE_SECONDS:
        for number in range(sent, min(count, sent + BEGUN_AT_ONCE)):
            _send(batch_id, number)
        sent = min(count, sent + BEGUN_AT_ONCE)
        view = orchestration.public.batch_run(batch_id=batch_id, principal=OPERATOR)
        most = max(most, view.running)
        if not killed and view.done >= count // 10:
            workers[0].kill()
            workers[0].join()
            killed = True
            sys.stderr.write(f"  one of {WORKERS} workers is killed; {view.done:,} items done\n")
        if sent == count:
            time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - began
    return {
        "running_at_once": float(most),
        "killed": float(killed),
        "seconds_to_the_end": seconds,
        "ended_per_s": view.done / seconds,
        "items_done": float(view.done),
        "items_failed": float(view.failed),
        "items_refused": float(view.refused),
        "items_not_over": float(view.items - view.over),
    }


def _send(batch_id: UUID, number: int) -> None:
    orchestration.public.publish_message(
        message_id=uuid5(batch_id, f"message|{number}"),
        name=MESSAGE,
        correlation=str(number),
        payload={"paid": number},
        at=bank.now(),
    )


def _outcome(count: int) -> dict[str, float]:
    with connection.cursor() as cursor:
        cursor.execute(
            _OUTCOME, {"process": PROCESS, "steps": list[str | None](STEPS), "message": MESSAGE}
        )
        begun, completed, torn, lines, steps, told, ended, heard, fired = cursor.fetchone()
    wanted = count * len(STEPS)
    lost = (count - completed) + (wanted - steps) + (count - ended) + (count - heard) + torn
    repeated = (begun - count) + (lines - steps) + (told - ended) + (fired - count)
    return {
        "whole": float(completed if not lost and not repeated else 0),
        "timers_fired": float(fired),
        "messages_taken": float(heard),
        "effects": float(lines),
        "lost": float(lost),
        "repeated": float(repeated),
    }
