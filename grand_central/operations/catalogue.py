"""Every operation, declared once: how Sentinel knows it and how the gateway routes it."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from grand_central.operations import (
    cards,
    fields,
    letters,
    messages,
    payments,
    registers,
    screening,
)
from sentinel.public import ActionKind

LEDGER = "urn:connector:ledger"
MESSAGES = "urn:connector:messages"
SCREENING = "urn:connector:screening"
CARD_PROCESSOR = "urn:connector:card-processor"
PRINT_HOUSE = "urn:connector:print-house"
_P = TypeVar("_P", bound=BaseModel)


def _by(kind: type[_P], digest: Callable[[_P], bytes]) -> Callable[[BaseModel], bytes]:
    """Return the digest function for parameters that the catalogue has validated as `kind`."""

    def of(parameters: BaseModel) -> bytes:
        assert isinstance(parameters, kind)
        return digest(parameters)

    return of


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
        effect_digest=_by(payments.Transfer, payments.transfer_effect),
    ),
    ActionKind(
        kind="payments.hold",
        parameters=payments.Hold,
        risk="medium",
        audience=LEDGER,
        wording="set {amount} aside for {creditor_name}",
        money_fields=("amount",),
        payee_fields=("creditor_iban", "creditor_name"),
        effect_digest=_by(payments.Hold, payments.hold_effect),
    ),
    ActionKind(
        kind="payments.post_hold",
        parameters=payments.PostHold,
        risk="high",
        audience=LEDGER,
        wording="pay out {amount} that was set aside",
        money_fields=("amount",),
        effect_digest=_by(payments.PostHold, payments.post_hold_effect),
    ),
    ActionKind(
        kind="payments.void_hold",
        parameters=payments.VoidHold,
        risk="low",
        audience=LEDGER,
        wording="release an amount that was set aside",
        effect_digest=_by(payments.VoidHold, payments.void_hold_effect),
    ),
    ActionKind(
        kind="ledger.post_batch",
        parameters=PostBatch,
        risk="high",
        audience=LEDGER,
        wording="post {count} transfers of {total} in all",
        effect_digest=_by(fields.Batch, fields.batch_effect),
    ),
)

_REGISTERS = (
    ActionKind(
        kind="bank.open",
        parameters=registers.OpenBank,
        risk="high",
        audience=LEDGER,
        wording="begin the books of {name}",
        effect_digest=_by(registers.OpenBank, registers.open_bank_effect),
    ),
    ActionKind(
        kind="parties.register",
        parameters=RegisterParties,
        risk="medium",
        audience=LEDGER,
        wording="register {count} parties",
        effect_digest=_by(fields.Batch, fields.batch_effect),
    ),
    ActionKind(
        kind="accounts.open",
        parameters=OpenAccounts,
        risk="medium",
        audience=LEDGER,
        wording="open {count} accounts",
        effect_digest=_by(fields.Batch, fields.batch_effect),
    ),
    ActionKind(
        kind="accounts.set_status",
        parameters=registers.SetAccountStatus,
        risk="high",
        audience=LEDGER,
        wording="make an account {status}",
        effect_digest=_by(registers.SetAccountStatus, registers.set_account_status_effect),
    ),
    ActionKind(
        kind="cards.issue",
        parameters=IssueCards,
        risk="medium",
        audience=LEDGER,
        wording="issue {count} cards",
        effect_digest=_by(fields.Batch, fields.batch_effect),
    ),
    ActionKind(
        kind="cards.block",
        parameters=registers.BlockCard,
        risk="low",
        audience=LEDGER,
        wording="block a card",
        effect_digest=_by(registers.BlockCard, registers.block_card_effect),
    ),
    ActionKind(
        kind="payees.add",
        parameters=registers.AddPayee,
        risk="medium",
        audience=LEDGER,
        wording="keep {name} as a payee",
        payee_fields=("iban", "name"),
        party_fields=("party_id",),
        effect_digest=_by(registers.AddPayee, registers.add_payee_effect),
    ),
    ActionKind(
        kind="payees.import",
        parameters=ImportPayees,
        risk="medium",
        audience=LEDGER,
        wording="keep {count} payees",
        effect_digest=_by(fields.Batch, fields.batch_effect),
    ),
)

_CARDS = (
    ActionKind(
        kind="cards.stop",
        parameters=cards.StopCard,
        risk="low",
        audience=CARD_PROCESSOR,
        wording="stop a card at the card processor",
        effect_digest=_by(cards.StopCard, cards.stop_card_effect),
    ),
    ActionKind(
        kind="cards.release",
        parameters=cards.ReleaseCard,
        risk="medium",
        audience=CARD_PROCESSOR,
        wording="release a card at the card processor",
        effect_digest=_by(cards.ReleaseCard, cards.release_card_effect),
    ),
)

_OTHERS = (
    ActionKind(
        kind="messages.send",
        parameters=messages.SendMessage,
        risk="low",
        audience=MESSAGES,
        wording="send the message {template}",
        effect_digest=_by(messages.SendMessage, messages.send_message_effect),
    ),
    ActionKind(
        kind="screening.load",
        parameters=screening.LoadScreeningList,
        risk="high",
        audience=SCREENING,
        wording="put the list {name}, version {version}, in force",
        effect_digest=_by(screening.LoadScreeningList, screening.load_screening_list_effect),
    ),
)

# Carried out by programs outside, which spend the tokens themselves: nothing here has a route.
OUTSIDE_PROGRAMS = (
    ActionKind(
        kind="letters.post",
        parameters=letters.PostLetter,
        risk="medium",
        audience=PRINT_HOUSE,
        wording="have a letter of {pages} pages printed and posted",
        is_redeemed_outside=True,
        sends_outside=True,
    ),
)
OPERATIONS = _PAYMENTS + _REGISTERS + _CARDS + _OTHERS
