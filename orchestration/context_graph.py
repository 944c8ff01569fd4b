"""What Nexus is told of the work: cases, decisions and documents, as things with relations.

So that the Context Graph can be walked from a customer to a case, to the decision, to the effect.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

import nexus.public

_NAMESPACE = UUID("9b6f3a52-35e6-4b0c-8a5c-6d1d0f6f2a77")


def case_opened(
    *,
    case_id: UUID,
    customer_id: UUID | None,
    conversation_id: UUID | None,
    about: Mapping[str, object],
    at: datetime,
) -> None:
    """Tell that a case began, about whom, and in which conversation."""
    cases_opened([OpenedCase(case_id, customer_id, conversation_id, about, at)])


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """A case that began: about whom, and in which conversation."""

    case_id: UUID
    customer_id: UUID | None
    conversation_id: UUID | None
    about: Mapping[str, object]
    at: datetime


def cases_opened(opened: Sequence[OpenedCase]) -> None:
    """Tell that cases began, all at once."""
    nodes, edges = [], []
    for each in opened:
        case = f"case:{each.case_id}"
        nodes.append(nexus.public.NewNode(case, "case", each.customer_id, each.about))
        if each.customer_id is not None:
            edges.append(_edge(case, "concerns", f"party:{each.customer_id}", each.at))
        if each.conversation_id is not None:
            edges.append(_edge(case, "asked_in", f"conversation:{each.conversation_id}", each.at))
    nexus.public.connect(nodes=nodes, edges=edges)


def decided(
    *, case_id: UUID, decision_id: UUID, customer_id: UUID | None, verdict: str, at: datetime
) -> None:
    """Tell that a decision was made in a case."""
    decision = f"decision:{decision_id}"
    node = nexus.public.NewNode(decision, "decision", customer_id, {"verdict": verdict})
    edge = _edge(f"case:{case_id}", "decided", decision, at)
    nexus.public.connect(nodes=[node], edges=[edge])


def document_filed(
    *, case_id: UUID, document_id: UUID, customer_id: UUID | None, at: datetime
) -> None:
    """Tell that a document belongs to a case."""
    document = f"document:{document_id}"
    node = nexus.public.NewNode(document, "document", customer_id, {})
    edge = _edge(document, "evidence_of", f"case:{case_id}", at)
    nexus.public.connect(nodes=[node], edges=[edge])


def snapshot(
    *, customer_id: UUID, account_id: str, case_id: UUID, key: str, purpose: str, at: datetime
) -> Mapping[str, object]:
    """Take what may be used for a purpose as it is known now, and return its name and digest."""
    taken = nexus.public.context_for(
        request=nexus.public.ContextRequest(
            subjects=(f"party:{customer_id}", f"account:{account_id}"),
            purpose=purpose,
            case_id=case_id,
        ),
        snapshot_id=uuid5(_NAMESPACE, key),
        at=at,
    )
    return {
        "id": str(taken.id),
        "digest": taken.digest,
        "items": len(taken.items),
        "omitted": len(taken.omitted),
    }


def _edge(source: str, relation: str, target: str, at: datetime) -> nexus.public.NewEdge:
    event_id = uuid5(_NAMESPACE, f"{source}|{relation}|{target}")
    return nexus.public.NewEdge(source, relation, target, at, event_id)
