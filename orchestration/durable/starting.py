"""Beginning an instance: its case, its row, and the first event in its inbox."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from orchestration import cases, context_graph
from orchestration.core.events import Started
from orchestration.core.state import Status, new_state
from orchestration.durable import store
from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.faults import crash_point
from orchestration.plain import feel_mapping
from orchestration.wording import filled
from sentinel.vocabulary import Principal


@dataclass(frozen=True, slots=True)
class NewInstance:
    """A flow to begin; `id` makes it begin once, however often it is asked for."""

    id: UUID
    flow: PublishedFlow
    principal: Principal
    variables: Mapping[str, object]
    at: datetime
    customer_id: UUID | None = None
    conversation_id: UUID | None = None
    case_id: UUID | None = None
    parent_id: UUID | None = None
    parent_token: str | None = None


def begin(new: NewInstance) -> UUID:
    """Write a new instance with its case and return the case; the caller runs it."""
    case_id = new.case_id or uuid5(new.id, "case")
    number = None
    if new.case_id is None:
        number = _open_case(new, case_id)
    store.insert_instance(
        store.InstanceRow(
            id=new.id,
            definition=new.flow.digest,
            process=new.flow.process,
            status=Status.CREATED.value,
            is_paused=False,
            state=new_state(process=new.flow.process),
            rev=0,
            case_id=case_id,
            conversation_id=new.conversation_id,
            customer_id=new.customer_id,
            principal=principal_text(new.principal),
            parent_id=new.parent_id,
            parent_token=new.parent_token,
            started_at=new.at,
        )
    )
    given = {
        **new.variables,
        "case": {"id": str(case_id), "number": number},
        "customer_id": str(new.customer_id) if new.customer_id else None,
    }
    event = Started(feel_mapping(given), started_by=new.principal.id)
    store.deliver(instance_id=new.id, message_id=uuid5(new.id, "started"), event=event, at=new.at)
    crash_point("after_start")
    return case_id


def _open_case(new: NewInstance, case_id: UUID) -> str:
    content = new.flow.content
    number = cases.open_case(
        cases.NewCase(
            id=case_id,
            journey=new.flow.journey,
            title=filled(content.title, new.variables),
            customer_id=new.customer_id,
            conversation_id=new.conversation_id,
            instance_id=new.id,
            at=new.at,
        )
    )
    context_graph.case_opened(
        case_id=case_id,
        customer_id=new.customer_id,
        conversation_id=new.conversation_id,
        about={"number": number, "process": new.flow.process},
        at=new.at,
    )
    words = filled(content.summary, new.variables)
    cases.add_note(case_id, cases.Note(new.at, new.principal.id, "opened", words, ""))
    return number


def principal_text(principal: Principal) -> str:
    """Return the principal as kept with an instance: who it works for, and how they proved it."""
    acting_for = principal.on_behalf_of
    signed_in = principal.authenticated_at
    return json.dumps(
        {
            "id": principal.id,
            "kind": principal.kind,
            "person_id": principal.person_id,
            "entity": principal.entity,
            "roles": list(principal.roles),
            "on_behalf_of": principal_text(acting_for) if acting_for else None,
            "authenticated_at": signed_in.isoformat() if signed_in else None,
            "methods": list(principal.methods),
        }
    )


def principal_from(text: str) -> Principal:
    """Return the principal of an instance."""
    kept = json.loads(text)
    signed_in, acting_for = kept["authenticated_at"], kept["on_behalf_of"]
    return Principal(
        id=kept["id"],
        kind=kept["kind"],
        person_id=kept["person_id"],
        entity=kept["entity"],
        roles=tuple(kept["roles"]),
        on_behalf_of=principal_from(acting_for) if acting_for else None,
        authenticated_at=datetime.fromisoformat(signed_in) if signed_in else None,
        methods=tuple(kept["methods"]),
    )
