"""The part of Sentinel's door that is about emergencies; `public.py` offers all of it."""

from sentinel.emergency.changes import EMERGENCY_CHANGES, emergency_problem, liftable_kinds
from sentinel.emergency.register import Emergency, emergencies, running_emergencies

__all__ = [
    "EMERGENCY_CHANGES",
    "Emergency",
    "emergencies",
    "emergency_problem",
    "liftable_kinds",
    "running_emergencies",
]
