"""Who may decide what, and emergencies: asked for from pages, told on every page of colleagues."""

from orchestration.public import (
    AuthorityRefused,
    ChangeOfRulesRefused,
    ask_authority,
    ask_change_of_rules,
    authority_change,
    authority_changes,
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
