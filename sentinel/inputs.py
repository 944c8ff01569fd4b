"""What a decision was judged on beyond facts and parameters, kept so that it can be judged again.

It is sealed with the clear values, under the subject's key. Nothing is fetched again when an old
decision is re-judged: what was gathered then is what counts.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sentinel.catalogue import ActionKind
from sentinel.gathering import Gathered
from sentinel.judging import Proposal
from sentinel.refusals import SentinelError
from sentinel.vocabulary import Principal

VERSION = 1
# What finds the rules, signs or replays, but judges nothing.
_NOT_JUDGED = {"publications": "", "epoch": 0, "wrapped_key": None, "spent": None}
_GATHERED: TypeAdapter[Gathered] = TypeAdapter(Gathered)


class InputsUnreadable(SentinelError):
    """What was recorded with this decision is not enough to judge it again."""

    code = "inputs_unreadable"

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def inputs_of(proposal: Proposal, known: Gathered) -> dict[str, object]:
    """Return what was looked up and who acted, as JSON values."""
    gathered = _GATHERED.dump_python(known, exclude=set(_NOT_JUDGED), mode="json")
    return {
        "version": VERSION,
        "gathered": {name: _in_order(value) for name, value in gathered.items()},
        "people": [_person(link) for link in proposal.principal.chain()],
        "lag_max": proposal.tolerated.log_lag,
        "clock_max": proposal.tolerated.clock,
        "risk": proposal.entry.risk,
        "human_only": proposal.entry.human_only,
    }


def gathered_then(inputs: Mapping[str, Any]) -> Gathered:
    """Return what was looked up when the decision was taken.

    Raises:
        InputsUnreadable: it was recorded in a form this release does not know.
    """
    if inputs.get("version") != VERSION:
        raise InputsUnreadable("another version")
    try:
        return _GATHERED.validate_python({**inputs["gathered"], **_NOT_JUDGED})
    except (ValidationError, KeyError, TypeError) as error:
        raise InputsUnreadable("another form") from error


def chain_then(inputs: Mapping[str, Any], links: list[Mapping[str, Any]]) -> Principal:
    """Return the chain of principals, from the record's links and who they were.

    Raises:
        InputsUnreadable: the two do not fit together.
    """
    people = inputs.get("people", ())
    if not links or len(people) != len(links):
        raise InputsUnreadable("another chain")
    behind: Principal | None = None
    for link, person in zip(reversed(links), reversed(people), strict=True):
        at = person["authenticated_at"]
        behind = Principal(
            id=link["id"],
            kind=link["kind"],
            person_id=person["person"],
            entity=person["entity"],
            roles=tuple(link["roles"]),
            on_behalf_of=behind,
            authenticated_at=datetime.fromisoformat(at) if at else None,
            methods=tuple(person["methods"]),
        )
    assert behind is not None
    return behind


def entry_then(entry: ActionKind, inputs: Mapping[str, Any]) -> ActionKind:
    """Return a catalogued action with the marks it had when the decision was taken."""
    if (entry.risk, entry.human_only) == (inputs["risk"], inputs["human_only"]):
        return entry
    return replace(entry, risk=inputs["risk"], human_only=inputs["human_only"])


def _in_order(value: object) -> object:
    """Return a list of names in order: as a set they had none, and equal sets are to look equal."""
    is_names = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return sorted(value) if is_names and isinstance(value, list) else value


def _person(link: Principal) -> dict[str, object]:
    at = link.authenticated_at
    return {
        "person": link.person_id,
        "entity": link.entity,
        "authenticated_at": at.isoformat() if at else None,
        "methods": list(link.methods),
    }
