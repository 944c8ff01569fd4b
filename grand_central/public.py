"""The one door to Grand Central: how it is done in the system of record, exactly once."""

from grand_central.asking import (
    account_by_iban,
    balance_of,
    business_date,
    check_payee_name,
    connectors,
    is_own_iban,
    mailbox,
    open_business_day_once,
    outcome_of,
    prove_balances,
    resolve_hold_timeouts_once,
    roll_business_date,
    set_scheme_available,
    statements_of,
    teach_scheme,
    transfers_held,
    validate_iban,
)
from grand_central.connectors.contract import Capability, Manifest
from grand_central.connectors.embedded import (
    AccountAtBank,
    Balance,
    BalanceProof,
    CoreBusy,
    CurrencySum,
    Difference,
    StatementLine,
)
from grand_central.connectors.messages import Message
from grand_central.connectors.scheme import RegisteredName
from grand_central.gateway import OperationUnknown, execute
from grand_central.iban import InvalidIban, iban_of
from grand_central.names import NameCheck
from grand_central.operations.fields import AMOUNT_MAX, REMITTANCE_LENGTH_MAX
from grand_central.operations.items import (
    AccountItem,
    BatchItem,
    CardItem,
    PartyItem,
    PayeeItem,
    PostingItem,
    items_root,
)
from grand_central.outbox import CursorNotUnderstood, OutboxEvent, events_after
from grand_central.receipts import CoreRefused, Execution, OutcomeUnknown, Receipt
from grand_central.reconciling import (
    BooksProof,
    Orphan,
    Reconciliation,
    prove_books_once,
    reconcile_once,
)
from grand_central.screening.lists import ListNotUnderstood, PublishedList, read_list
from grand_central.screening.screen import (
    NoListLoaded,
    Screening,
    ScreeningCandidate,
    screen,
)
from grand_central.screening.store import ScreeningList
from grand_central.screening.store import lists_in_force as screening_lists

__all__ = [
    "AMOUNT_MAX",
    "REMITTANCE_LENGTH_MAX",
    "AccountAtBank",
    "AccountItem",
    "Balance",
    "BalanceProof",
    "BatchItem",
    "BooksProof",
    "Capability",
    "CardItem",
    "CoreBusy",
    "CoreRefused",
    "CurrencySum",
    "CursorNotUnderstood",
    "Difference",
    "Execution",
    "InvalidIban",
    "ListNotUnderstood",
    "Manifest",
    "Message",
    "NameCheck",
    "NoListLoaded",
    "OperationUnknown",
    "Orphan",
    "OutboxEvent",
    "OutcomeUnknown",
    "PartyItem",
    "PayeeItem",
    "PostingItem",
    "PublishedList",
    "Receipt",
    "Reconciliation",
    "RegisteredName",
    "Screening",
    "ScreeningCandidate",
    "ScreeningList",
    "StatementLine",
    "account_by_iban",
    "balance_of",
    "business_date",
    "check_payee_name",
    "connectors",
    "events_after",
    "execute",
    "iban_of",
    "is_own_iban",
    "items_root",
    "mailbox",
    "open_business_day_once",
    "outcome_of",
    "prove_balances",
    "prove_books_once",
    "read_list",
    "reconcile_once",
    "resolve_hold_timeouts_once",
    "roll_business_date",
    "screen",
    "screening_lists",
    "set_scheme_available",
    "statements_of",
    "teach_scheme",
    "transfers_held",
    "validate_iban",
]
