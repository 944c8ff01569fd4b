"""What followed from an answer, in shorthand: only what the answer and the entry before do not say.

Most steps end alike: the work is answered, its output kept, the node left, a flow taken, the next
node entered, its work asked for. An entry that says nothing else is a letter and the names that are
new in it, each ended by a comma. Letters, and what follows from them, may never change.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from orchestration.core.codec import EncodingRefused
from orchestration.core.events import Event, TaskCompleted
from orchestration.core.history import (
    Entry,
    FlowTaken,
    InstanceEnded,
    NodeEntered,
    NodeLeft,
    VariableSet,
    WorkAnswered,
    WorkAsked,
)
from orchestration.core.state import ROOT_SCOPE
from orchestration.durable.large_values import KeptVariables

_END = ","
_LETTERS: dict[type, str] = {
    WorkAnswered: "w",
    VariableSet: "V",
    NodeLeft: "L",
    FlowTaken: "F",
    NodeEntered: "N",
    WorkAsked: "W",
    InstanceEnded: "Z",
}
# The names that an entry of each letter brings, in order.
_NAMES: dict[str, tuple[str, ...]] = {
    "w": ("node",),
    "V": (),
    "L": (),
    "F": ("flow", "target"),
    "N": (),
    "W": ("work",),
    "Z": ("outcome",),
}
_READ: dict[str, Callable[[Any], object]] = {
    letter: attrgetter(*names) for letter, names in _NAMES.items() if names
}


class _Thread:
    """Where the token stands after each entry, and so what the next one says if nothing is new."""

    def __init__(self, event: TaskCompleted) -> None:
        self.node = ""
        self.token = event.token
        number = event.token[1:]
        self.visit = int(number) if number.isdecimal() else 0
        output = event.output
        kept = output.raw if isinstance(output, KeptVariables) else output
        self.answers = iter(kept.items())

    def goes_on(self, letter: str, names: tuple[str, ...]) -> Entry:
        """Return the entry of a letter and its names.

        Raises:
            StopIteration: the answer has no further value.
            KeyError: there is no such letter.
        """
        entry: Entry
        match letter:
            case "w":
                (self.node,) = names
                entry = WorkAnswered(self.node, self.token, self.visit, "done", None)
            case "V":
                name, value = next(self.answers)
                entry = VariableSet(name, value, ROOT_SCOPE, self.node)  # type: ignore[arg-type]
            case "L":
                entry = NodeLeft(self.node, self.token, self.visit, "done")
            case "F":
                flow, target = names
                source, self.node = self.node, target
                entry = FlowTaken(flow, source, target, self.token, None, {}, is_default=False)
            case "N":
                self.visit += 1
                self.token = f"t{self.visit}"
                entry = NodeEntered(self.node, self.token, self.visit, ROOT_SCOPE)
            case "W":
                entry = WorkAsked(self.node, self.token, self.visit, names[0], {})
            case "Z":
                entry = InstanceEnded(names[0], None)
            case _:
                raise KeyError(letter)
        return entry


def shortened(event: Event, entries: tuple[Entry, ...]) -> str | None:
    """Return entries in shorthand, None when they say more than it has words for."""
    if type(event) is not TaskCompleted:
        return None
    thread, text = _Thread(event), ""
    for entry in entries:
        letter = _LETTERS.get(type(entry))
        if letter is None:
            return None
        names = _names(letter, entry)
        try:
            expected = thread.goes_on(letter, names)
        except StopIteration:
            return None
        if expected != entry or not _is_same(expected, entry) or not all(map(_is_plain, names)):
            return None
        text += letter + "".join(f"{each}{_END}" for each in names)
    return text


def _names(letter: str, entry: Entry) -> tuple[str, ...]:
    count = len(_NAMES[letter])
    if not count:
        return ()
    found: Any = _READ[letter](entry)
    return (found,) if count == 1 else found


def _is_same(expected: Entry, entry: Entry) -> bool:
    """Tell whether values are the same and not only equal, as 1 and true are."""
    if type(expected) is not VariableSet or type(entry) is not VariableSet:
        return True
    is_text = type(expected.value) is str and type(entry.value) is str
    return is_text or expected.value is entry.value


def _is_plain(name: str) -> bool:
    return name.isprintable() and _END not in name


def lengthened(event: Event, text: str) -> tuple[Entry, ...]:
    """Return the entries of a shorthand, which followed from this event.

    Raises:
        EncodingRefused: it is something else.
    """
    if type(event) is not TaskCompleted:
        raise EncodingRefused("not a text of this version")
    thread = _Thread(event)
    try:
        return tuple(thread.goes_on(letter, names) for letter, names in _read(text))
    except (KeyError, ValueError, RuntimeError) as error:
        # Within a generator the end of the answers is a RuntimeError.
        raise EncodingRefused("not a text of this version") from error


def _read(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    at = 0
    while at < len(text):
        letter, names = text[at], []
        at += 1
        for _ in _NAMES[letter]:
            end = text.index(_END, at)
            names.append(text[at:end])
            at = end + 1
        yield letter, tuple(names)
