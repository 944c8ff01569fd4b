"""The Authorization API 1.0 of OpenID AuthZEN: a system outside asks whether somebody may do this.

An answer is foreseen, not decided: `"decision": true` is no token and carries no power. Facts are
the bank's own; of the request only the names and the parameters (`action.properties`) count.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

import interaction.public
import sentinel.public
from apps.api.programs import (
    NotReadable,
    ProgramEdge,
    caller_within,
    entity_of_key,
    refusal,
    strict_object,
)
from interaction.public import (
    AskedAbout,
    Caller,
    CallerRefused,
    Evaluation,
    QuestionNotAllowed,
    SubjectUnknown,
)
from sentinel.vocabulary import Verdict

EVALUATIONS_MAX = 50
REQUEST_ID = "X-Request-ID"
REQUEST_ID_LENGTH_MAX = 200
_TUPLE = ("subject", "action", "resource", "context")
_ENTITIES = ("subject", "action", "resource")
_STOPS: Mapping[str, Callable[[bool], bool]] = {
    "execute_all": lambda _: False,
    "deny_on_first_deny": lambda is_permitted: not is_permitted,
    "permit_on_first_permit": lambda is_permitted: is_permitted,
}
_Item = dict[str, Any]


class _Said(BaseModel):
    # What a later release of the protocol adds is not for us, and no error.
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class _Entity(_Said):
    type: str = Field(max_length=40)
    id: str = Field(max_length=200)
    properties: dict[str, object] = Field(default_factory=dict)


class _Action(_Said):
    name: str = Field(max_length=80)
    properties: dict[str, object] = Field(default_factory=dict)


class _Request(_Said):
    subject: _Entity
    action: _Action
    resource: _Entity
    context: dict[str, object] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is said of one evaluation; `status` is not 200 where nothing could be asked."""

    status: int
    body: _Item


class Evaluate(ProgramEdge):
    """`POST`: one evaluation (section 6)."""

    @override
    def finalize_response(
        self, request: Request, response: Response, *given: object, **named: object
    ) -> Response:
        """Say again which request this answers (section 10.1)."""
        asked = request.headers.get(REQUEST_ID)
        if asked and len(asked) <= REQUEST_ID_LENGTH_MAX:
            response[REQUEST_ID] = asked
        answer: Response = super().finalize_response(request, response, *given, **named)
        return answer

    def post(self, request: Request) -> Response:
        """Answer within the legal entity in which the key was made."""
        try:
            said = strict_object(request)
            entity = entity_of_key(request)
            with sentinel.public.legal_entity(entity=entity):
                return self.answered(said, caller_within(request))
        except NotReadable as refused:
            return refusal(400, refused.code)
        except CallerRefused as refused:
            return refusal(401, refused.code)

    def answered(self, said: Mapping[str, object], caller: Caller) -> Response:
        """Return the answer to what was asked."""
        answer = _evaluated(said, caller)
        if answer.status != 200:
            return refusal(answer.status, answer.body["context"]["error"]["message"])
        return Response(answer.body)


class EvaluateMany(Evaluate):
    """`POST`: several evaluations in one request (section 7)."""

    @override
    def answered(self, said: Mapping[str, object], caller: Caller) -> Response:
        """Return the answers in the order of the questions; without any, that of a single one."""
        asked = said.get("evaluations", [])
        options = said.get("options", {})
        if not isinstance(asked, list) or not isinstance(options, dict):
            return refusal(400, "payload_refused")
        semantic = options.get("evaluations_semantic", "execute_all")
        stops = _STOPS.get(semantic) if isinstance(semantic, str) else None
        if stops is None or len(asked) > EVALUATIONS_MAX:
            return refusal(400, "payload_refused")
        if not asked:
            return super().answered(said, caller)
        answers: list[_Item] = []
        for each in asked:
            answers.append(_evaluated(_merged(said, each), caller).body)
            if stops(answers[-1]["decision"]):
                break
        return Response({"evaluations": answers})


class Metadata(ProgramEdge):
    """`GET`: where this decision point answers (section 9)."""

    def get(self, request: Request) -> Response:
        """Return the addresses of the two evaluation endpoints."""
        here = request.build_absolute_uri("/").rstrip("/")
        return Response(
            {
                "policy_decision_point": here,
                "access_evaluation_endpoint": f"{here}/access/v1/evaluation",
                "access_evaluations_endpoint": f"{here}/access/v1/evaluations",
            }
        )


def _merged(defaults: Mapping[str, object], each: object) -> Mapping[str, object]:
    """Return one evaluation with what it leaves out: whole objects, and names within them."""
    if not isinstance(each, dict):
        return {}
    found = {name: defaults[name] for name in _TUPLE if name in defaults}
    for name in _TUPLE:
        if name not in each:
            continue
        own, default = each[name], found.get(name)
        if name in _ENTITIES and isinstance(own, dict) and isinstance(default, dict):
            own = {**{key: default[key] for key in ("type", "id", "name") if key in default}, **own}
        found[name] = own
    return found


def _evaluated(said: Mapping[str, object], caller: Caller) -> _Answer:
    try:
        asked = _Request.model_validate(said)
    except ValidationError:
        return _failed(400, "payload_refused")
    about = AskedAbout(
        subject_type=asked.subject.type,
        subject_id=asked.subject.id,
        kind=asked.action.name,
        parameters=asked.action.properties,
        resource=f"{asked.resource.type}:{asked.resource.id}",
        purpose=str(asked.context.get("purpose", "servicing"))[:40],
    )
    try:
        found = interaction.public.evaluate_for(caller=caller, asked=about, at=datetime.now(UTC))
    except QuestionNotAllowed as refused:
        return _failed(403, refused.code)
    except SubjectUnknown as unknown:
        words = {"en": "The bank knows nobody of this kind and id who could act."}
        context = {"id": unknown.code, "verdict": "deny", "reason_admin": words, "obligations": []}
        return _Answer(200, {"decision": False, "context": context})
    return _Answer(200, {"decision": found.verdict is Verdict.PERMIT, "context": _context(found)})


def _context(found: Evaluation) -> _Item:
    """Return why, in words for the person and for the administrator, and what would help."""
    reasons = [
        {
            "id": each.policy_id,
            "reason_admin": {"en": each.staff},
            "reason_user": {"en": each.customer},
        }
        for each in found.reasons
    ]
    first = reasons[0] if reasons else {"id": "permitted"}
    return {
        **first,
        "verdict": found.verdict.value,
        "reasons": reasons,
        "obligations": _obligations(found),
    }


def _obligations(found: Evaluation) -> list[_Item]:
    match found.verdict:
        case Verdict.NEEDS_APPROVAL:
            return [{"id": "approval", "attributes": {"role": found.role}}]
        case Verdict.NEEDS_STEP_UP:
            return [{"id": "step_up", "attributes": {"bound_to": "parameters"}}]
        case Verdict.PERMIT:
            return [{"id": each, "attributes": {}} for each in found.obligations]
    return [{"id": found.remedy, "attributes": {}}] if found.remedy else []


def _failed(status: int, code: str) -> _Answer:
    error = {"status": status, "message": code}
    return _Answer(status, {"decision": False, "context": {"error": error}})
