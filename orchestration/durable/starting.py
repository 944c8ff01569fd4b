"""Beginning an instance: its case, its row, and the first event in its inbox."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID, uuid5

from django.db import transaction

from orchestration import cases, context_graph
from orchestration.core.events import Migrated, Started
from orchestration.core.state import Status, new_state
from orchestration.durable import claims, packing, store
from orchestration.durable.bindings import fixed_at_start
from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.faults import crash_point
from orchestration.durable.large_values import require_carriable
from orchestration.plain import feel_mapping
from orchestration.wording import filled
from sentinel.vocabulary import Principal


class StartConflict(ValueError):
    """Another start came under this id before; nothing is done with this one."""

    code = "start_id_reused"
    is_retryable = False


@dataclass(frozen=True, slots=True)
class NewInstance:
    """A flow to begin; `id` makes it begin once, however often it is asked for.

    With a `case_id` it belongs to a case that is there; `priority` overrides the flow's own.
    Nothing in it may take beyond the `deadline` of whoever begins it. With `is_by_name` the flow
    was asked for by its name: a version that was published since makes it no other start.
    """

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
    start_node: str | None = None
    priority: int | None = None
    deadline: datetime | None = None
    is_by_name: bool = False

    @property
    def opens_case(self) -> bool:
        """Tell whether a case is opened for it as it begins."""
        return self.case_id is None and self.flow.content.opens_case == "at_start"


@dataclass(frozen=True, slots=True)
class Begun:
    """A new instance and the event that sets it off; None when it had begun before."""

    row: store.InstanceRow
    event: Started | None
    at: datetime


def begin(new: NewInstance, *, bus_id: UUID | None = None) -> UUID:
    """Write a new instance, once, and leave it to the workers; return its case.

    `bus_id` is the message that sets it off, if one does.

    Raises:
        ValueTooLarge: no instance may carry one of its variables.
        StartConflict: this id came with something else.
    """
    with transaction.atomic():
        begun = enter(new)
        if begun.event is not None:
            leave_to_workers(begun, bus_id)
    return begun.row.case_id


def leave_to_workers(begun: Begun, bus_id: UUID | None = None) -> None:
    """Put the first event of a new instance into its inbox, and make it ready."""
    row, event = begun.row, begun.event
    assert event is not None
    message_id = first_message_of(row.id)
    store.deliver(
        instance_id=row.id, message_id=message_id, event=event, at=begun.at, bus_id=bus_id
    )
    claims.make_ready(row.id, begun.at)


def enter(new: NewInstance) -> Begun:
    """Write a new instance with its case; the caller runs it, or leaves it to the workers.

    Raises:
        ValueTooLarge: no instance may carry one of its variables.
        StartConflict: this id came with something else.
    """
    require_carriable(new.variables)
    row = row_of(new)
    if not store.insert_instance(row):
        require_same([new])
        return Begun(store.read_instance(new.id), None, new.at)
    number = _open_case(new) if new.opens_case else None
    crash_point("after_start")
    return Begun(row, first_event(new, number), new.at)


def first_message_of(instance_id: UUID) -> UUID:
    """Return the id under which the first event of an instance is in its inbox, if it was left."""
    return uuid5(instance_id, "started")


def require_same(wanted: Sequence[NewInstance]) -> None:
    """Let those that have begun before be asked for again, if it is for the same.

    Raises:
        StartConflict: something else was begun under the id of one of them.
    """
    if not wanted:
        return
    begun = store.beginnings_of({each.id: first_message_of(each.id) for each in wanted})
    for new in wanted:
        if not _is_same(new, begun[new.id]):
            raise StartConflict(str(new.id))


def _is_same(new: NewInstance, begun: store.Beginning) -> bool:
    first = begun.event
    assert isinstance(first, Started), "an instance begins with its start"
    return (
        (new.flow.process, new.customer_id, new.parent_id, case_of(new))
        == (begun.process, begun.customer_id, begun.parent_id, begun.case_id)
        and (new.principal.id, new.start_node) == (first.started_by, first.start_node)
        and _said(new, first) == _canonical(first)
        and (new.is_by_name or new.flow.digest == _version_begun_in(begun))
    )


def _said(new: NewInstance, first: Started) -> str:
    """Return what a start says, in the case that was opened for the first of its id."""
    case = first.variables["case"]
    assert isinstance(case, Mapping)
    number = case["number"]
    assert number is None or isinstance(number, str)
    return _canonical(first_event(new, number))


def _canonical(event: Started) -> str:
    return json.dumps(packing.pack(dict(event.variables)), sort_keys=True)


def _version_begun_in(begun: store.Beginning) -> str:
    """Return the version an instance began in; it may have been moved to others since."""
    lines = store.history_of(begun.id)
    moves = (line.event for line in lines if isinstance(line.event, Migrated))
    first = next(moves, None)
    return first.old if first else begun.definition


def first_event(new: NewInstance, number: str | None) -> Started:
    """Return what sets a new instance off, in a case of this number if it has one of its own."""
    given = {
        **new.variables,
        "case": {"id": str(case_of(new)), "number": number},
        "customer_id": str(new.customer_id) if new.customer_id else None,
    }
    return Started(
        feel_mapping(given),
        new.start_node,
        new.principal.id,
        new.deadline,
        requires_inputs=True,
    )


def case_of(new: NewInstance) -> UUID:
    """Return the case of a new instance: the one it is given, or one of its own."""
    return new.case_id or uuid5(new.id, "case")


def row_of(new: NewInstance) -> store.InstanceRow:
    """Return the row of an instance to which nothing has happened yet."""
    content = new.flow.content
    fixed = fixed_at_start(new.flow, new.id, new.principal.roles)
    return store.InstanceRow(
        id=new.id,
        definition=new.flow.digest,
        process=new.flow.process,
        status=Status.CREATED.value,
        is_paused=False,
        state=new_state(process=new.flow.process),
        rev=0,
        case_id=case_of(new),
        conversation_id=new.conversation_id,
        customer_id=new.customer_id,
        principal=principal_text(new.principal),
        parent_id=new.parent_id,
        parent_token=new.parent_token,
        started_at=new.at,
        queue=content.queue,
        priority=content.priority if new.priority is None else new.priority,
        bindings=json.dumps(fixed) if fixed else None,
    )


def _open_case(new: NewInstance) -> str:
    case_id = case_of(new)
    number = cases.open_case(new_case(new))
    context_graph.case_opened(
        case_id=case_id,
        customer_id=new.customer_id,
        conversation_id=new.conversation_id,
        about={"number": number, "process": new.flow.process},
        at=new.at,
    )
    cases.add_note(case_id, first_note(new))
    return number


def need_case(
    row: store.InstanceRow, flow: PublishedFlow, values: Mapping[str, object], at: datetime
) -> None:
    """Open the case of an instance that had none so far, because somebody has to look at it.

    It is named after what the flow knows by now.
    """
    if flow.content.opens_case == "at_start" or cases.is_known(row.case_id):
        return
    known = NewInstance(
        id=row.id,
        flow=flow,
        principal=principal_from(row.principal),
        variables=values,
        at=at,
        customer_id=row.customer_id,
        conversation_id=row.conversation_id,
    )
    assert case_of(known) == row.case_id, "only a case of its own waits to be opened"
    _open_case(known)


def new_case(new: NewInstance) -> cases.NewCase:
    """Return the case an instance opens that belongs to none."""
    return cases.NewCase(
        id=case_of(new),
        journey=new.flow.journey,
        title=filled(new.flow.content.title, new.variables),
        customer_id=new.customer_id,
        conversation_id=new.conversation_id,
        instance_id=new.id,
        at=new.at,
    )


def first_note(new: NewInstance) -> cases.Note:
    """Return the first line of that case."""
    words = filled(new.flow.content.summary, new.variables)
    return cases.Note(new.at, new.principal.id, "opened", words, "")


@lru_cache(maxsize=512)
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


@lru_cache(maxsize=512)
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
