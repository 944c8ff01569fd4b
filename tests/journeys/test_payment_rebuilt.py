"""A real payment, rebuilt from its history as it stood after every commit that moved it."""

from itertools import pairwise

import psycopg
from django.conf import settings

from deploy.settings.database import conninfo
from orchestration.core.state import InstanceState
from orchestration.durable import engine, store
from orchestration.durable.texts import from_text
from tests.journeys.test_send_money import ASK, card_of

# Every state an instance is written with is kept aside, by the database itself.
KEPT = """
CREATE TABLE kept_state (instance_id uuid, process text, rev bigint, state text);
CREATE FUNCTION keep_state() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
BEGIN
    INSERT INTO kept_state VALUES (new.id, new.process, new.rev, new.state);
    RETURN new;
END $$;
CREATE TRIGGER keep_state AFTER INSERT OR UPDATE ON orch_instance
    FOR EACH ROW EXECUTE FUNCTION keep_state();
"""


def test_the_state_of_a_payment_is_rebuilt_at_every_sequence_number(bank):
    with psycopg.connect(conninfo(settings.DATABASES["owner"]), autocommit=True) as owner:
        owner.execute(KEPT)
        chat = bank.chat()
        confirmed = chat.answers(card_of(chat.says(ASK), "confirm_payment"), answer="confirm")
        chat.answers(card_of(confirmed, "step_up"), answer="code", code=chat.code())
        written = owner.execute(
            "SELECT instance_id, rev, state FROM kept_state WHERE process = 'send_money'"
            " AND rev > 0 ORDER BY rev"
        ).fetchall()

    (payment,) = {each for each, _, _ in written}
    row, history = store.read_instance(payment), store.history_of(payment)
    assert row.status == "completed"
    assert [line.seq for line in history] == list(range(row.rev))
    assert len({rev for _, rev, _ in written}) >= 3
    for _, rev, text in written:
        rebuilt = engine.rebuilt_state(payment, to_seq=rev - 1)
        assert rebuilt == from_text(text, InstanceState), f"after event {rev - 1}"
    rebuilt = [engine.rebuilt_state(payment, to_seq=line.seq) for line in history]
    assert rebuilt[-1] == row.state
    assert all(before != after for before, after in pairwise(rebuilt))
