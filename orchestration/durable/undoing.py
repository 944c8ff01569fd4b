"""Steps that undo others: whose work they are, and what is left when one cannot be done."""

from collections.abc import Mapping, Sequence
from typing import Any

import sentinel.public
from orchestration.core.definition import Definition
from orchestration.core.state import InstanceState
from sentinel.vocabulary import Principal

COMPENSATION_PURPOSE = "servicing"
BY_HAND = "undone_by_hand"

UNDO_FORM = {
    "type": "object",
    "title": "Something could not be undone",
    "properties": {
        "resolution": {
            "type": "string",
            "title": "What to do",
            "enum": ["retry", BY_HAND, "cancel"],
            "x-labels": {
                "retry": "Try to undo it again",
                BY_HAND: "It is undone by hand, go on with the rest",
                "cancel": "End the case, the rest stays as it is",
            },
        }
    },
    "required": ["resolution"],
}


def compensating() -> Principal:
    """Return the mandate under which the bank undoes what a case has done."""
    entity = sentinel.public.current_entity()
    return Principal("system:compensations", "system", "system:compensations", entity)


def is_undoing(definition: Definition, node_id: str) -> bool:
    """Tell whether a node stands in an activity that undoes another."""
    process = definition.process
    handlers = set(process.handlers.values())
    place: str | None = node_id
    while place is not None and place in process.nodes:
        if place in handlers:
            return True
        place = process.nodes[place].container
    return False


def left_to_undo(definition: Definition, state: InstanceState, node_id: str) -> Mapping[str, str]:
    """Say in words what could not be undone by a node, and what is to be undone after it."""
    waiting = [
        undo.node
        for scope in state.scopes
        if scope.is_compensation
        for undo in reversed(scope.undo)
    ]
    return {
        "not_undone": _named(definition, _undone_by(definition, node_id)),
        "still_to_undo": _named(definition, waiting),
    }


def asked_of_a_person(left: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    """Return title and form of the task that says what could not be undone, and what is left."""
    words = f"Not undone: {left['not_undone']}. To be undone after it: {left['still_to_undo']}."
    return f"Undo by hand: {left['not_undone']}", {**UNDO_FORM, "title": words}


def _undone_by(definition: Definition, handler: str) -> list[str]:
    process = definition.process
    return [
        process.nodes[boundary].attached_to or boundary
        for boundary, undoes in process.handlers.items()
        if undoes == handler
    ]


def _named(definition: Definition, nodes: Sequence[str]) -> str:
    names = [definition.node(each).name or each for each in nodes]
    return "; ".join(names) or "nothing"
