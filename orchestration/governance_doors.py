"""The part of Orchestration's door that is about who may decide what; `public.py` offers it."""

from orchestration.operating.authority import (
    AuthorityRefused,
    ask_authority,
    authority_change,
    authority_changes,
)
from orchestration.operating.governing import (
    ChangeOfRulesRefused,
    ask_change_of_rules,
    change_of_rules,
    changes_of_rules,
)

__all__ = [
    "AuthorityRefused",
    "ChangeOfRulesRefused",
    "ask_authority",
    "ask_change_of_rules",
    "authority_change",
    "authority_changes",
    "change_of_rules",
    "changes_of_rules",
]
