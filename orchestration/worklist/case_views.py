"""A case on one page: why it is open, the evidence side by side, and how it came to this."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from orchestration import cases, documents
from orchestration.core.history import NodeEntered
from orchestration.durable import store
from orchestration.durable.definitions import flow_of
from orchestration.plain import plain_mapping
from orchestration.wording import filled, found
from orchestration.worklist import readers, rows
from orchestration.worklist.evidence_items import EvidenceItem, compared, evidence_of
from orchestration.worklist.views import TaskView, amount_of, customer_name, view_of
from sentinel.vocabulary import Money, Principal, Reason

_STATE_WORDS = {
    "open": "Waiting for the bank",
    "waiting": "Waiting for the customer",
    "closed": "Closed",
}
_TONES = {
    "opened": "neutral",
    "incident": "danger",
    "cancelled": "neutral",
    "returned": "warning",
    "warned": "warning",
    "escalated": "warning",
}


class CaseForEmployees(PermissionError):
    """Cases are for the bank's people; a customer sees the conversation and the payments."""

    code = "case_for_employees"
    is_retryable = False

    def __init__(self, principal_id: str) -> None:
        super().__init__(principal_id)
        self.principal_id = principal_id


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """What happened, when, by whom; `tone` is neutral, warning or danger."""

    at: datetime
    words: str
    actor_words: str
    tone: str


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document of a case, without its content."""

    id: UUID
    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in a list; `due_at` is that of its most urgent open task."""

    id: UUID
    number: str
    title: str
    state: str
    customer_name: str
    amount: Money | None
    opened_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything about a case that somebody needs who has to decide on it."""

    id: UUID
    number: str
    title: str
    state: str
    state_words: str
    journey: str
    customer_id: UUID | None
    customer_name: str
    amount: Money | None
    opened_at: datetime
    closed_at: datetime | None
    summary: str
    reasons: tuple[Reason, ...]
    evidence: tuple[EvidenceItem, ...]
    comparison: Mapping[str, object] | None
    history: tuple[HistoryLine, ...]
    tasks: tuple[TaskView, ...]
    decision_ids: tuple[UUID, ...]
    documents: tuple[DocumentView, ...]
    diagram_xml: str
    active_nodes: tuple[str, ...]
    done_nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Flow:
    values: Mapping[str, object]
    xml: str
    summary: str
    active: tuple[str, ...]
    done: tuple[str, ...]


_NO_FLOW = _Flow({}, "", "", (), ())


def case(*, case_id: UUID, principal: Principal, at: datetime) -> CaseView:
    """Return a case for those of the bank whom it concerns, and record that they read it.

    Raises:
        CaseUnknown: there is none with this id.
        CaseForEmployees: the principal is not of the bank.
        NotForYourRole: no task of it is or was this person's or their roles'.
    """
    _require_employee(principal)
    record = cases.read_case(case_id)
    readers.require_case(case_id, principal, at=at)
    flow = _flow(record.instance_id)
    kept = documents.documents_of(case_id)
    notes = cases.notes_of(case_id)
    evidence = evidence_of(flow.values, kept)
    return CaseView(
        id=record.id,
        number=record.number,
        title=record.title,
        state=record.state,
        state_words=_STATE_WORDS[record.state],
        journey=record.journey,
        customer_id=record.customer_id,
        customer_name=customer_name(record.customer_id),
        amount=amount_of(record),
        opened_at=record.opened_at,
        closed_at=record.closed_at,
        summary=flow.summary or (notes[0].words if notes else record.title),
        reasons=_reasons(flow.values),
        evidence=evidence,
        comparison=compared(flow.values),
        history=tuple(_line(note) for note in notes),
        tasks=tuple(view_of(row) for row in rows.tasks_of_case(case_id)),
        decision_ids=_decisions(flow.values, notes),
        documents=tuple(DocumentView(d.id, d.name, d.media_type, d.size) for d in kept),
        diagram_xml=flow.xml,
        active_nodes=flow.active,
        done_nodes=flow.done,
    )


def may_open_case(*, case_id: UUID, principal: Principal) -> bool:
    """Return whether a case would open to a person; asking this is not reading."""
    return principal.kind == "employee" and readers.may_read_case(case_id, principal)


def find_cases(
    *,
    principal: Principal,
    search: str = "",
    state: str | None = None,
    customer_id: UUID | None = None,
    limit: int = 50,
) -> tuple[CaseRow, ...]:
    """Return the cases a person may read, by number or title, newest first.

    Raises:
        CaseForEmployees: the principal is not of the bank.
    """
    _require_employee(principal)
    found_cases = cases.find_cases(
        wanted=cases.Wanted(search, state, customer_id),
        whose=None if readers.reads_everything(principal) else readers.OWN_TASK,
        values=readers.task_values(principal),
        limit=limit,
    )
    due = _due([record.id for record in found_cases])
    return tuple(
        CaseRow(
            id=record.id,
            number=record.number,
            title=record.title,
            state=record.state,
            customer_name=customer_name(record.customer_id),
            amount=amount_of(record),
            opened_at=record.opened_at,
            due_at=due.get(record.id),
        )
        for record in found_cases
    )


def document_content(
    *, document_id: UUID, principal: Principal, at: datetime
) -> tuple[str, str, bytes]:
    """Return name, type and content of a document: to whose it is, and whom its case concerns.

    Raises:
        DocumentUnknown: there is none with this id, or it is another customer's.
        NotForYourRole: it is in no case that concerns this person of the bank.
    """
    kept = documents.document(document_id)
    if principal.kind == "employee":
        _require_document(kept, principal, at)
    elif principal.id != f"customer:{kept.customer_id}":
        raise documents.DocumentUnknown(str(document_id))
    return kept.name, kept.media_type, documents.content_of(document_id)


def _require_document(kept: documents.Document, principal: Principal, at: datetime) -> None:
    resource = f"document:{kept.id}"
    if kept.case_id is None and not readers.reads_everything(principal):
        readers.refuse(principal, resource, at)
    readers.require_case(kept.case_id or kept.id, principal, at=at, resource=resource)


def _require_employee(principal: Principal) -> None:
    if principal.kind != "employee":
        raise CaseForEmployees(principal.id)


def _flow(instance_id: UUID | None) -> _Flow:
    if instance_id is None:
        return _NO_FLOW
    row = store.read_instance(instance_id)
    flow = flow_of(row.definition)
    values = plain_mapping(row.state.variables)
    entered = [
        entry.node
        for line in store.history_of(instance_id)
        for entry in line.entries
        if isinstance(entry, NodeEntered)
    ]
    active = sorted({token.node for token in row.state.tokens})
    return _Flow(
        values=values,
        xml=flow.bpmn,
        summary=filled(flow.content.summary, values),
        active=tuple(active),
        done=tuple(dict.fromkeys(node for node in entered if node not in active)),
    )


def _reasons(values: Mapping[str, object]) -> tuple[Reason, ...]:
    listed = found(values, "denial.reasons")
    if not isinstance(listed, list):
        return ()
    return tuple(Reason(each["policy_id"], each["customer"], each["staff"]) for each in listed)


def _decisions(values: Mapping[str, object], notes: tuple[cases.Note, ...]) -> tuple[UUID, ...]:
    named = [found(values, f"{name}.decision_id") for name in ("denial", "core_refusal", "receipt")]
    kept = [
        n.reference.removeprefix("decision:") for n in notes if n.reference.startswith("decision:")
    ]
    return tuple(dict.fromkeys(UUID(str(each)) for each in (*kept, *named) if each))


def _line(note: cases.Note) -> HistoryLine:
    actor = "The bank" if note.actor == "system" else note.actor
    if note.actor.startswith("customer:"):
        actor = "The customer"
    return HistoryLine(note.at, note.words, actor, _TONES.get(note.kind, "neutral"))


def _due(case_ids: list[UUID]) -> dict[UUID, datetime]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT case_id, min(due_at) FROM orch_task WHERE case_id = ANY(%s)"
            " AND state = 'open' AND due_at IS NOT NULL GROUP BY case_id",
            [case_ids],
        )
        return dict(cursor.fetchall())
