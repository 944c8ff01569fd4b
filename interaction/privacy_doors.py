"""The part of the door that is about what the bank remembers of somebody; `public.py` offers it."""

from interaction.access_report import (
    AccessReport,
    Category,
    access_report,
    as_json,
    personal_stores,
)
from orchestration.public import (
    SubjectChangeRefused,
    ask_subject_change,
    subject_change,
    subject_changes,
)

__all__ = [
    "AccessReport",
    "Category",
    "SubjectChangeRefused",
    "access_report",
    "as_json",
    "ask_subject_change",
    "personal_stores",
    "subject_change",
    "subject_changes",
]
