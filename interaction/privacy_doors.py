"""The part of the door that is about what the bank remembers of somebody; `public.py` offers it."""

from orchestration.public import (
    SubjectChangeRefused,
    ask_subject_change,
    subject_change,
    subject_changes,
)

__all__ = [
    "SubjectChangeRefused",
    "ask_subject_change",
    "subject_change",
    "subject_changes",
]
