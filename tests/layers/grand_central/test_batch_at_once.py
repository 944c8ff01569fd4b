"""A batch in one statement: posted and on record together, or nothing at all."""

from uuid import uuid4

import pytest
from django.db import transaction

import grand_central.public
from grand_central.operations.items import PostingItem, items_root
from sentinel.public import TokenRefused, decide, outcome_of, records_of
from sentinel.vocabulary import Action, OutcomeKind, Provenance, Source
from tests.authority import now, system
from tests.layers.grand_central.test_gateway import Opened, found_bank
from tests.layers.grand_central.test_transfer_at_once import BALANCE, booked, moved

FEW = 25_00


@pytest.fixture
def bank(entity):
    found_bank()
    return Opened()


def permitted(items):
    lines = tuple(item.line() for item in items)
    total = sum(item.amount for item in items)
    parameters = {
        "batch_id": str(uuid4()),
        "items_root": items_root(lines=lines),
        "count": len(lines),
        "total": {"minor_units": total, "currency": "EUR"},
    }
    action = Action(
        kind="ledger.post_batch",
        parameters=parameters,
        resource="bank:meridian-nl",
        case_id=uuid4(),
        idempotency_key=str(uuid4()),
        sources=dict.fromkeys(parameters, Source(Provenance.SYSTEM, "test:1")),
    )
    decision = decide(
        action=action, principal=system("seed"), facts=(), purpose="migration", at=now()
    )
    assert decision.token is not None, decision.reasons
    return action, decision, lines


def execute(action, decision, lines):
    with transaction.atomic():
        return grand_central.public.execute(action=action, token=decision.token, payload=lines)


def from_account(bank, amount, to=None):
    return PostingItem(uuid4(), bank.account, to or bank.equity, amount, "EUR")


def test_a_batch_is_posted_and_on_record(bank):
    action, decision, lines = permitted([from_account(bank, FEW), from_account(bank, FEW)])

    receipt = execute(action, decision, lines)

    assert receipt.items == ("posted", "posted")
    assert receipt.words == "2 of 2 transfers have been posted."
    assert receipt.outcome == outcome_of(decision_id=decision.id)
    assert receipt.outcome.kind is OutcomeKind.DONE
    assert booked(bank) == BALANCE - 2 * FEW
    kinds = [each.kind for each in records_of(decision_id=decision.id)]
    assert sorted(kinds) == ["executed", "issued"]


def test_each_item_is_told_apart_and_the_outcome_counts_what_was_posted(bank):
    first = from_account(bank, FEW)
    execute(*permitted([first]))
    items = [first, from_account(bank, BALANCE), from_account(bank, FEW)]

    receipt = execute(*permitted(items))

    assert receipt.items == ("exists", "insufficient_funds", "posted")
    assert receipt.outcome.words == "1 of 3 transfers have been posted."
    assert booked(bank) == BALANCE - 2 * FEW


def test_other_lines_spend_nothing(bank):
    action, decision, _ = permitted([from_account(bank, FEW)])
    before = moved()

    with pytest.raises(grand_central.public.CoreRefused) as refused:
        execute(action, decision, (from_account(bank, FEW).line(),))

    assert refused.value.code == "no_redemption"
    assert moved() == before
    assert booked(bank) == BALANCE


def test_a_batch_token_is_spent_once(bank):
    action, decision, lines = permitted([from_account(bank, FEW)])
    execute(action, decision, lines)
    before = moved()

    with pytest.raises(TokenRefused) as refused:
        execute(action, decision, lines)

    assert refused.value.reason == "spent"
    assert moved() == before
