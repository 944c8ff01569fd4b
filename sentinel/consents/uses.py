"""Data uses in force for a purpose, and what the customers concerned have said to them.

A bank begins with the uses that Sentinel ships; each is replaced by what two people set since.
What rests on consent is used once it was given, for as long as it is not withdrawn; what rests on
a legitimate interest until the customer objects. The law and a contract ask nobody.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from sentinel.store import run_one

Ground = Literal["consent", "contract", "legal_obligation", "legitimate_interest"]
ASKED_OF_CUSTOMERS = frozenset({"consent", "legitimate_interest"})
_SHIPPED = Path(__file__).with_name("first_uses.json")
_USES = """
SELECT DISTINCT ON (purpose, data_class) purpose, data_class, ground, is_permitted, set_at
FROM sentinel_data_use ORDER BY purpose, data_class, position DESC
"""
_SAID = """
SELECT DISTINCT ON (subject, purpose, data_class) subject, purpose, data_class, is_given, said_at
FROM sentinel_consent WHERE subject = ANY (%s)
ORDER BY subject, purpose, data_class, position DESC
"""


@dataclass(frozen=True, slots=True)
class DataUse:
    """One class of data that a purpose may see, on a ground; `set_at` is None as shipped."""

    purpose: str
    data_class: str
    ground: str
    is_permitted: bool = True
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConsentView:
    """A use that a customer may give or withdraw, and whether their data is used for it now."""

    use: DataUse
    is_used: bool
    said_at: datetime | None


@lru_cache(maxsize=1)
def shipped_uses() -> Mapping[tuple[str, str], DataUse]:
    """Return the uses a bank begins with, by purpose and class."""
    said = json.loads(_SHIPPED.read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            (purpose, name): DataUse(purpose, name, ground)
            for purpose, classes in said.items()
            for name, ground in classes.items()
        }
    )


def shipped_purposes() -> frozenset[str]:
    """Return the purposes a bank begins with."""
    return frozenset(purpose for purpose, _ in shipped_uses())


def data_uses() -> tuple[DataUse, ...]:
    """Return every use of data that is or was permitted, as it stands, by purpose and class."""
    known = {**shipped_uses()}
    for purpose, name, ground, is_permitted, set_at in run_one(_USES):
        known[purpose, name] = DataUse(purpose, name, ground, is_permitted, set_at)
    return tuple(known[key] for key in sorted(known))


def data_refusals(*, purpose: str, subjects: Sequence[str]) -> Mapping[str, str] | None:
    """Return which classes a purpose may see of these customers: "" or the code of why not.

    A class that is not named is not permitted; None says that the purpose is unknown. What one of
    several customers refuses is refused for all of them; with nobody named, consent is missing.
    """
    uses = [each for each in data_uses() if each.purpose == purpose]
    if not uses:
        return None
    asked = any(each.ground in ASKED_OF_CUSTOMERS for each in uses)
    said = _said(subjects) if asked else {}
    return {
        each.data_class: _refusal(
            each, [said.get((who, purpose, each.data_class)) for who in subjects]
        )
        for each in uses
        if each.is_permitted
    }


def consents_of(*, subject: str) -> tuple[ConsentView, ...]:
    """Return what a customer may give, withdraw or object to, and how each stands."""
    said = _said([subject])
    views = []
    for each in data_uses():
        if each.is_permitted and each.ground in ASKED_OF_CUSTOMERS:
            answer = said.get((subject, each.purpose, each.data_class))
            views.append(
                ConsentView(each, not _refusal(each, [answer]), answer[1] if answer else None)
            )
    return tuple(views)


def _refusal(use: DataUse, answers: Sequence[tuple[bool, datetime] | None]) -> str:
    if use.ground not in ASKED_OF_CUSTOMERS:
        return ""
    if any(answer is not None and not answer[0] for answer in answers):
        return "consent_withdrawn" if use.ground == "consent" else "objected"
    is_missing = not answers or any(answer is None for answer in answers)
    return "consent_missing" if use.ground == "consent" and is_missing else ""


def _said(subjects: Sequence[str]) -> dict[tuple[str, str, str], tuple[bool, datetime]]:
    rows = run_one(_SAID, [list(subjects)])
    return {(who, purpose, name): (given, at) for who, purpose, name, given, at in rows}
