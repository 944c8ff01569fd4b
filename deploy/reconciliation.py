"""Outcome closure: tokens and the cores' statements compared, and a case for whatever differs.

Grand Central compares, orchestration opens the cases; only here both doors may be used. A process
may die between any two commits: what was found is kept, and each difference has one case.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

from django.db import transaction

import grand_central.public
import orchestration.public
import sentinel.public
from grand_central.public import ReconciliationRun, StatementDifference

NAMESPACE = UUID("3f2f0c0e-8f0b-5c7e-9c55-3f9f2a5d1b6e")
JOURNEY = "reconciliation"
ROLE = "operations"
NIGHTLY = "system:nightly"
_TITLES = {
    "effect_without_token": "An effect nobody allowed",
    "effect_not_stated": "An effect without a statement",
    "done_without_effect": "Recorded as done, and not done",
    "effect_despite_failure": "Recorded as failed, and done",
    "token_without_outcome": "A token whose end is not known",
}


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One comparison, what has no partner now, and how many cases it opened."""

    run: ReconciliationRun
    differences: tuple[StatementDifference, ...]
    cases_opened: int


def reconcile(*, asked_by: str, at: datetime) -> Reconciled:
    """Settle what can be settled, compare the rest, and open one case for each difference.

    Raises:
        grand_central.public.OriginsRefused: the other origins of postings are not declared soundly.
    """
    run = grand_central.public.compare_statements(asked_by=asked_by)
    opened = raise_cases(at=at)
    found = grand_central.public.statement_differences()
    return Reconciled(run, tuple(found), opened)


def raise_cases(*, at: datetime) -> int:
    """Open a case for every difference that has none; return how many are new."""
    opened = 0
    while found := grand_central.public.differences_without_case():
        for each in found:
            opened += _raise(each, at)
    return opened


def reconcile_nightly() -> bool:
    """Reconcile this legal entity once a day; between days, open cases that are still missing.

    While the gate is shut after a restore it is done again until every system gave its statement.
    """
    at = datetime.now(UTC)
    latest = grand_central.public.reconciliations(limit=1)
    if latest and latest[0].compared_at.date() >= at.date() and not _is_owed():
        raise_cases(at=at)
        return False
    reconcile(asked_by=NIGHTLY, at=at)
    return True


def compared_since_restore() -> ReconciliationRun | None:
    """Return the newest comparison since the gate was shut to which every system contributed."""
    gate = sentinel.public.gate()
    runs = grand_central.public.reconciliations()
    since = [each for each in runs if gate is not None and each.compared_at > gate.shut_at]
    return next((each for each in since if not each.unanswered), None)


def _is_owed() -> bool:
    gate = sentinel.public.gate()
    return gate is not None and not gate.is_open and compared_since_restore() is None


def _raise(difference: StatementDifference, at: datetime) -> bool:
    entity = sentinel.public.current_entity()
    case_id = uuid5(NAMESPACE, f"{entity}|{difference.kind}|{difference.subject}")
    with transaction.atomic():
        is_new = orchestration.public.raise_case(
            case_id=case_id,
            journey=JOURNEY,
            title=_TITLES[difference.kind],
            words=f"{difference.words} Token {difference.subject}.",
            role=ROLE,
            at=at,
        )
        grand_central.public.give_case(difference=difference, case_id=case_id)
    return is_new
