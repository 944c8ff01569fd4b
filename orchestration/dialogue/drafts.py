"""What a conversation is in the middle of: a request being put together, turn by turn."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import connection

from orchestration.durable import statements
from sentinel.vocabulary import Source


@dataclass(frozen=True, slots=True)
class Draft:
    """A request in the making: values by parameter, where each came from, and what was asked.

    `awaiting` is the slot asked for, or `confirmation` while a flow waits for the customer.
    `plan_step` names the step of a plan it is put together for.
    """

    intent: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    awaiting: str | None = None
    instance_id: str | None = None
    document_id: str | None = None
    plan_step: str | None = None

    def with_value(self, name: str, value: object, source: Source) -> "Draft":
        """Return the draft with one parameter set."""
        kept = {"provenance": source.provenance.value, "reference": source.reference}
        return replace(
            self,
            values={**self.values, name: value},
            sources={**self.sources, name: kept},
        )

    def without(self, *names: str) -> "Draft":
        """Return the draft with parameters taken out."""
        return replace(
            self,
            values={name: value for name, value in self.values.items() if name not in names},
            sources={name: value for name, value in self.sources.items() if name not in names},
        )


NOTHING = Draft()


class NotYourConversation(PermissionError):
    """The conversation belongs to somebody else."""

    code = "not_your_conversation"
    is_retryable = False

    def __init__(self, conversation_id: str) -> None:
        super().__init__(conversation_id)
        self.conversation_id = conversation_id


def lock_draft(conversation_id: UUID, principal_id: str) -> tuple[Draft, int]:
    """Lock a conversation for this turn and return what it is in the middle of, and the turn.

    Raises:
        NotYourConversation: somebody else began it.
    """
    rows = statements.run(
        "INSERT INTO orch_conversation_state AS known (conversation_id, principal_id, state, turn)"
        " VALUES (%s, %s, '{}', 1) ON CONFLICT (conversation_id) DO UPDATE"
        " SET turn = known.turn + 1, updated_at = clock_timestamp()"
        " RETURNING principal_id, state, turn",
        [conversation_id, principal_id],
    )
    ((owner, state, turn),) = rows
    if owner != principal_id:
        raise NotYourConversation(str(conversation_id))
    return Draft(**json.loads(state)), turn


def latest_conversation(principal_id: str) -> UUID | None:
    """Return the conversation in which a person spoke last, if they ever did."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conversation_id FROM orch_conversation_state WHERE principal_id = %s"
            " ORDER BY updated_at DESC, conversation_id LIMIT 1",
            [principal_id],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def keep_draft(conversation_id: UUID, draft: Draft) -> None:
    """Keep what a conversation is in the middle of."""
    statements.count(
        "UPDATE orch_conversation_state SET state = %s WHERE conversation_id = %s",
        [json.dumps(asdict(draft)), conversation_id],
    )
