"""The embedded core as a connector: the only module that may import it."""

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from uuid import UUID

from grand_central.connectors.contract import Call, Capability, Manifest
from grand_central.embedded import ledger, reads, registers
from grand_central.embedded.ledger import BalanceProof, CoreBusy, CurrencySum, Difference
from grand_central.embedded.reads import AccountAtBank, Balance, StatementLine
from grand_central.executions import execution_of
from grand_central.operations import payments
from grand_central.operations.catalogue import LEDGER
from grand_central.operations.fields import Batch
from grand_central.operations.registers import AddPayee, BlockCard, OpenBank, SetAccountStatus
from grand_central.receipts import Execution, Receipt, refused
from sentinel.public import Presented

__all__ = [
    "AccountAtBank",
    "Balance",
    "BalanceProof",
    "CoreBusy",
    "CurrencySum",
    "Difference",
    "EmbeddedCore",
    "StatementLine",
]


class EmbeddedCore:
    """A double-entry ledger with its registers, in the same database as the redemption."""

    manifest = Manifest(
        name="embedded-core",
        audience=LEDGER,
        kind="core",
        system="Frontline embedded core",
        version="1",
        is_simulator=False,
        capabilities=(
            Capability("payments.transfer", "money", "native"),
            Capability("payments.hold", "money", "native", reversed_by="payments.void_hold"),
            Capability("payments.post_hold", "money", "native"),
            Capability("payments.void_hold", "money", "native"),
            Capability("ledger.post_batch", "money", "native"),
            Capability("bank.open", "write", "native"),
            Capability("parties.register", "write", "native"),
            Capability("accounts.open", "write", "native"),
            Capability("accounts.set_status", "write", "native"),
            Capability("cards.issue", "write", "native"),
            Capability("cards.block", "write", "native"),
            Capability("payees.add", "write", "native"),
            Capability("payees.import", "write", "native"),
        ),
        exercised_against="PostgreSQL, by this suite",
    )

    def execute(self, call: Call) -> Receipt:
        """Carry out a redeemed call in the transaction of its redemption.

        Raises:
            CoreRefused: with the core's status as its code; nothing moved.
        """
        if isinstance(call.parameters, Batch):
            return _batch(call)
        return _SINGLE[type(call.parameters)](call)

    def execute_at_once(
        self, presented: Presented, payload: object, record_id: UUID
    ) -> Receipt | None:
        """Spend a token, carry it out and record the outcome together, or return None.

        Raises:
            sentinel.public.TokenRefused: the token was not spent.
            CoreRefused: with the core's status as its code; nothing moved.
        """
        parameters = presented.parameters
        if presented.action_kind == "payments.transfer":
            return ledger.transfer_at_once(presented=presented, record_id=record_id)
        if presented.action_kind == "ledger.post_batch" and isinstance(parameters, Batch):
            return ledger.post_batch_at_once(
                presented=presented,
                batch_id=parameters.batch_id,
                lines=_lines(parameters, payload),
                record_id=record_id,
            )
        return None

    def resolve(self, idempotency_key: str) -> Execution | None:
        """Return what became of a call, or None if the core never did it."""
        return execution_of(idempotency_key=idempotency_key)

    def balance_of(self, account_id: UUID) -> Balance | None:
        """Return what an account holds now, or None if there is none."""
        return reads.balance_of(account_id=account_id)

    def account_holds(self, account_id: UUID) -> tuple[UUID, ...]:
        """Return the decisions under which an account is blocked now."""
        return reads.account_holds(account_id=account_id)

    def account_by_iban(self, iban: str) -> AccountAtBank | None:
        """Return the account with this number, or None if this bank has none."""
        return reads.account_by_iban(iban=iban)

    def is_own_iban(self, iban: str) -> bool:
        """Return whether a number carries this bank's code."""
        return reads.is_own_iban(iban=iban)

    def business_date(self) -> date | None:
        """Return the day the bank is booking on."""
        return reads.business_date()

    def roll_business_date(self, to: date) -> date | None:
        """Go on to a later day, never beyond the database's own."""
        return reads.roll_business_date(to=to)

    def open_today(self) -> date | None:
        """Go on to the database's own day; return the day in force."""
        return reads.open_today()

    def transfers_held(self, ids: list[UUID]) -> set[UUID]:
        """Return which transfers the ledger holds."""
        return reads.transfers_by_ids(ids=ids)

    def statements_of(self, account_ids: list[UUID]) -> list[StatementLine]:
        """Return the bookings of accounts with the balance after each."""
        return reads.statements_of(account_ids=account_ids)

    def expire_holds(self, limit: int) -> int:
        """Release holds whose time is over."""
        return ledger.expire_holds(limit=limit)

    def prove_balances(self) -> BalanceProof:
        """Recompute every account from its transfers."""
        return ledger.prove_balances()


def _batch(call: Call) -> Receipt:
    assert isinstance(call.parameters, Batch)
    lines = _lines(call.parameters, call.payload)
    batch_id = call.parameters.batch_id
    if call.operation == "ledger.post_batch":
        return ledger.post_batch(token=call.token, batch_id=batch_id, lines=lines)
    return registers.register_batch(
        operation=call.operation, token=call.token, batch_id=batch_id, lines=lines
    )


def _lines(parameters: Batch, payload: object) -> tuple[str, ...]:
    """Return the lines of a batch; whether they are the permitted ones, the database checks."""
    if not isinstance(payload, tuple) or not all(isinstance(line, str) for line in payload):
        raise refused("payload_missing")
    if len(payload) != parameters.count:
        raise refused("payload_refused")
    return payload


def _transfer(call: Call) -> Receipt:
    assert isinstance(call.parameters, payments.Transfer)
    return ledger.transfer(token=call.token, parameters=call.parameters)


def _hold(call: Call) -> Receipt:
    assert isinstance(call.parameters, payments.Hold)
    return ledger.hold(token=call.token, parameters=call.parameters)


def _post_hold(call: Call) -> Receipt:
    assert isinstance(call.parameters, payments.PostHold)
    return ledger.post_hold(token=call.token, parameters=call.parameters)


def _void_hold(call: Call) -> Receipt:
    assert isinstance(call.parameters, payments.VoidHold)
    return ledger.void_hold(token=call.token, parameters=call.parameters)


def _open_bank(call: Call) -> Receipt:
    assert isinstance(call.parameters, OpenBank)
    return registers.open_bank(token=call.token, parameters=call.parameters)


def _set_account_status(call: Call) -> Receipt:
    assert isinstance(call.parameters, SetAccountStatus)
    return registers.set_account_status(token=call.token, parameters=call.parameters)


def _block_card(call: Call) -> Receipt:
    assert isinstance(call.parameters, BlockCard)
    return registers.block_card(token=call.token, parameters=call.parameters)


def _add_payee(call: Call) -> Receipt:
    assert isinstance(call.parameters, AddPayee)
    return registers.add_payee(token=call.token, parameters=call.parameters)


_SINGLE: Mapping[type, Callable[[Call], Receipt]] = MappingProxyType(
    {
        payments.Transfer: _transfer,
        payments.Hold: _hold,
        payments.PostHold: _post_hold,
        payments.VoidHold: _void_hold,
        OpenBank: _open_bank,
        SetAccountStatus: _set_account_status,
        BlockCard: _block_card,
        AddPayee: _add_payee,
    }
)
