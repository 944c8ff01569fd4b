"""The ledger against a model in Python: random operations, equal statuses, equal balances."""

import random
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grand_central.operations.items import PostingItem
from tests.small_core import SmallCore

ACCOUNTS = 4
AMOUNTS = (1, 7, 40, 41, 60, 100, 130)
BAD_AMOUNTS = (-1, 0, 10**15 + 1)
OPERATIONS = ("batch", "batch", "hold", "hold", "post_hold", "void_hold")


def operations_of(seed):
    """Yield random operations, most of them good: hypothesis alone hardly ever moves money."""
    chance = random.Random(seed)

    def amount():
        return chance.choice(BAD_AMOUNTS if chance.random() < 0.1 else AMOUNTS)

    def pair():
        # The last account exists in neither book; now and then both are the same.
        last = ACCOUNTS + (chance.random() < 0.1)
        return chance.randrange(last), chance.randrange(last)

    def item():
        currency = "USD" if chance.random() < 0.05 else "EUR"
        return (*pair(), amount(), chance.randrange(40), currency)

    for _ in range(chance.randint(4, 14)):
        name = chance.choice(OPERATIONS)
        if name == "batch":
            yield name, ([item() for _ in range(chance.randint(1, 8))],)
        elif name == "hold":
            yield name, (*pair(), amount())
        else:
            number = chance.randrange(5)
            yield name, (number, amount()) if name == "post_hold" else (number,)


@dataclass
class Account:
    """What the model holds of an account."""

    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0

    def room(self):
        return self.credits_posted - self.debits_posted - self.debits_pending

    def counters(self):
        return (
            self.debits_pending,
            self.debits_posted,
            self.credits_pending,
            self.credits_posted,
        )


@dataclass
class Model:
    """The rules of the ledger, once more and plainly."""

    accounts: dict[int, Account]
    transfers: dict[UUID, tuple] = field(default_factory=dict)
    holds: list[tuple] = field(default_factory=list)

    def item(self, key, debit, credit, amount, currency):
        fields = (debit, credit, amount, currency)
        if key in self.transfers:
            return "exists" if self.transfers[key] == fields else "exists_with_different"
        status = self.refusal(debit, credit, amount, currency)
        if status:
            return status
        self.transfers[key] = fields
        self.accounts[debit].debits_posted += amount
        self.accounts[credit].credits_posted += amount
        return "posted"

    def refusal(self, debit, credit, amount, currency):
        if debit == credit:
            return "same_account"
        if debit not in self.accounts or credit not in self.accounts:
            return "account_unknown"
        if not 0 < amount <= 10**15:
            return "amount_refused"
        if currency != "EUR":
            return "currency_mismatch"
        return "insufficient_funds" if self.accounts[debit].room() < amount else None

    def batch(self, items):
        """Return the statuses; an id whose first item was refused is not tried again."""
        statuses, tried = [], set()
        for key, *fields in items:
            is_repeated = key in tried and key not in self.transfers
            statuses.append("repeated_in_batch" if is_repeated else self.item(key, *fields))
            tried.add(key)
        return statuses

    def hold(self, debit, credit, amount):
        status = self.refusal(debit, credit, amount, "EUR")
        if status:
            return status
        self.accounts[debit].debits_pending += amount
        self.accounts[credit].credits_pending += amount
        return "held"

    def resolve(self, number, amount, *, is_post):
        debit, credit, held, is_open, _ = self.holds[number]
        if not is_open:
            return "hold_already_resolved"
        if is_post and amount <= 0:
            return "amount_refused"
        if is_post and amount > held:
            return "exceeds_hold"
        self.accounts[debit].debits_pending -= held
        self.accounts[credit].credits_pending -= held
        if is_post:
            self.accounts[debit].debits_posted += amount
            self.accounts[credit].credits_posted += amount
        self.holds[number][3] = False
        return "posted" if is_post else "voided"


class Both:
    """The ledger and the model side by side."""

    def __init__(self, core):
        self.core = core
        self.ids = [core.open() for _ in range(ACCOUNTS)]
        self.ibans = [core.iban(each) for each in self.ids]
        self.model = Model({number: Account() for number in range(ACCOUNTS)})
        for number, account in enumerate(self.ids):
            core.fund(account, 50 * (number + 1))
            self.model.accounts[number].credits_posted = 50 * (number + 1)
        # Well formed, of this bank, and nobody's.
        self.ids.append(UUID(int=1))
        self.ibans.append("NL24MRDN9999999999")

    def batch(self, items):
        rows = [
            (UUID(int=1000 + key), debit, credit, amount, currency)
            for debit, credit, amount, key, currency in items
        ]
        sent = [
            PostingItem(key, self.ids[debit], self.ids[credit], amount, currency)
            for key, debit, credit, amount, currency in rows
        ]
        expected = self.model.batch(rows)
        statuses, posted, _ = self.core.post_batch(sent)
        assert statuses == expected
        assert posted == expected.count("posted")

    def hold(self, debit, credit, amount):
        expected = self.model.hold(debit, credit, amount)
        status, hold, _, _ = self.core.hold(self.ids[debit], self.ibans[credit], amount)
        if debit == credit == ACCOUNTS:
            # Nobody's account to itself: the number is looked up first.
            assert status == "account_unknown"
            return
        assert status == expected
        if status == "held":
            self.model.holds.append([debit, credit, amount, True, hold])

    def post_hold(self, number, amount):
        if number < len(self.model.holds):
            expected = self.model.resolve(number, amount, is_post=True)
            assert self.core.post_hold(self.model.holds[number][4], amount)[0] == expected

    def void_hold(self, number):
        if number < len(self.model.holds):
            expected = self.model.resolve(number, 0, is_post=False)
            assert self.core.void_hold(self.model.holds[number][4])[0] == expected

    def assert_equal(self):
        for number, account in self.model.accounts.items():
            assert self.core.counters(self.ids[number]) == account.counters()
        self.core.assert_balanced()


def test_invariant_08_money_balances_whatever_is_asked(entity):
    @settings(
        max_examples=100,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32))
    def run(seed):
        with transaction.atomic():
            both = Both(SmallCore())
            for name, arguments in operations_of(seed):
                getattr(both, name)(*arguments)
            both.assert_equal()
            transaction.set_rollback(True)

    run()
