"""Many writers at once: nothing lost, nothing doubled, nobody deadlocked."""

import random
import threading
from uuid import uuid4

import psycopg
import pytest

from grand_central.operations.items import PostingItem
from tests.small_core import SmallCore, permit

ENTITY = "meridian-nl"
WRITERS, EACH = 16, 12
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def open_connection(dsn):
    connection = psycopg.connect(dsn)
    connection.execute("SELECT set_config('frontline.entity', %s, false)", [ENTITY])
    connection.commit()
    return connection


def execute_on(connection):
    def execute(sql, arguments=()):
        cursor = connection.execute(sql, arguments)
        return cursor.fetchone() if cursor.description else None

    return execute


@pytest.fixture
def core(dsn):
    with open_connection(dsn) as connection:
        core = SmallCore(execute=execute_on(connection))
        core.commit = connection.commit
        core.commit()
        yield core


def at_once(dsn, core, work):
    """Run `work(core of the thread, number, commit)` in every writer and return what it gave."""
    results, failures = [], []
    barrier = threading.Barrier(WRITERS)

    def run(number):
        try:
            with open_connection(dsn) as connection:
                own = object.__new__(SmallCore)
                own.__dict__.update(core.__dict__)
                own.execute = execute_on(connection)
                barrier.wait(timeout=30)
                results.extend(work(own, number, connection.commit))
        except Exception as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)
    return results


def test_sixteen_writers_on_one_account_lose_no_update(dsn, core):
    account = core.open()
    # Enough for two thirds of what is asked.
    funds = WRITERS * EACH * 2 // 3
    core.fund(account, funds)
    core.commit()

    def pay(own, _number, commit):
        statuses = []
        for _ in range(EACH):
            statuses.append(own.pay(account, "NL91ABNA0417164300", 1)[0])
            commit()
        return statuses

    statuses = at_once(dsn, core, pay)

    assert statuses.count("posted") == funds
    assert statuses.count("insufficient_funds") == WRITERS * EACH - funds
    assert core.balance(account) == 0
    core.assert_balanced()


def test_writers_in_both_directions_do_not_deadlock(dsn, core):
    accounts = [core.open() for _ in range(3)]
    ibans = [core.iban(account) for account in accounts]
    for account in accounts:
        core.fund(account, 1_000)
    core.commit()

    def pay(own, number, commit):
        chance = random.Random(number)
        statuses = []
        for _ in range(EACH):
            debit, credit = chance.sample(range(3), 2)
            statuses.append(own.pay(accounts[debit], ibans[credit], 1)[0])
            commit()
        return statuses

    statuses = at_once(dsn, core, pay)

    assert statuses == ["posted"] * (WRITERS * EACH)
    assert sum(core.balance(account) for account in accounts) == 3_000
    core.assert_balanced()


def test_batches_and_payments_on_the_same_accounts_lose_no_update(dsn, core):
    accounts = [core.open() for _ in range(4)]
    for account in accounts:
        core.fund(account, 10_000)
    ibans = [core.iban(account) for account in accounts]
    core.commit()

    def write(own, number, commit):
        chance = random.Random(number)
        statuses = []
        for _ in range(EACH):
            pairs = [chance.sample(range(4), 2) for _ in range(5)]
            if number % 2:
                debit, credit = pairs[0]
                statuses.append(own.pay(accounts[debit], ibans[credit], 1)[0])
            else:
                items = [
                    PostingItem(uuid4(), accounts[debit], accounts[credit], 1, "EUR")
                    for debit, credit in pairs
                ]
                statuses.extend(own.post_batch(items)[0])
            commit()
        return statuses

    statuses = at_once(dsn, core, write)

    assert statuses == ["posted"] * (WRITERS // 2 * EACH * 6)
    assert sum(core.balance(account) for account in accounts) == 40_000
    core.assert_balanced()


def test_invariant_03_double_submit_is_one_transfer(dsn, core):
    account = core.open()
    core.fund(account, 100)
    core.commit()
    token = uuid4()

    def pay(own, _number, commit):
        # Each redeems by itself, as two clicks would: the database lets one of them.
        try:
            permit(
                "payments.transfer",
                f"transfer/v1|{account}|NL91ABNA0417164300|60|EUR",
                execute=own.execute,
                token=token,
            )
            status = own.pay(account, "NL91ABNA0417164300", 60, token=token)[0]
        except (AssertionError, psycopg.errors.UniqueViolation):
            return ["refused"]
        commit()
        return [status]

    statuses = at_once(dsn, core, pay)

    assert statuses.count("posted") == 1
    assert statuses.count("refused") == WRITERS - 1
    assert core.balance(account) == 40
    core.assert_balanced()


def test_one_hold_is_resolved_once(dsn, core):
    account = core.open()
    core.fund(account, 100)
    hold = core.hold(account, "NL91ABNA0417164300", 80)[1]
    core.commit()

    def resolve(own, number, commit):
        row = own.void_hold(hold) if number % 2 else own.post_hold(hold, 80)
        commit()
        return [row[0]]

    statuses = at_once(dsn, core, resolve)

    assert sum(status in {"posted", "voided"} for status in statuses) == 1
    assert statuses.count("hold_already_resolved") == WRITERS - 1
    assert core.counters(account)[0] == 0
    core.assert_balanced()


def test_invariant_01_a_redemption_of_another_transaction_posts_nothing(dsn, core):
    account = core.open()
    core.fund(account, 100)
    token = core.permit("payments.transfer", f"transfer/v1|{account}|NL91ABNA0417164300|60|EUR")
    core.commit()
    before = core.state()

    status = core.pay(account, "NL91ABNA0417164300", 60, token=token)[0]

    assert status == "no_redemption"
    assert core.state() == before
