"""Outcomes of many decisions at once: the final one of each, and none for what has not ended."""

from uuid import uuid4

import pytest

from sentinel.public import outcome_of, outcomes_of
from sentinel.vocabulary import OutcomeKind
from tests.authority import confirmed, customer, done, payment, spent

pytestmark = pytest.mark.usefixtures("bank")


def paid(*kinds):
    action = payment()
    decision = confirmed(action, customer())
    spent(decision, action)
    for kind in kinds:
        done(decision, kind)
    return decision.id


def test_each_decision_has_its_final_outcome_and_the_open_ones_none():
    settled, asked = paid(OutcomeKind.UNKNOWN, OutcomeKind.DONE), paid()

    found = outcomes_of(decision_ids=[settled, asked, uuid4()])

    assert found == {settled: outcome_of(decision_id=settled)}
    assert found[settled].kind is OutcomeKind.DONE


def test_of_no_decisions_there_is_no_outcome():
    assert outcomes_of(decision_ids=[]) == {}
