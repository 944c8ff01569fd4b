"""The customer's state now, as of a time, and as it was known at a time."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import ProgrammingError, connection, transaction

import nexus.public
import sentinel.public
from nexus.transactions import BookingFilter
from tests.layers.nexus.conftest import ANNA, CARD, CLEARING, CURRENT, LANDLORD, SAVINGS

pytestmark = pytest.mark.django_db


def balance(state, account):
    (found,) = [each for each in state.accounts if each.account_id == account]
    return found.booked_minor_units


def test_state_holds_accounts_cards_and_payees(core):
    core.send(
        "card.issued",
        card_id=str(CARD),
        party_id=str(ANNA),
        account_id=str(CURRENT),
        last_four="4321",
        status="active",
        expires_on="2029-01-31",
    )
    core.send(
        "payee.added",
        payee_id=str(LANDLORD),
        party_id=str(ANNA),
        name="Hendriks Vastgoed B.V.",
        iban="NL04LANDLORD",
        added_on="2024-02-01",
        is_trusted=True,
    )

    state = nexus.public.customer_state(customer_id=ANNA)

    assert state.party["name"] == "Anna de Vries"
    assert balance(state, CURRENT) == 300_000
    assert [card.last_four for card in state.cards] == ["4321"]
    assert [payee.iban for payee in state.payees] == ["NL04LANDLORD"]
    assert state.is_current


def test_blocked_card_is_blocked_now_and_was_active_before(core):
    card = {
        "card_id": str(CARD),
        "party_id": str(ANNA),
        "account_id": str(CURRENT),
        "last_four": "4321",
    }
    issued, blocked = datetime(2026, 9, 2, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC)
    core.send("card.issued", at=issued, status="active", **card)
    core.send("card.blocked", at=blocked, status="blocked", **card)

    now = nexus.public.customer_state(customer_id=ANNA)
    before = nexus.public.customer_state(customer_id=ANNA, as_of=blocked - timedelta(seconds=1))

    assert [each.status for each in now.cards] == ["blocked"]
    assert [each.status for each in before.cards] == ["active"]


def test_balance_as_of_a_day_leaves_out_what_came_later(core):
    core.transfer(CURRENT, CLEARING, 90_000, datetime(2026, 10, 1, 9, tzinfo=UTC))

    before = nexus.public.customer_state(customer_id=ANNA, as_of=datetime(2026, 9, 30, tzinfo=UTC))

    assert balance(before, CURRENT) == 300_000
    assert balance(nexus.public.customer_state(customer_id=ANNA), CURRENT) == 210_000


def test_late_correction_changes_what_is_known_now_never_what_was_known_then(core):
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (known_then,) = cursor.fetchone()
    core.transfer(CURRENT, CLEARING, 5_000, datetime(2026, 9, 26, 9, tzinfo=UTC))
    as_of = datetime(2026, 9, 30, tzinfo=UTC)

    then = nexus.public.customer_state(customer_id=ANNA, as_of=as_of, known_at=known_then)
    now = nexus.public.customer_state(customer_id=ANNA, as_of=as_of)

    assert balance(then, CURRENT) == 300_000
    assert balance(now, CURRENT) == 295_000


@pytest.mark.parametrize("change", ["UPDATE nexus_fact SET name = 'x'", "DELETE FROM nexus_fact"])
def test_application_may_not_rewrite_a_fact(core, change):
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)

    assert nexus.public.facts_of(subjects=[f"party:{ANNA}"], name="party")


def test_retracted_fact_holds_no_more_from_then_on(core):
    told = datetime(2026, 10, 1, tzinfo=UTC)
    fact = nexus.public.NewFact(
        subject=f"party:{ANNA}",
        name="hardship",
        value={"level": "high"},
        valid_from=told,
        source="case:1",
        event_id=UUID(int=77),
        purpose_class="risk",
    )
    ended = nexus.public.NewFact(
        subject=f"party:{ANNA}",
        name="hardship",
        value=None,
        valid_from=told + timedelta(days=10),
        source="case:1",
        event_id=UUID(int=78),
        purpose_class="risk",
        is_retracted=True,
    )

    assert nexus.public.record_facts(facts=[fact, ended, fact]) == 2
    subjects = [f"party:{ANNA}"]
    assert nexus.public.facts_of(subjects=subjects, name="hardship") == ()
    (held,) = nexus.public.facts_of(
        subjects=subjects, name="hardship", as_of=told + timedelta(days=1)
    )
    assert held.value == {"level": "high"}


def test_the_same_event_twice_is_one_booking(core):
    moment = datetime(2026, 10, 1, 9, tzinfo=UTC)
    payload = {
        "transfer_id": str(UUID(int=9)),
        "debit_account": str(CURRENT),
        "credit_account": str(CLEARING),
        "amount": 100,
        "currency": "EUR",
        "booking_date": "2026-10-01",
    }
    core.send("transfer.posted", at=moment, number=9_000, **payload)
    core.send("transfer.posted", at=moment, number=9_000, **payload)

    page = nexus.public.transactions(customer_id=ANNA, account_id=CURRENT)

    assert [b.amount_minor_units for b in page.bookings].count(-100) == 1
    assert balance(nexus.public.customer_state(customer_id=ANNA), CURRENT) == 299_900


def test_customer_brought_in_later_is_shown_as_they_were_before(core):
    brought_in = datetime(2026, 11, 1, tzinfo=UTC)
    stranger, account = UUID(int=71), UUID(int=72)
    core.send(
        "party.registered", at=brought_in, party_id=str(stranger), kind="person", name="Bo Old"
    )
    core.send(
        "account.opened",
        at=brought_in,
        account_id=str(account),
        party_id=str(stranger),
        iban="NL71OLD",
        kind="customer_current",
        currency="EUR",
        opened_on="2024-05-06",
    )

    then = nexus.public.customer_state(customer_id=stranger, as_of=datetime(2025, 1, 1, tzinfo=UTC))

    assert (then.party["name"], [a.iban for a in then.accounts]) == ("Bo Old", ["NL71OLD"])
    with pytest.raises(nexus.public.CustomerUnknown):
        nexus.public.customer_state(customer_id=stranger, as_of=datetime(2024, 5, 5, tzinfo=UTC))


def test_unknown_customer_is_said_so(entity):
    with pytest.raises(nexus.public.CustomerUnknown):
        nexus.public.customer_state(customer_id=UUID(int=404))


def test_invariant_13_another_legal_entity_sees_nothing(core):
    with sentinel.public.legal_entity(entity="meridian-be"):
        with pytest.raises(nexus.public.CustomerUnknown):
            nexus.public.customer_state(customer_id=ANNA)
        assert nexus.public.transactions(customer_id=ANNA).bookings == ()
        assert nexus.public.find_customers(text="Anna") == ()
        assert nexus.public.customer_graph(customer_id=ANNA).edges == ()


def test_search_finds_words_categories_and_pages_on(core):
    for day in range(1, 6):
        core.transfer(
            CURRENT,
            CLEARING,
            1_000 + day,
            datetime(2026, 10, day, 9, tzinfo=UTC),
            creditor_name="Albert 100% Fresh",
            category="groceries",
            remittance=f"Receipt {day}",
        )

    first = nexus.public.transactions(
        customer_id=ANNA, filters=BookingFilter(search="100%"), limit=2
    )
    second = nexus.public.transactions(
        customer_id=ANNA, filters=BookingFilter(search="100%"), limit=2, before=first.before
    )
    groceries = nexus.public.transactions(
        customer_id=ANNA, filters=BookingFilter(category="groceries", direction="out")
    )

    assert [b.remittance for b in first.bookings] == ["Receipt 5", "Receipt 4"]
    assert [b.remittance for b in second.bookings] == ["Receipt 3", "Receipt 2"]
    assert len(groceries.bookings) == 5
    assert groceries.before is None
    nothing = nexus.public.transactions(customer_id=ANNA, filters=BookingFilter(search="10_%"))
    assert nothing.bookings == ()


def test_spending_counts_what_went_out_but_not_to_the_own_savings(core):
    core.transfer(
        CURRENT,
        CLEARING,
        4_000,
        datetime(2026, 10, 3, 9, tzinfo=UTC),
        category="groceries",
        creditor_iban="NL99SHOP",
    )
    core.transfer(
        CURRENT,
        SAVINGS,
        50_000,
        datetime(2026, 10, 4, 9, tzinfo=UTC),
        category="savings",
        creditor_iban="NL02SAVINGS",
    )

    spent = nexus.public.spending(
        customer_id=ANNA, since=date(2026, 10, 1), until=date(2026, 10, 31)
    )

    assert [(s.category, s.minor_units, s.count) for s in spent] == [("groceries", 4_000, 1)]


def test_habits_are_those_of_the_year_before_the_payment(core):
    at = datetime(2026, 10, 10, 12, tzinfo=UTC)
    for day, amount in ((1, 1_000), (2, 2_000), (10, 9_000)):
        core.transfer(
            CURRENT,
            CLEARING,
            amount,
            datetime(2026, 10, day, 9, tzinfo=UTC),
            creditor_iban="NL99SHOP",
        )

    habits = nexus.public.payment_history(
        customer_id=ANNA, account_id=CURRENT, iban="NL99SHOP", at=at
    )

    assert (habits.median_minor_units, habits.p95_minor_units) == (2_000, 9_000)
    assert (habits.payments_to_iban, habits.days_since_first_payment_to_iban) == (3, 9)
    assert (habits.count_last_day, habits.sum_last_day_minor_units) == (1, 9_000)
    assert habits.days_since_account_opened == 39
