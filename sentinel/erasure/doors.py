"""The part of Sentinel's door that is about forgetting; `public.py` offers all of it."""

from sentinel.erasure.changes import SUBJECT_CHANGES, subject_problem
from sentinel.erasure.register import (
    Erasure,
    LegalHold,
    SubjectStanding,
    erasures,
    legal_holds,
    reapply_erasures,
    subject_standing,
)
from sentinel.erasure.reporting import (
    AccessAbout,
    DecisionAbout,
    accesses_about,
    decisions_about,
)
from sentinel.sealing import SubjectSeal, subject_seal

__all__ = [
    "SUBJECT_CHANGES",
    "AccessAbout",
    "DecisionAbout",
    "Erasure",
    "LegalHold",
    "SubjectSeal",
    "SubjectStanding",
    "accesses_about",
    "decisions_about",
    "erasures",
    "legal_holds",
    "reapply_erasures",
    "subject_problem",
    "subject_seal",
    "subject_standing",
]
