"""Names of the groups in which open screens wait for news. Names carry ids, never names."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class News:
    """Something changed: which screens, and which part of them asks the server again."""

    group: str
    topic: str
    id: str = ""

    def frame(self) -> Mapping[str, str]:
        """Return the message for the channel layer."""
        return {"type": "update", "topic": self.topic, "id": self.id}


def customer_group(customer_id: UUID) -> str:
    """Return the group of everything that concerns one customer."""
    return f"customer.{customer_id.hex}"


def conversation_group(conversation_id: UUID) -> str:
    """Return the group of one conversation."""
    return f"conversation.{conversation_id.hex}"


def case_group(case_id: UUID) -> str:
    """Return the group of one case."""
    return f"case.{case_id.hex}"


def queue_group(entity: str, role: str) -> str:
    """Return the group of the people of one role at one legal entity."""
    return f"queue.{entity}.{role}"


def console_group(entity: str) -> str:
    """Return the group of the console of one legal entity."""
    return f"console.{entity}"
