"""Messages to people outside the bank's own screens."""

from typing import Annotated, Literal

from pydantic import Field

from grand_central.operations.fields import Id, Parameters, effect

Template = Literal[
    "welcome",
    "payment_made",
    "payment_refused",
    "payment_in_review",
    "card_blocked",
    "case_closed",
    "task_escalated",
    "task_overdue",
    "change_overtaken",
]


class SendMessage(Parameters):
    """Send one of the bank's own texts to a person; free text cannot be sent."""

    recipient: Annotated[str, Field(pattern=r"^(customer|employee):[0-9a-f-]{36}$")]
    template: Template
    case: Id | None


def send_message_effect(parameters: SendMessage) -> bytes:
    """Return the effect digest of a message."""
    return effect("message/v1", parameters.recipient, parameters.template, parameters.case or "")
