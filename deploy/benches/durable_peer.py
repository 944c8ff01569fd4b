"""DBOS beside our engine: the same ten trivial steps, on the same server, in the same minutes.

Runs under another interpreter, which has dbos; nothing of ours needs it. Reads seconds from its
input, a line a round, works for so long and writes how many steps it has made durable:

    PYTHON durable_peer.py postgresql+psycopg://owner@/database?host=/socket WORKER
"""

import importlib
import sys
import time
from typing import Any

STEPS = 10


def main(url: str, worker: str) -> None:
    """Work round by round until the input ends."""
    dbos: Any = importlib.import_module("dbos")
    engine = dbos.DBOS
    engine(
        config={
            "name": f"bench{worker}",
            "system_database_url": url,
            "run_admin_server": False,
            "log_level": "ERROR",
            "executor_id": f"bench{worker}",
        }
    )

    one = engine.step()(_one)

    def _ten() -> int:
        return sum(one(number)["reference"] for number in range(STEPS))

    ten = engine.workflow()(_ten)
    engine.launch()
    ten()
    _say("ready")
    for line in sys.stdin:
        end, done = time.perf_counter() + float(line), 0
        cpu = time.process_time()
        while time.perf_counter() < end:
            ten()
            done += STEPS
        _say(f"{done} {time.process_time() - cpu:.3f}")
    engine.destroy()


def _one(number: int) -> dict[str, int]:
    return {"reference": number}


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:3])
