"""Batches: a status per item, replays told apart, one bad item sinks nobody."""

from dataclasses import replace
from uuid import uuid4

import pytest

from grand_central.operations.items import PostingItem, items_root
from tests.small_core import TODAY, SmallCore


@pytest.fixture
def core(entity):
    return SmallCore()


@pytest.fixture
def payer(core):
    payer = core.open()
    core.fund(payer, 1_000)
    return payer


@pytest.fixture
def receiver(core):
    return core.open()


def item(debit, credit, amount, **more):
    return PostingItem(uuid4(), debit, credit, amount, more.pop("currency", "EUR"), **more)


def test_every_item_has_its_own_status(core, payer, receiver):
    closed = core.open()
    token = core.permit("accounts.set_status", f"account_status/v1|{closed}|closed")
    core.execute("SELECT * FROM core_set_account_status(%s, %s, 'closed')", [token, closed])
    items = [
        item(payer, receiver, 600),
        item(payer, receiver, 600),
        item(payer, payer, 1),
        item(payer, uuid4(), 1),
        item(payer, receiver, 0),
        item(payer, receiver, -5),
        item(payer, receiver, 1, currency="USD"),
        item(payer, closed, 1),
        item(payer, receiver, 1, remittance="a\x1bb"),
        item(payer, receiver, 1, remittance="x" * 141),
        item(payer, receiver, 400),
        item(receiver, payer, 1_000),
    ]

    statuses, posted, position = core.post_batch(items)

    assert statuses == [
        "posted",
        "insufficient_funds",
        "same_account",
        "account_unknown",
        "amount_refused",
        "amount_refused",
        "currency_mismatch",
        "account_closed",
        "text_refused",
        "text_refused",
        "posted",
        "posted",
    ]
    assert posted == 3
    assert position
    assert (core.balance(payer), core.balance(receiver)) == (1_000, 0)
    core.assert_balanced()


def test_a_batch_again_posts_nothing_and_says_exists(core, payer, receiver):
    items = [item(payer, receiver, 1, booking=TODAY), item(payer, receiver, 2)]
    core.post_batch(items)
    before = core.state()

    statuses, posted, _ = core.post_batch(items)

    assert statuses == ["exists", "exists"]
    assert posted == 0
    assert core.state() == before


def test_an_altered_replay_is_told_apart_even_when_it_could_not_be_paid(core, payer, receiver):
    original = item(payer, receiver, 10)
    core.post_batch([original])
    before = core.state()

    statuses, posted, _ = core.post_batch(
        [replace(original, amount=10**9), replace(original, remittance="x"), original]
    )

    assert statuses == ["exists_with_different", "exists_with_different", "exists"]
    assert posted == 0
    assert core.state() == before


def test_one_id_twice_in_a_batch_is_posted_once(core, payer, receiver):
    original = item(payer, receiver, 10)

    statuses, posted, _ = core.post_batch([original, original, replace(original, amount=11)])

    assert statuses == ["posted", "exists", "exists_with_different"]
    assert posted == 1
    assert core.balance(receiver) == 10


def test_a_refused_item_is_not_tried_again_in_its_batch(core, payer, receiver):
    refused = item(payer, receiver, 5_000)

    statuses, posted, _ = core.post_batch([refused, refused, replace(refused, amount=1)])

    assert statuses == ["insufficient_funds", "repeated_in_batch", "repeated_in_batch"]
    assert posted == 0


def test_items_count_in_their_order(core, receiver):
    poor = core.open()
    core.fund(receiver, 50)

    statuses, _, _ = core.post_batch(
        [item(poor, receiver, 20), item(receiver, poor, 20), item(poor, receiver, 20)]
    )

    assert statuses == ["insufficient_funds", "posted", "posted"]
    assert core.balance(poor) == 0


def test_invariant_01_a_batch_token_binds_exactly_its_items(core, payer, receiver):
    items = [item(payer, receiver, 1), item(payer, receiver, 2)]
    lines = [each.line() for each in items]
    token = core.permit("ledger.post_batch", f"batch/v1|{items_root(lines=lines)}")
    before = core.state()

    for wrong in (
        lines[:1],
        lines[::-1],
        [*lines, lines[0]],
        [lines[0], lines[1].replace('"amount":2', '"amount":3')],
    ):
        statuses, posted, _ = core.execute(
            "SELECT * FROM ledger_post_batch(%s, %s, %s::text[])", [token, uuid4(), wrong]
        )
        assert statuses == ["no_redemption"]
        assert posted == 0

    assert core.state() == before


def test_what_a_line_leaves_out_is_empty_and_null_is_refused(core, payer, receiver):
    short, null = item(payer, receiver, 1), item(payer, receiver, 2)
    lines = [short.line(), null.line()[:-1] + ',"remittance":null}']
    token = core.permit("ledger.post_batch", f"batch/v1|{items_root(lines=lines)}")

    statuses, posted, _ = core.execute(
        "SELECT * FROM ledger_post_batch(%s, %s, %s::text[])", [token, uuid4(), lines]
    )

    assert (statuses, posted) == (["posted", "text_refused"], 1)
    assert core.execute(
        "SELECT remittance, counterparty_name, end_to_end_id, booking_date FROM ledger_transfer"
        " WHERE id = %s",
        [short.id],
    ) == ("", "", "", TODAY)
    assert core.balance(receiver) == 1


def test_a_line_written_in_full_is_the_same_item(core, payer, receiver):
    first = item(payer, receiver, 1)
    assert core.post_batch([first])[0] == ["posted"]
    full = first.line()[:-1] + "".join(
        f',"{name}":{value}'
        for name, value in {
            "booking": "null",
            "value": "null",
            **dict.fromkeys(("remittance", "name", "iban", "end_to_end", "category"), '""'),
        }.items()
    )
    lines = [full + "}"]
    token = core.permit("ledger.post_batch", f"batch/v1|{items_root(lines=lines)}")

    statuses, posted, _ = core.execute(
        "SELECT * FROM ledger_post_batch(%s, %s, %s::text[])", [token, uuid4(), lines]
    )

    assert (statuses, posted) == (["exists"], 0)
    assert core.balance(receiver) == 1


@pytest.mark.parametrize("size", [*range(18), 31, 64, 100, 257])
def test_both_sides_compute_one_root(owner_connection, size):
    lines = [f'{{"é{number}":{number}}}' for number in range(size)]

    row = owner_connection.execute("SELECT gc_items_root(%s::text[])", [lines]).fetchone()

    assert row == (items_root(lines=lines),)


def test_a_hold_can_be_paid_out_in_part_and_once(core, payer):
    iban = "NL91ABNA0417164300"
    _, hold, _, _ = core.hold(payer, iban, 700)
    assert core.pay(payer, iban, 301)[0] == "insufficient_funds"

    assert core.post_hold(hold, 701)[0] == "exceeds_hold"
    status, _, _, balance = core.post_hold(hold, 450)

    assert (status, balance) == ("posted", 550)
    assert core.counters(payer) == (0, 450, 0, 1_000)
    assert core.post_hold(hold, 450)[0] == "hold_already_resolved"
    assert core.void_hold(hold)[0] == "hold_already_resolved"
    core.assert_balanced()


def test_a_voided_hold_frees_the_money(core, payer):
    _, hold, _, _ = core.hold(payer, "NL91ABNA0417164300", 700)

    assert core.void_hold(hold)[0] == "voided"

    assert core.counters(payer) == (0, 0, 0, 1_000)
    core.assert_balanced()


def test_a_hold_ends_by_itself_and_cannot_be_paid_out_after_its_time(core, payer):
    _, hold, _, _ = core.hold(payer, "NL91ABNA0417164300", 700, seconds=0)
    _, kept, _, _ = core.hold(payer, "NL91ABNA0417164300", 100)

    assert core.post_hold(hold, 700)[0] == "hold_expired"
    assert core.execute("SELECT ledger_expire_holds(100)") == (1,)
    assert core.execute("SELECT ledger_expire_holds(100)") == (0,)

    assert core.counters(payer) == (100, 0, 0, 1_000)
    assert core.void_hold(kept)[0] == "voided"
    core.assert_balanced()


def test_an_unknown_hold_is_refused(core, payer):
    assert core.post_hold(uuid4(), 1)[0] == "hold_unknown"
    assert core.void_hold(uuid4())[0] == "hold_unknown"
