"""What was under way to a system outside when a backup was taken: asked about, never sent blindly.

The backup is a copy of the database; what happens after it is lost, and the processor keeps it.
"""

from uuid import UUID, uuid4

import pytest
from django.db import connections

import grand_central.public
import orchestration.public
import sentinel.public
from orchestration.durable.faults import VARIABLE
from orchestration.effects.held import let_go
from tests import postgres
from tests.banks import wait_until
from tests.faults.test_effects_killed import (
    asked,
    every_effect_ended_once,
    finished,
    processor,
    stopping,
)
from tests.gates import opened_at_once
from tests.sample_bank import _copy

__all__ = ["processor"]
pytestmark = pytest.mark.slow
BACKUP = UUID(int=7)


def killed_at(bank, processor, point, card):
    process = stopping(bank, processor, [card], **{VARIABLE: point})
    said, _ = process.communicate(timeout=120)
    assert process.returncode == -9, said


@pytest.fixture
def kept():
    """Copy the database as it is, and put it back as a restore does."""
    name = f"{postgres.name}_kept"

    def keep():
        _copy(postgres.name, name)

    def put_back(*, is_opened=True):
        _copy(name, postgres.name)
        with postgres.databases.superuser(postgres.name) as session, session.transaction():
            session.execute("SET LOCAL ROLE frontline_owner")
            session.execute("SELECT sentinel_after_restore(%s)", [BACKUP])
            session.execute("SELECT gc_after_restore(), orch_after_restore()")
            session.execute("RESET ROLE")
            if is_opened:
                opened_at_once(session)
        connections.close_all()

    yield keep, put_back
    postgres.databases.drop(name)


def judged(processor, card):
    """Everything ended once; return what was tried, in order."""
    # The connection is another one since the database was put back.
    with sentinel.public.legal_entity(entity="meridian-nl"):
        every_effect_ended_once(processor, [card])
        found = asked("SELECT what FROM gc_outside_line ORDER BY position")
    return [what for (what,) in found]


@pytest.mark.parametrize("point", ["effect_begun", "call_claimed", "call_answered"])
def test_a_call_sent_in_what_was_lost_is_asked_about_and_not_repeated(bank, processor, kept, point):
    keep, put_back = kept
    card = str(uuid4())
    killed_at(bank, processor, point, card)
    keep()
    finished(bank, processor, [card])
    arrivals = processor.arrivals()

    put_back()
    finished(bank, processor, [card])

    lines = judged(processor, card)
    assert processor.arrivals() == arrivals
    assert lines[-3:] == ["restored", "ask", "ask_done"]


def test_a_call_that_was_never_sent_is_sent_once_that_is_final(bank, processor, kept):
    keep, put_back = kept
    card = str(uuid4())
    killed_at(bank, processor, "effect_begun", card)
    keep()

    put_back()
    finished(bank, processor, [card])

    lines = judged(processor, card)
    assert lines[:3] == ["begun", "restored", "ask"]
    assert lines[-2:] == ["send", "send_done"]


def test_while_the_gate_is_shut_a_call_is_asked_about_and_never_sent(
    bank, processor, kept, settings
):
    keep, put_back = kept
    processor.configure(settings)
    card = str(uuid4())
    killed_at(bank, processor, "effect_begun", card)
    keep()

    put_back(is_opened=False)

    with sentinel.public.legal_entity(entity="meridian-nl"):
        assert wait_until(is_asked_to_the_end, 60)
        assert claimed() == []
        with postgres.databases.superuser(postgres.name) as session:
            opened_at_once(session)
            session.execute("UPDATE gc_outside SET due_at = clock_timestamp()")
        assert claimed() == [("send",)]
        assert processor.acts(card) == []


def claimed():
    """Take the one call there is, as whoever holds its parameters."""
    return asked(
        "SELECT c.task FROM gc_outside o,"
        " gc_outside_claim(o.token, o.effect_digest, 4, 2) c WHERE o.ended_at IS NULL"
    )


def is_asked_to_the_end():
    """Ask until it is final that nothing was done; then it could be sent."""
    grand_central.public.ask_outside_once()
    return [each.state for each in grand_central.public.outstanding_calls()] == ["not_sent"]


def test_an_effect_without_a_permit_waits_for_a_person(bank, processor, kept):
    keep, put_back = kept
    card = str(uuid4())
    killed_at(bank, processor, "effect_claimed", card)
    keep()
    finished(bank, processor, [card])

    put_back()

    with sentinel.public.legal_entity(entity="meridian-nl"):
        assert orchestration.public.carry_effects_once() == 0
        (held,) = orchestration.public.held_effects()
        assert held.action_kind == "cards.stop"
        assert processor.acts(card) == ["stop"]
        let_go(held.instance_id)
        assert orchestration.public.held_effects() == ()
