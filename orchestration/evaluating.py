"""What a program outside may ask: would this person be permitted to do this, and what is missing?

Nothing is decided: no decision is recorded, reserved or signed, so a yes carries no power. Facts
are collected here, as for a step of a flow; of what the program says only the parameters count,
and they count as read from a document. That it asked is kept in the evidence log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

import sentinel.public
from orchestration.actions import proposal_of
from orchestration.step_results import StepContext
from orchestration.triggers.keys import Caller
from sentinel.vocabulary import Action, Fact, Principal, Provenance, Reason, Verdict

# What these say, they say before a single fact was looked at.
_UNREADABLE = {"unknown_action", "bad_parameters"}
_NOWHERE = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What would be decided now, why, and what would turn a no into a yes."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    role: str
    remedy: str | None
    obligations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Who would do what to which resource, and for which purpose."""

    principal: Principal
    customer_id: UUID | None
    kind: str
    parameters: Mapping[str, object]
    resource: str
    purpose: str


def evaluate(*, caller: Caller, question: Question, at: datetime) -> Evaluation:
    """Say what would be decided about an action; write down that it was asked.

    Raises:
        EntityNotSet: no legal entity is being worked for.
    """
    program = Principal(f"system:program-{caller.id}", "system", "", question.principal.entity)
    given = {"provenance": Provenance.DOCUMENT.value, "reference": f"program:{caller.id}"}
    sources = dict.fromkeys(question.parameters, given)
    with transaction.atomic():
        sentinel.public.record_access(
            principal=program, resource=f"evaluation:{question.kind[:40]}", is_granted=True, at=at
        )
        found = _foreseen(question, sources, at)
    return Evaluation(found.verdict, found.reasons, found.role, found.remedy, found.obligations)


def _foreseen(
    question: Question, sources: Mapping[str, object], at: datetime
) -> sentinel.public.Foreseen:
    """Ask without any facts, which tells whether it can be read at all, and then with them."""
    inputs = {
        "parameters": question.parameters,
        "resource": question.resource,
        "sources": sources,
    }
    context = StepContext(
        instance_id=_NOWHERE,
        node="",
        visit=0,
        case_id=_NOWHERE,
        customer_id=question.customer_id,
        principal=question.principal,
        purpose=question.purpose,
        at=at,
    )
    # No facts are collected for a kind without a name: what cannot be read is not looked up.
    bare, _ = proposal_of("", context, inputs, "")
    found = _asked(replace(bare, kind=question.kind), (), question, at)
    if any(reason.policy_id in _UNREADABLE for reason in found.reasons):
        return found
    action, facts = proposal_of(question.kind, context, inputs, "")
    return _asked(action, facts, question, at)


def _asked(
    action: Action, facts: tuple[Fact, ...], question: Question, at: datetime
) -> sentinel.public.Foreseen:
    return sentinel.public.foresee(
        action=action,
        principal=question.principal,
        facts=facts,
        purpose=question.purpose,
        at=at,
    )
