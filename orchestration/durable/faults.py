"""Named points at which a crash test kills this process. Without the variable nothing happens."""

import os
import signal
from collections import Counter

VARIABLE = "FRONTLINE_CRASH_AT"
POINTS = (
    "after_start",
    "before_call",
    "after_effect",
    "before_commit",
    "after_commit",
    "after_step_up",
    "after_approval",
)
_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Kill this process as a power cut would, if the environment asks for it here.

    The variable names a point, or a point and which passing of it: `before_commit:2`.
    """
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return
    _passed[name] += 1
    point, _, number = wanted.partition(":")
    if point == name and _passed[name] == int(number or 1):
        os.kill(os.getpid(), signal.SIGKILL)
