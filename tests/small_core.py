"""A small bank for tests: it permits and redeems as Sentinel's tables want it, and posts."""

import hashlib
from datetime import UTC, datetime
from uuid import UUID, uuid4

from django.db import connection

from grand_central.operations.items import AccountItem, PartyItem, PostingItem, items_root

TODAY = datetime.now(UTC).date()
_CLEARING = "NL57MRDN0000000001"


def permit(kind: str, effect: str | None, *, execute=None, token: UUID | None = None) -> UUID:
    """Record a permit and redeem it in the transaction that is open: the effect may follow."""
    execute = execute or _execute
    token = token or uuid4()
    digest = hashlib.sha256(effect.encode()).digest() if effect is not None else None
    execute(
        "INSERT INTO sentinel_decision (id, action_kind, verdict, principal_id, subject, resource,"
        " case_id, purpose, idempotency_key, params_hash, policies, bundle, audience, expires_at,"
        " record_id, decided_at) VALUES (%s, %s, 'permit', 'system:test', 'system:test', 'bank:x',"
        " %s, 'servicing', %s, %s, '{}', '', 'ledger', clock_timestamp() + interval '1 minute',"
        " %s, clock_timestamp())",
        [token, kind, token, str(token), b"\x01" * 32, token],
    )
    status = execute(
        "SELECT sentinel_redeem(%s, %s, 'ledger', %s, %s, %s, '{}', 0)",
        [token, kind, b"\x01" * 32, digest, str(token)],
    )
    assert status == ("redeemed",), status
    return token


def _execute(sql, arguments=()):
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchone() if cursor.description else None


class SmallCore:
    """One bank with a few accounts, worked on through one connection."""

    def __init__(self, execute=_execute, country="NL", bank_code="MRDN", currency="EUR"):
        self.execute = execute
        self.currency = currency
        self.party = uuid4()
        self.number = 0
        token = self.permit("bank.open", f"bank/v1|{country}|{bank_code}|{currency}|{TODAY}")
        self.execute(
            "SELECT * FROM core_open_bank(%s, 'Meridian', %s, %s, %s, %s)",
            [token, country, bank_code, currency, TODAY],
        )
        party = PartyItem(
            self.party, "person", "Anna de Vries", "Anna", "de Vries", None, "", "", "", "", "",
            country, "retail",
        )  # fmt: skip
        self.batch("parties.register", "core_register_parties", [party])
        self.clearing = self.open(kind="clearing", iban=f"{country}CLEARING", party=None, flags=0)
        self.equity = self.open(kind="equity", iban=f"{country}EQUITY", party=None, flags=0)

    def permit(self, kind, effect):
        return permit(kind, effect, execute=self.execute)

    def batch(self, kind, function, items):
        lines = [item.line() for item in items]
        token = self.permit(kind, f"batch/v1|{items_root(lines=lines)}")
        return self.execute(
            f"SELECT * FROM {function}(%s, %s, %s::text[])", [token, uuid4(), lines]
        )

    def open(self, *, kind="customer_current", iban=None, party="own", flags=1, currency=None):
        self.number += 1
        account = uuid4()
        item = AccountItem(
            account,
            iban or f"NL00MRDN{uuid4().int % 10**10:010d}",
            1,
            currency or self.currency,
            kind,
            kind,
            "Anna de Vries" if party else "Meridian",
            self.party if party else None,
            flags,
            TODAY,
        )
        statuses = self.batch("accounts.open", "core_open_accounts", [item])[0]
        assert statuses == ["opened"], statuses
        return account

    def fund(self, account, amount, currency=None):
        item = PostingItem(uuid4(), self.equity, account, amount, currency or self.currency)
        assert self.post_batch([item])[0] == ["posted"]

    def post_batch(self, items):
        return self.batch("ledger.post_batch", "ledger_post_batch", items)

    def iban(self, account):
        return self.execute("SELECT iban FROM ledger_account WHERE id = %s", [account])[0]

    def pay(self, debit, creditor_iban, amount, *, token=None, currency=None, remittance=""):
        """Return (status, transfer id, feed position, balance)."""
        currency = currency or self.currency
        token = token or self.permit(
            "payments.transfer", f"transfer/v1|{debit}|{creditor_iban}|{amount}|{currency}"
        )
        return self.execute(
            "SELECT * FROM ledger_transfer_post(%s, %s, %s, 'Bob Jansen', %s, %s, %s, '', %s, '')",
            [token, debit, creditor_iban, amount, currency, remittance, TODAY],
        )

    def hold(self, debit, creditor_iban, amount, seconds=600):
        token = self.permit(
            "payments.hold",
            f"hold/v1|{debit}|{creditor_iban}|{amount}|{self.currency}|{seconds}",
        )
        return self.execute(
            "SELECT * FROM ledger_hold(%s, %s, %s, 'Bob Jansen', %s, %s, '', %s)",
            [token, debit, creditor_iban, amount, self.currency, seconds],
        )

    def post_hold(self, hold, amount):
        token = self.permit("payments.post_hold", f"hold_post/v1|{hold}|{amount}|{self.currency}")
        return self.execute(
            "SELECT * FROM ledger_hold_post(%s, %s, %s, %s)", [token, hold, amount, self.currency]
        )

    def void_hold(self, hold):
        token = self.permit("payments.void_hold", f"hold_void/v1|{hold}")
        return self.execute("SELECT * FROM ledger_hold_void(%s, %s)", [token, hold])

    def counters(self, account):
        return self.execute(
            "SELECT debits_pending, debits_posted, credits_pending, credits_posted"
            " FROM ledger_account WHERE id = %s",
            [account],
        )

    def balance(self, account):
        _pending, posted, _, credited = self.counters(account)
        return credited - posted

    def state(self):
        """Everything that could move: compare before and after a refusal."""
        return self.execute(
            "SELECT (SELECT count(*) FROM ledger_transfer), (SELECT count(*) FROM gc_outbox),"
            " (SELECT array_agg((id, debits_pending, debits_posted, credits_pending,"
            " credits_posted, status)::text ORDER BY id) FROM ledger_account)"
        )

    def assert_balanced(self):
        assert self.execute("SELECT count(*) FROM ledger_differences()") == (0,)
        assert self.execute("SELECT count(*) FROM ledger_sums() WHERE debits <> credits") == (0,)
