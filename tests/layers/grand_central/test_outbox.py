"""The feed: every event once, in commit order, none skipped when somebody commits late."""

import psycopg
import pytest

import grand_central.public
from grand_central.operations.items import PostingItem
from sentinel.public import legal_entity
from tests.small_core import SmallCore

ENTITY = "meridian-nl"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connect(dsn):
    opened = []

    def open_one():
        connection = psycopg.connect(dsn)
        connection.execute("SELECT set_config('frontline.entity', %s, false)", [ENTITY])
        connection.commit()
        opened.append(connection)
        return connection

    yield open_one
    for connection in opened:
        connection.close()


def execute_on(connection):
    def execute(sql, arguments=()):
        cursor = connection.execute(sql, arguments)
        return cursor.fetchone() if cursor.description else None

    return execute


def feed(cursor=""):
    with legal_entity(entity=ENTITY):
        return grand_central.public.events_after(cursor=cursor, limit=1_000)


def test_a_late_committer_is_not_skipped(connect):
    setup = connect()
    core = SmallCore(execute=execute_on(setup))
    # Four accounts, so that nobody waits for a lock of the other.
    payer, slow_payer, receiver = core.open(), core.open(), core.open()
    core.fund(payer, 100)
    core.fund(slow_payer, 100)
    setup.commit()
    start = feed()[-1].position
    receiver_iban = core.iban(receiver)
    slow = connect()
    core.execute = execute_on(slow)
    early = core.pay(slow_payer, "NL91ABNA0417164300", 1)

    core.execute = execute_on(setup)
    late = core.pay(payer, receiver_iban, 2)
    setup.commit()
    before = feed(start)
    slow.commit()
    after = feed(before[-1].position if before else start)

    seen = [event.event_id for event in (*before, *after)]
    assert sorted(seen) == sorted([early[1], late[1]])
    assert feed(after[-1].position) == ()


def test_a_batch_is_given_whole_and_with_its_particulars(connect):
    setup = connect()
    core = SmallCore(execute=execute_on(setup))
    payer = core.open()
    core.fund(payer, 100)
    setup.commit()
    start = feed()[-1].position
    items = [
        PostingItem(
            id=core.party.__class__(int=number),
            debit=payer,
            credit=core.clearing,
            amount=number,
            currency="EUR",
            name="Bakker",
            iban="NL91ABNA0417164300",
            remittance=f"bread {number}",
            category="groceries",
        )
        for number in (1, 2, 3)
    ]
    core.post_batch(items)
    setup.commit()

    with legal_entity(entity=ENTITY):
        events = grand_central.public.events_after(cursor=start, limit=1)

    assert [event.payload["amount"] for event in events] == [1, 2, 3]
    assert len({event.position for event in events}) == 1
    first = events[0].payload
    assert first["creditor_name"] == "Bakker"
    assert first["creditor_iban"] == "NL91ABNA0417164300"
    assert first["debtor_name"] == "Anna de Vries"
    assert first["category"] == "groceries"
    assert first["kind"] == "post"
    assert first["decision_id"] is None


def test_a_hold_and_its_end_are_told(connect):
    setup = connect()
    core = SmallCore(execute=execute_on(setup))
    payer = core.open()
    core.fund(payer, 100)
    _, hold, _, _ = core.hold(payer, "NL91ABNA0417164300", 60)
    core.post_hold(hold, 40)
    setup.commit()

    told = [event.payload for event in feed() if event.type == "transfer.posted"][-2:]

    assert [(each["kind"], each["amount"], each["pending_amount"]) for each in told] == [
        ("pending", 60, 0),
        ("post_pending", 40, 60),
    ]
    assert told[1]["decision_id"] == told[1]["transfer_id"]


def test_invariant_13_another_legal_entity_sees_no_events(connect):
    setup = connect()
    SmallCore(execute=execute_on(setup))
    setup.commit()

    with legal_entity(entity="meridian-be"):
        assert grand_central.public.events_after(cursor="", limit=10) == ()
    assert feed() != ()


@pytest.mark.parametrize("cursor", ["x", "1", "1:", ":1", "1:-1", "1:2:3", "1; DROP TABLE x"])
def test_a_cursor_that_is_none_is_refused(db, cursor):
    with legal_entity(entity=ENTITY), pytest.raises(grand_central.public.CursorNotUnderstood):
        grand_central.public.events_after(cursor=cursor, limit=1)
