"""Every operation, declared once: how Sentinel knows it and how the gateway routes it."""

from grand_central.operations import fields, messages, payments, registers, screening
from sentinel.public import ActionKind

LEDGER = "urn:connector:ledger"
MESSAGES = "urn:connector:messages"
SCREENING = "urn:connector:screening"


class PostBatch(fields.Batch):
    """Post many transfers."""

    total: fields.PositiveAmount


class RegisterParties(fields.Batch):
    """Make people and organisations known to the core."""


class OpenAccounts(fields.Batch):
    """Open accounts."""


class IssueCards(fields.Batch):
    """Issue cards."""


class ImportPayees(fields.Batch):
    """Keep the people customers have been paying."""


_PAYMENTS = (
    ActionKind(
        kind="payments.transfer",
        parameters=payments.Transfer,
        risk="high",
        audience=LEDGER,
        wording="pay {amount} to {creditor_name}",
        money_fields=("amount", "fee"),
        payee_fields=("creditor_iban", "creditor_name"),
        effect_digest=payments.transfer_effect,
    ),
    ActionKind(
        kind="payments.hold",
        parameters=payments.Hold,
        risk="medium",
        audience=LEDGER,
        wording="set {amount} aside for {creditor_name}",
        money_fields=("amount",),
        payee_fields=("creditor_iban", "creditor_name"),
        effect_digest=payments.hold_effect,
    ),
    ActionKind(
        kind="payments.post_hold",
        parameters=payments.PostHold,
        risk="high",
        audience=LEDGER,
        wording="pay out {amount} that was set aside",
        money_fields=("amount",),
        effect_digest=payments.post_hold_effect,
    ),
    ActionKind(
        kind="payments.void_hold",
        parameters=payments.VoidHold,
        risk="low",
        audience=LEDGER,
        wording="release an amount that was set aside",
        effect_digest=payments.void_hold_effect,
    ),
    ActionKind(
        kind="ledger.post_batch",
        parameters=PostBatch,
        risk="high",
        audience=LEDGER,
        wording="post {count} transfers of {total} in all",
        effect_digest=fields.batch_effect,
    ),
)

_REGISTERS = (
    ActionKind(
        kind="bank.open",
        parameters=registers.OpenBank,
        risk="high",
        audience=LEDGER,
        wording="begin the books of {name}",
        effect_digest=registers.open_bank_effect,
    ),
    ActionKind(
        kind="parties.register",
        parameters=RegisterParties,
        risk="medium",
        audience=LEDGER,
        wording="register {count} parties",
        effect_digest=fields.batch_effect,
    ),
    ActionKind(
        kind="accounts.open",
        parameters=OpenAccounts,
        risk="medium",
        audience=LEDGER,
        wording="open {count} accounts",
        effect_digest=fields.batch_effect,
    ),
    ActionKind(
        kind="accounts.set_status",
        parameters=registers.SetAccountStatus,
        risk="high",
        audience=LEDGER,
        wording="make an account {status}",
        effect_digest=registers.set_account_status_effect,
    ),
    ActionKind(
        kind="cards.issue",
        parameters=IssueCards,
        risk="medium",
        audience=LEDGER,
        wording="issue {count} cards",
        effect_digest=fields.batch_effect,
    ),
    ActionKind(
        kind="cards.block",
        parameters=registers.BlockCard,
        risk="low",
        audience=LEDGER,
        wording="block a card",
        effect_digest=registers.block_card_effect,
    ),
    ActionKind(
        kind="payees.add",
        parameters=registers.AddPayee,
        risk="medium",
        audience=LEDGER,
        wording="keep {name} as a payee",
        payee_fields=("iban", "name"),
        effect_digest=registers.add_payee_effect,
    ),
    ActionKind(
        kind="payees.import",
        parameters=ImportPayees,
        risk="medium",
        audience=LEDGER,
        wording="keep {count} payees",
        effect_digest=fields.batch_effect,
    ),
)

_OTHERS = (
    ActionKind(
        kind="messages.send",
        parameters=messages.SendMessage,
        risk="low",
        audience=MESSAGES,
        wording="send the message {template}",
        effect_digest=messages.send_message_effect,
    ),
    ActionKind(
        kind="screening.load",
        parameters=screening.LoadScreeningList,
        risk="high",
        audience=SCREENING,
        wording="put the list {name}, version {version}, in force",
        effect_digest=screening.load_screening_list_effect,
    ),
)

OPERATIONS = _PAYMENTS + _REGISTERS + _OTHERS
