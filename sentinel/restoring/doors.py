"""The part of Sentinel's door that is about restores; `public.py` offers all of it."""

from sentinel.log.note import CheckpointRefused
from sentinel.log.proving import LogProof, prove_log
from sentinel.permits_proof import PermitsProof, prove_permits
from sentinel.restoring.continuity import AnotherHistory, Witnessed, compare_witnessed
from sentinel.restoring.gate import Gate, gate
from sentinel.restoring.memory import set_memory_aside, witnessed_notes

__all__ = [
    "AnotherHistory",
    "CheckpointRefused",
    "Gate",
    "LogProof",
    "PermitsProof",
    "Witnessed",
    "compare_witnessed",
    "gate",
    "prove_log",
    "prove_permits",
    "set_memory_aside",
    "witnessed_notes",
]
