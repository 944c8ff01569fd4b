"""What follows from the core's events, without a database."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from nexus.events import EventNotUnderstood, read_event
from nexus.feed import PositionNotUnderstood, order_of
from nexus.reducers import Arrived, reduce_events

ANNA, SHOP = UUID(int=1), UUID(int=2)
CURRENT, CLEARING = UUID(int=11), UUID(int=12)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def arrived(event_type, number=100, at=NOON, **payload):
    event_id = UUID(int=number)
    typed = read_event(event_type=event_type, event_id=event_id, payload=payload)
    return Arrived(event_id, event_type, at, "grand_central:1:1", typed)


def opened(account, party):
    return arrived(
        "account.opened",
        number=account.int,
        account_id=str(account),
        party_id=str(party) if party else None,
        iban="NL00TEST",
        kind="customer_current",
        currency="EUR",
        opened_on="2024-01-01",
    )


def transfer(number=200, kind="post", amount=2_500, **more):
    return arrived(
        "transfer.posted",
        number=number,
        **{
            "transfer_id": str(UUID(int=number)),
            "kind": kind,
            "debit_account": str(CURRENT),
            "credit_account": str(CLEARING),
            "amount": amount,
            "currency": "EUR",
            "booking_date": "2026-11-02",
            "debtor_name": "Anna",
            "creditor_name": "Shop",
            **more,
        },
    )


def test_transfer_is_a_booking_on_both_sides_and_has_two_names():
    changes = reduce_events(
        arrived=[opened(CURRENT, ANNA), opened(CLEARING, None), transfer()], owners={}
    )

    assert [(t.account_id, t.amount_minor_units) for t in changes.transactions] == [
        (CURRENT, -2_500),
        (CLEARING, 2_500),
    ]
    assert [t.counterparty_name for t in changes.transactions] == ["Shop", "Anna"]


def test_hold_takes_from_what_is_available_and_books_nothing():
    changes = reduce_events(arrived=[transfer(kind="pending")], owners={CURRENT: ANNA})

    assert changes.held[CURRENT] == 2_500
    assert changes.transactions == []


def test_settling_part_of_a_hold_releases_all_of_it():
    settled = transfer(kind="post_pending", amount=2_000, pending_amount=2_500)

    changes = reduce_events(arrived=[settled], owners={CURRENT: ANNA})

    assert changes.held[CURRENT] == -2_500
    assert changes.transactions[0].amount_minor_units == -2_000


def test_voiding_a_hold_gives_all_of_it_back():
    changes = reduce_events(
        arrived=[transfer(kind="void", amount=0, pending_amount=2_500)], owners={CURRENT: ANNA}
    )

    assert changes.held[CURRENT] == -2_500
    assert changes.transactions == []


def test_a_booking_brought_in_from_the_past_lands_on_its_own_day():
    changes = reduce_events(arrived=[transfer(booking_date="2025-03-04")], owners={})

    assert changes.transactions[0].booked_at == datetime(2025, 3, 4, 12, tzinfo=UTC)


def test_only_customers_whose_picture_moved_are_named():
    changes = reduce_events(arrived=[transfer()], owners={CURRENT: ANNA, CLEARING: None})

    assert changes.topics == {ANNA: {"accounts"}}


def test_decision_is_joined_to_its_effect():
    changes = reduce_events(
        arrived=[transfer(decision_id=str(UUID(int=7)))], owners={CURRENT: ANNA}
    )

    assert (changes.edges[0].source, changes.edges[0].relation) == (
        f"decision:{UUID(int=7)}",
        "executed",
    )


@pytest.mark.parametrize(
    ("payload", "located"),
    [
        ({}, "party_id"),
        ({"party_id": "not-a-uuid", "kind": "person", "name": "A"}, "party_id"),
        ({"party_id": str(ANNA), "kind": "robot", "name": "A"}, "kind"),
    ],
)
def test_event_of_the_wrong_shape_is_refused_and_located(payload, located):
    with pytest.raises(EventNotUnderstood) as refused:
        read_event(event_type="party.registered", event_id=SHOP, payload=payload)

    assert located in refused.value.located
    assert refused.value.code == "event_not_understood"


def test_negative_amount_in_an_event_is_refused():
    with pytest.raises(EventNotUnderstood, match="amount"):
        transfer(amount=-1)


def test_event_type_without_a_view_is_passed_over():
    assert read_event(event_type="weather.changed", event_id=SHOP, payload={}) is None


def test_positions_compare_as_numbers_not_as_text():
    assert order_of("9:5") < order_of("10:1") < order_of("10:2")
    assert order_of("") == (0, 0)


@pytest.mark.parametrize(
    "position", ["x", "1", "1:", ":1", "1:x", "1:2:3", "-1:2", "\N{FULLWIDTH DIGIT ONE}:2"]
)
def test_text_that_is_no_position_is_refused(position):
    with pytest.raises(PositionNotUnderstood):
        order_of(position)


def test_birth_date_is_read_as_a_date():
    party = read_event(
        event_type="party.registered",
        event_id=SHOP,
        payload={
            "party_id": str(ANNA),
            "kind": "person",
            "name": "Anna",
            "birth_date": "1990-05-06",
        },
    )

    assert party.birth_date == date(1990, 5, 6)
