"""The part of the door about who may decide what, and who is remembered; `public.py` offers it."""

from orchestration.cases import CaseRecord, cases_about
from orchestration.documents import Document, documents_about
from orchestration.operating.authority import (
    AuthorityRefused,
    ask_authority,
    authority_change,
    authority_changes,
)
from orchestration.operating.consents import ConsentRefused, say_consent
from orchestration.operating.forgetting import (
    SubjectChangeRefused,
    ask_subject_change,
    subject_change,
    subject_changes,
)
from orchestration.operating.governing import (
    ChangeOfRulesRefused,
    ask_change_of_rules,
    change_of_rules,
    changes_of_rules,
)

__all__ = [
    "AuthorityRefused",
    "CaseRecord",
    "ChangeOfRulesRefused",
    "ConsentRefused",
    "Document",
    "SubjectChangeRefused",
    "ask_authority",
    "ask_change_of_rules",
    "ask_subject_change",
    "authority_change",
    "authority_changes",
    "cases_about",
    "change_of_rules",
    "changes_of_rules",
    "documents_about",
    "say_consent",
    "subject_change",
    "subject_changes",
]
