"""Messages to people: a simulator that keeps a mailbox for everybody, and says that it is one."""

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from django.db import connection

from grand_central.connectors.contract import Call, Capability, Manifest
from grand_central.executions import execution_of
from grand_central.operations.catalogue import MESSAGES
from grand_central.operations.messages import SendMessage
from grand_central.receipts import Execution, Receipt, refused

# template -> (subject, body). No amounts, names or numbers: a mailbox is outside the bank.
_TEXTS = MappingProxyType(
    {
        "welcome": ("Welcome", "Your bank is ready. Sign in to see your accounts."),
        "payment_made": ("Payment made", "A payment was made. Sign in to see which one."),
        "payment_refused": (
            "Payment not made",
            "A payment was not made. Sign in to read why and what you can do.",
        ),
        "payment_in_review": (
            "We are checking a payment",
            "A colleague is looking at a payment of yours. You will hear from us soon.",
        ),
        "card_blocked": ("Card blocked", "A card of yours is blocked. Sign in to order another."),
        "task_escalated": (
            "A task needs you",
            "A task of your role was brought forward. Sign in to the workspace to see which one.",
        ),
        "task_overdue": (
            "A task is overdue",
            "A task of your role has passed its deadline. Sign in to the workspace to see it.",
        ),
        "change_overtaken": (
            "A change was not made",
            "What was asked for by hand came too late: the case had moved on. Sign in to see it.",
        ),
        "case_closed": ("Your question is answered", "Sign in to read our answer."),
    }
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message in the simulator's mailbox."""

    id: UUID
    template: str
    subject: str
    body: str
    case_id: UUID | None
    sent_at: datetime


class MailboxSimulator:
    """Delivers into a table anybody with the console's rights can look at; nothing leaves."""

    manifest = Manifest(
        name="mailbox-simulator",
        audience=MESSAGES,
        kind="messages",
        system="Mailbox simulator",
        version="1",
        is_simulator=True,
        capabilities=(Capability("messages.send", "write", "native"),),
        exercised_against="itself; it is a simulator",
    )

    def execute(self, call: Call) -> Receipt:
        """Put a message into the mailbox of its recipient.

        Raises:
            CoreRefused: it was not redeemed.
        """
        parameters = call.parameters
        assert isinstance(parameters, SendMessage)
        subject, body = _TEXTS[parameters.template]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT * FROM gc_message_send(%s, %s, %s, %s, %s, %s)",
                [
                    call.token,
                    parameters.recipient,
                    parameters.template,
                    parameters.case,
                    subject,
                    body,
                ],
            )
            status, position = cursor.fetchone()
        if status != "sent":
            raise refused(status)
        return Receipt(status, f"message:{call.token}", position, "The message has been sent.")

    def resolve(self, idempotency_key: str) -> Execution | None:
        """Return what became of a call, or None if nothing was sent."""
        return execution_of(idempotency_key=idempotency_key)

    def mailbox(self, recipient: str, limit: int) -> tuple[Message, ...]:
        """Return the newest messages of a recipient."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, template, subject, body, case_id, sent_at FROM gc_message"
                " WHERE entity = frontline_entity() AND recipient = %s"
                " ORDER BY sent_at DESC, id LIMIT %s",
                [recipient, limit],
            )
            return tuple(Message(*row) for row in cursor.fetchall())
