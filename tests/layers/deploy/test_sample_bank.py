"""The sample bank: the same for the same seed, twice is once, two entities apart."""

import io
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

import grand_central.public
import nexus.public
from deploy.sample.history import Books, friends_of, history_of
from deploy.sample.invoice import invoice_pdf
from deploy.sample.people import customers_of
from deploy.sample.story import (
    INVOICE_IBAN,
    LANDLORD_IBAN,
    LANDLORD_NAME,
    MERIDIAN_BE,
    MERIDIAN_NL,
    sample_id,
)
from sentinel.public import legal_entity

TODAY = datetime.now(UTC).date()
BOOKS = Books(sample_id("c"), sample_id("e"), "NL00", "Meridian Bank", "EUR")


def history(customer, everybody, seed=1, today=TODAY):
    return list(history_of(customer, friends_of(customer, everybody), BOOKS, seed, today))


def test_the_same_seed_invents_the_same_people_and_another_others():
    first, again = customers_of(MERIDIAN_NL, 12, 1), customers_of(MERIDIAN_NL, 12, 1)

    assert first == again
    assert customers_of(MERIDIAN_NL, 12, 2)[5:] != first[5:]
    assert [each.username for each in first[:3]] == ["anna", "bob", "sophie"]


def test_everybody_has_valid_numbers_and_a_name_of_their_own():
    people = (*customers_of(MERIDIAN_NL, 200, 1), *customers_of(MERIDIAN_BE, 20, 1))
    ibans = [iban for each in people for iban in (each.current_iban, each.savings_iban)]

    assert all(grand_central.public.validate_iban(iban=iban) for iban in ibans)
    assert len(set(ibans)) == len(ibans)
    assert len({(each.country, each.username) for each in people}) == len(people)


def test_a_life_has_salary_rent_and_shops_and_never_overdraws():
    people = customers_of(MERIDIAN_NL, 6, 1)

    for customer in people:
        items = history(customer, people)
        balance = 0
        for item in items:
            assert item.booking < TODAY
            balance += item.amount if item.credit == customer.current_id else -item.amount
            assert balance >= 0
        assert len({item.id for item in items}) == len(items)
        categories = {item.category for item in items}
        assert {"salary", "housing", "groceries", "transport", "utilities"} <= categories


def test_a_later_day_adds_bookings_and_changes_none():
    people = customers_of(MERIDIAN_NL, 3, 1)
    month = TODAY.replace(day=28)

    before = {item.id: item for item in history(people[0], people, today=month.replace(day=12))}
    after = {item.id: item for item in history(people[0], people, today=month)}

    assert before.items() <= after.items()
    assert len(after) > len(before)


def test_anna_pays_her_landlord_and_the_invoice_names_another_number():
    people = customers_of(MERIDIAN_NL, 3, 1)
    rents = [item for item in history(people[0], people) if item.iban == LANDLORD_IBAN]

    assert len(rents) >= 24
    assert {item.name for item in rents} == {LANDLORD_NAME}
    assert INVOICE_IBAN != LANDLORD_IBAN
    assert grand_central.public.validate_iban(iban=INVOICE_IBAN)


def test_the_invoice_is_a_pdf_and_the_same_for_the_same_day():
    assert invoice_pdf(on=TODAY) == invoice_pdf(on=TODAY)
    assert invoice_pdf(on=TODAY).startswith(b"%PDF-")


@pytest.fixture
def _sign_in_file(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "SIGN_IN_FILE", tmp_path / "sign-in.json")
    monkeypatch.setattr(settings, "SAMPLE_INVOICE_FILE", tmp_path / "invoice.pdf")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_sign_in_file")
def test_seeding_twice_is_seeding_once():
    def state():
        found = {}
        for entity in ("meridian-nl", "meridian-be"):
            with legal_entity(entity=entity):
                proof = grand_central.public.prove_balances()
                assert proof.is_balanced
                events = grand_central.public.events_after(cursor="", limit=100_000)
                found[entity] = (proof.sums, len(events))
        return found

    call_command("seed", customers=3, stdout=io.StringIO())
    once = state()
    call_command("seed", customers=3, stdout=io.StringIO())

    assert state() == once
    anna = sample_id("meridian-nl", 1, "party", 0)
    with legal_entity(entity="meridian-nl"):
        assert nexus.public.customer_state(customer_id=anna).party["name"] == "Anna de Vries"
        assert [each.is_sample for each in grand_central.public.screening_lists()] == [True]
    with legal_entity(entity="meridian-be"), pytest.raises(nexus.public.CustomerUnknown):
        nexus.public.customer_state(customer_id=anna)


def test_a_number_of_customers_that_cannot_be_is_refused(db):
    with pytest.raises(CommandError):
        call_command("seed", customers=2)
