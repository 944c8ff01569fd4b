"""The actions that put a case right by hand, as Sentinel's catalogue and people know them."""

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

import sentinel.public

AUDIENCE = "urn:orchestration"
REASON_LENGTH_MIN, REASON_LENGTH_MAX = 10, 500
_Reason = Annotated[str, Field(min_length=REASON_LENGTH_MIN, max_length=REASON_LENGTH_MAX)]
_Json = Annotated[str, Field(max_length=20_000)]


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class PassOver(_Parameters):
    """Go on as if the step of an incident had been done; `output` stands in for its answer."""

    instance_id: str
    incident_id: str
    output: _Json
    reason: _Reason


class Change(_Parameters):
    """Correct variables, and move tokens to other nodes, both as JSON objects."""

    instance_id: str
    variables: _Json
    moves: _Json
    reason: _Reason


class ReleaseHeld(_Parameters):
    """Let effects that a restore held go on; `effects` are all that are held, as a JSON list."""

    instance_id: str
    effects: _Json
    reason: _Reason


ACTIONS = (
    sentinel.public.ActionKind(
        kind="flows.pass_over",
        parameters=PassOver,
        risk="medium",
        audience=AUDIENCE,
        wording="pass over a step of {instance_id}: {reason}",
        human_only=True,
    ),
    sentinel.public.ActionKind(
        kind="flows.change",
        parameters=Change,
        risk="medium",
        audience=AUDIENCE,
        wording="change {instance_id} by hand: {reason}",
        human_only=True,
    ),
    sentinel.public.ActionKind(
        kind="flows.release_held",
        parameters=ReleaseHeld,
        risk="high",
        audience=AUDIENCE,
        wording="let what a restore held of {instance_id} go on: {reason}",
        human_only=True,
    ),
)


def words_of(parameters: Mapping[str, str]) -> str:
    """Return all that is to be done: who agrees to it must see it, not its reason alone."""
    if "incident_id" in parameters:
        what = [f"A step is passed over, as if it had answered: {parameters['output']}."]
    elif "effects" in parameters:
        what = [
            f"{kind} of step {node} goes to the other system, though a restore held it: it may have"
            " been carried out before."
            for kind, node, _ in json.loads(parameters["effects"])
        ]
    else:
        values = json.loads(parameters["variables"]).items()
        moves = json.loads(parameters["moves"]).items()
        what = [f"{name} becomes {json.dumps(value)}." for name, value in values]
        what += [f"Token {token} moves to {node}." for token, node in moves]
    return " ".join([*what, f"Reason given: {parameters['reason']}"])
