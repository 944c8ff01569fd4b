"""What a line of a feed means for open screens: pure."""

from collections.abc import Mapping
from uuid import UUID

from interaction.channels.groups import (
    News,
    case_group,
    console_group,
    conversation_group,
    customer_group,
    queue_group,
)

OPERATIONS = "operations"
# A customer's pages show payments, cards and balances; each asks for its own part again.
_CASE_AREAS = {"case", "task", "conversation", "instance"}
_CUSTOMER_TOPICS = {"conversation": "conversation", "case": "payment", "task": "payment"}


def news_of_work(
    *, event_type: str, subject: str, payload: Mapping[str, object], entity: str
) -> tuple[News, ...]:
    """Return who must hear of a line of Orchestration's feed."""
    area = event_type.partition(".")[0]
    found: list[News] = []
    if area == "conversation":
        found.append(News(conversation_group(UUID(subject)), "conversation", subject))
    customer, case, role = (_text(payload, name) for name in ("customer_id", "case_id", "role"))
    if customer and area in _CUSTOMER_TOPICS:
        found += [
            News(customer_group(UUID(customer)), _CUSTOMER_TOPICS[area], subject),
            News(customer_group(UUID(customer)), "payment", case),
        ]
    if case and area in _CASE_AREAS:
        found.append(News(case_group(UUID(case)), "case", case))
    if case and area in {"case", "instance"}:
        found.append(News(queue_group(entity, OPERATIONS), "running", case))
    if area == "task" and role:
        found.append(News(queue_group(entity, role), "task", subject))
    if area == "worker":
        found.append(News(queue_group(entity, OPERATIONS), "people"))
    return tuple(dict.fromkeys(found))


def news_of_customer(*, customer_id: UUID, topics: tuple[str, ...]) -> tuple[News, ...]:
    """Return who must hear that a customer's picture moved."""
    group = customer_group(customer_id)
    named = dict.fromkeys((*topics, "account"))
    return tuple(News(group, topic, str(customer_id)) for topic in named)


def news_of_authority(*, subject: str, entity: str) -> tuple[News, ...]:
    """Return who must hear of a line of Sentinel's log."""
    return (News(console_group(entity), "decision", subject),)


def _text(payload: Mapping[str, object], name: str) -> str:
    value = payload.get(name)
    return str(value) if value else ""
