"""A program that holds a key reports a card; without one, nothing begins."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

import nexus.public
import orchestration.public
from deploy.sample.people import customers_of
from deploy.sample.story import MERIDIAN_NL
from tests.banks import wait_until
from tests.journeys.test_files_of_items import blocked, processor
from tests.sample_bank import CUSTOMERS, SEED

__all__ = ["processor"]
ADDRESS = "/api/v1/meridian-nl/flows/block_card/report"


def command(*words):
    told = io.StringIO()
    call_command("callers", *words, stdout=told)
    return told.getvalue().strip()


def a_card():
    people = customers_of(MERIDIAN_NL, CUSTOMERS, SEED)
    states = [nexus.public.customer_state(customer_id=each.party_id) for each in people]
    return next(str(card.card_id) for state in states for card in state.cards)


def reported(key, card, once):
    return Client(enforce_csrf_checks=True).post(
        ADDRESS,
        json.dumps({"card_id": card, "reason": "stolen"}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}", "Idempotency-Key": once},
    )


def test_a_card_reported_by_a_program_is_blocked_once(bank, processor):
    key, card, before = (
        command("meridian-nl", "add", "police", "block_card/report"),
        a_card(),
        blocked(),
    )

    first, again = reported(key, card, "r1"), reported(key, card, "r1")

    def is_over():
        orchestration.public.run_due_once()
        orchestration.public.carry_effects_once()
        return processor.acts(card) == ["stop"]

    assert (first.status_code, again.status_code) == (201, 200)
    assert wait_until(is_over, 40)
    assert blocked() == before + 1


def test_a_revoked_key_and_a_key_for_something_else_begin_nothing(bank, processor):
    key, card, before = (
        command("meridian-nl", "add", "police", "block_card/report"),
        a_card(),
        blocked(),
    )
    other = command("meridian-nl", "add", "shop", "message:order.placed")

    said = command("meridian-nl", "revoke", key.split("_")[1])
    answers = [reported(each, card, "r2").status_code for each in (key, other)]

    assert said == "Revoked."
    assert answers[0] == 401
    assert answers[1] in {401, 403}
    assert blocked() == before


def test_an_entity_nobody_knows_gets_no_key(bank):
    with pytest.raises(CommandError):
        command("atlantis", "add", "police", "block_card/report")
