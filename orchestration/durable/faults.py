"""Named points at which a crash test kills this process. Without the variable nothing happens."""

import os
import signal

_VARIABLE = "FRONTLINE_CRASH_AT"
POINTS = (
    "after_start",
    "before_call",
    "after_effect",
    "before_commit",
    "after_commit",
    "after_step_up",
    "after_approval",
)


def crash_point(name: str) -> None:
    """Kill this process as a power cut would, if the environment asks for it at this point."""
    if os.environ.get(_VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
