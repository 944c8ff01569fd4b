"""Named points at which a crash test kills this process. Without the variable nothing happens."""

import os
import signal
from collections import Counter
from threading import Lock

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
# Where workers commit what they do for many instances, or call by call.
WORKER_POINTS = (
    "after_claim",
    "before_call",
    "after_effect",
    "before_batch_commit",
    "after_batch_commit",
    "before_step_commit",
    "after_step_commit",
)
# Around the commits of a call that is made apart from its instance, beside those of other branches.
APART_POINTS = (
    "before_batch_commit",
    "after_batch_commit",
    "before_step_commit",
    "after_step_commit",
    "apart_claimed",
    "apart_made",
    "apart_answered",
)
# Between the commits of an effect that another system keeps.
OUTSIDE_POINTS = (
    "after_commit",
    "effect_claimed",
    "effect_decided",
    "effect_begun",
    "call_claimed",
    "call_answered",
    "call_concluded",
    "effect_answered",
)
_passed: Counter[str] = Counter()
_counting = Lock()
# Read once: a step passes several points, and must not pay for looking each time.
_WANTED = os.environ.get(VARIABLE)


def crash_point(name: str) -> None:
    """Kill this process as a power cut would, if the environment asks for it here.

    The variable names a point, or a point and which passing of it: `before_commit:2`.
    """
    if _WANTED is None:
        return
    with _counting:
        _passed[name] += 1
        times = _passed[name]
    point, _, number = _WANTED.partition(":")
    if point == name and times == int(number or 1):
        os.kill(os.getpid(), signal.SIGKILL)
