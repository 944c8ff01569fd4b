"""What differs between two drawings: elements added, removed and changed, said in words. Pure.

Only what the drawing means is compared. Where an element stands on the page is layout: two
drawings that differ in nothing else have no changes, and say so.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum

from orchestration.bpmn.model import Assignment, Drawing, Flow, Node, Process

# `event` is the first of `events`, which are compared.
_NOT_COMPARED = frozenset({"id", "line", "incoming", "outgoing", "container", "event", "tag"})
_LENGTH_MAX = 80
_NAMES = {
    "name": "its name",
    "kind": "what it is",
    "lane": "its lane",
    "attached_to": "what it is attached to",
    "is_interrupting": "whether it interrupts",
    "default_flow": "its default flow",
    "is_for_compensation": "whether it undoes another",
    "is_event_sub_process": "whether an event opens it",
    "condition": "its condition",
    "source": "where it comes from",
    "target": "where it goes to",
    "timer": "its time",
    "call": "what it calls",
    "called": "the process it calls",
    "inputs": "what it is given",
    "outputs": "what it keeps",
    "roles": "who may do it",
    "skills": "what one must be able to do",
    "exclude": "who may not do it",
    "due": "when it is due",
    "warn": "when it is brought forward",
    "priority": "how urgent it is",
    "schema": "what its answer must look like",
    "apart": "whether it is done beside other branches",
    "form": "its form",
    "decision": "the decision it asks",
    "script": "its expression",
    "attempts": "how often it is tried",
    "deadline": "how long it may take",
    "backoff": "how long it waits between attempts",
    "fallback": "the error it ends with when no attempt is left",
    "collection": "what it is repeated for",
    "completion": "when enough of it is done",
    "events": "what it waits for or throws",
    "is_parallel": "whether it waits for all of its events",
    "loop": "whether it runs for each of several",
    "repeat": "whether it is repeated",
    "ad_hoc": "how its activities are chosen",
    "activation": "what opens it",
    "instantiates": "whether it begins the process",
}


class ChangeKind(StrEnum):
    """What became of an element; `moved` is one that now stands in another sub-process."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class DrawingChange:
    """One difference: the element to highlight, and what happened to it in words."""

    kind: ChangeKind
    element: str
    words: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Every difference in meaning, removals first; with `is_layout_only` only the page differs."""

    changes: tuple[DrawingChange, ...]
    is_layout_only: bool

    def elements(self, kind: ChangeKind) -> tuple[str, ...]:
        """Return the elements of one kind of change, for highlighting."""
        return tuple(each.element for each in self.changes if each.kind is kind)


def compare(old: Drawing, new: Drawing) -> Difference:
    """Return what differs between two drawings, elements being the same where their ids are."""
    before, after = _elements(old), _elements(new)
    names = {**_names(old), **_names(new)}
    changes = (
        *_only_in(before, after, _names(old), ChangeKind.REMOVED),
        *_only_in(after, before, names, ChangeKind.ADDED),
        *_altered(before, after, names),
        *_process_changes(old, new),
    )
    return Difference(changes, not changes and old.xml != new.xml)


_Element = Node | Flow
# Fields that name another element.
_PLACES = frozenset({"source", "target", "attached_to"})
# What people call the elements and processes of a drawing, by id.
_Names = Mapping[str, str]


def _names(drawing: Drawing) -> _Names:
    found: dict[str, str] = {}
    for process in drawing.processes:
        found[process.id] = process.name or _readable(process.id)
        found |= {node.id: node.name or _readable(node.id) for node in process.nodes.values()}
    return found


def _readable(name: str) -> str:
    """Return an id as words, for what the drawing gives no name."""
    return name.replace("_", " ")


def _elements(drawing: Drawing) -> Mapping[str, _Element]:
    found: dict[str, _Element] = {}
    for process in drawing.processes:
        found.update(process.nodes)
        found.update(process.flows)
    return found


def _only_in(
    one: Mapping[str, _Element], other: Mapping[str, _Element], names: _Names, kind: ChangeKind
) -> Iterator[DrawingChange]:
    for name, element in one.items():
        if name not in other:
            yield DrawingChange(kind, name, f"{_called(element, names)} was {kind.value}")


def _altered(
    before: Mapping[str, _Element], after: Mapping[str, _Element], names: _Names
) -> Iterator[DrawingChange]:
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            continue
        if type(old) is not type(new):
            words = f"{_called(old, names)} is another kind of element now"
            yield DrawingChange(ChangeKind.CHANGED, name, words)
            continue
        if old.container != new.container:
            words = (
                f"{_called(new, names)} moved from {names[old.container]} to {names[new.container]}"
            )
            yield DrawingChange(ChangeKind.MOVED, name, words)
        for words in _field_changes(old, new, names):
            yield DrawingChange(ChangeKind.CHANGED, name, f"{_called(new, names)}: {words}")


def _field_changes(old: object, new: object, names: _Names) -> Iterator[str]:
    """Give the fields of two values that differ, in words; parts of parts are named themselves."""
    assert is_dataclass(old)
    assert is_dataclass(new)
    for each in fields(old):
        before, after = getattr(old, each.name), getattr(new, each.name)
        if each.name in _NOT_COMPARED or _same(before, after):
            continue
        if each.name == "events" and len(before) == len(after):
            for earlier, later in zip(before, after, strict=True):
                yield from _field_changes(earlier, later, names)
        elif is_dataclass(before) and is_dataclass(after):
            yield from _field_changes(before, after, names)
        else:
            name = _NAMES.get(each.name, each.name.replace("_", " "))
            if each.name in _PLACES:
                before, after = names.get(before, before), names.get(after, after)
            yield f"{name} was {_shown(before)}, is {_shown(after)}"


def _same(before: object, after: object) -> bool:
    if _are_assignments(before) and _are_assignments(after):
        return _said(before) == _said(after)
    return before == after


def _are_assignments(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, Assignment) for each in value)


def _said(assignments: object) -> list[tuple[str, str]]:
    assert isinstance(assignments, Iterable)
    return [
        (each.name, f"{each.value or ''}{' (optional)' if each.is_optional else ''}")
        for each in assignments
    ]


def _shown(value: object) -> str:
    if value in (None, (), ""):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, StrEnum):
        return value.value
    if _are_assignments(value):
        text = ", ".join(f"{name} {given}".strip() for name, given in _said(value))
    elif is_dataclass(value):
        text = "set"
    else:
        text = " ".join(str(value).split())
    return f"“{text[:_LENGTH_MAX]}{'…' if len(text) > _LENGTH_MAX else ''}”"


def _called(element: _Element, names: _Names) -> str:
    """Return what people call an element."""
    if isinstance(element, Flow):
        return f"the flow from {names[element.source]} to {names[element.target]}"
    kind = re.sub("([A-Z])", lambda found: f" {found[1].lower()}", element.kind.value)
    return f"{names[element.id]} ({kind})"


def _process_changes(old: Drawing, new: Drawing) -> Iterator[DrawingChange]:
    before = {process.id: process for process in old.processes}
    after = {process.id: process for process in new.processes}
    for name in sorted(before.keys() | after.keys()):
        yield from _process_change(name, before.get(name), after.get(name))


def _process_change(name: str, old: Process | None, new: Process | None) -> Iterator[DrawingChange]:
    shown = new or old
    assert shown is not None
    called = f"the process {shown.name or _readable(name)}"
    if old is None:
        yield DrawingChange(ChangeKind.ADDED, name, f"{called} was added")
    elif new is None:
        yield DrawingChange(ChangeKind.REMOVED, name, f"{called} was removed")
    elif _identity(old) != _identity(new):
        words = f"{called}: its name, whether it runs, or what undoes what has changed"
        yield DrawingChange(ChangeKind.CHANGED, name, words)
    if old is not None and new is not None and old.deadline != new.deadline:
        before, after = _shown(old.deadline), _shown(new.deadline)
        words = f"{called}: {_NAMES['deadline']} was {before}, is {after}"
        yield DrawingChange(ChangeKind.CHANGED, name, words)


def _identity(process: Process) -> tuple[str, bool, dict[str, str]]:
    return process.name, process.is_executable, dict(process.handlers)
