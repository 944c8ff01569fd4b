"""What a scenario expects, held against what came of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestration.bpmn.model import Kind
from orchestration.core import history as past
from orchestration.core.state import Wait
from orchestration.feel.values import to_feel
from orchestration.plain import plain
from orchestration.trying.bench import Bench, QuestionKind
from orchestration.trying.playing import Player
from orchestration.trying.scenarios import Expectation, ExpectedDecision, ExpectedQuestion
from orchestration.wording import found

Path = tuple[str | int, ...]
_SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class Unmet:
    """An expectation that was not met: where it stands in the scenario, and what came instead."""

    path: Path
    words: str


def unmet(player: Player, expected: Expectation) -> tuple[Unmet, ...]:
    """Return every expectation that was not met."""
    return tuple(_Held(player, expected).all())


def entered(bench: Bench) -> tuple[str, ...]:
    """Return the elements that were entered, in order."""
    return tuple(each.node for each in bench.entries if isinstance(each, past.NodeEntered))


def stands_at(bench: Bench) -> tuple[str, ...]:
    """Return the elements where something waits, by id; what only holds others together is not."""
    tokens = (each for each in bench.state.tokens if each.wait is not Wait.SCOPE)
    return tuple(sorted({token.node for token in tokens}))


@dataclass(frozen=True, slots=True)
class _Held:
    player: Player
    expected: Expectation

    @property
    def bench(self) -> Bench:
        return self.player.bench

    def all(self) -> Iterator[Unmet]:
        yield from self.of_end()
        yield from self.of_path()
        yield from self.of_variables()
        for index, decision in enumerate(self.expected.decisions):
            yield from self.of_decision(("decisions", index), decision)
        for index, question in enumerate(self.expected.asks):
            yield from self.of_question(("asks", index), question)
        yield from self.of_the_rest()

    def of_end(self) -> Iterator[Unmet]:
        bench, expected = self.bench, self.expected
        way = entered(bench)
        if expected.end is not None and not (bench.state.is_ended and expected.end in way):
            yield Unmet(("end",), f"expected the end {expected.end!r}, but {self.stands()}")
        status = bench.state.status.value
        if expected.outcome not in {None, status}:
            yield Unmet(("outcome",), f"expected {expected.outcome!r}, but it is {status!r}")
        if expected.waits_at is not None and sorted(expected.waits_at) != [*stands_at(bench)]:
            words = f"expected to wait at {', '.join(expected.waits_at)}, but {self.stands()}"
            yield Unmet(("waits_at",), words)

    def stands(self) -> str:
        """Say where it stands, and what is missing for it to go on."""
        if self.bench.state.is_ended:
            ends = self.bench.flow.definition.process.nodes
            last = [each for each in entered(self.bench) if ends[each].kind is Kind.END]
            return f"it ended at {last[-1]!r}" if last else f"it {self.bench.state.status.value}"
        words = [f"it stands at {', '.join(stands_at(self.bench))}"]
        for question in self.player.unanswered():
            if question.kind is QuestionKind.INCIDENT:
                words.append(f"stopped by {question.called}: {question.inputs.get('words', '')}")
            else:
                words.append(f"no answer number {question.turn} for {question.node!r}")
        return "; ".join(words)

    def of_path(self) -> Iterator[Unmet]:
        way = entered(self.bench)
        from_here = 0
        for index, node in enumerate(self.expected.path):
            if node not in way[from_here:]:
                before = self.expected.path[index - 1] if index else "the start"
                words = f"{node!r} was not entered after {before!r}; it went {' > '.join(way)}"
                yield Unmet(("path", index), words)
                break
            from_here = way.index(node, from_here) + 1
        for index, node in enumerate(self.expected.never):
            if node in way:
                yield Unmet(("never", index), f"{node!r} was entered all the same")

    def of_variables(self) -> Iterator[Unmet]:
        for path, value in self.expected.variables.items():
            yield from compared(("variables", path), path, value, self.bench.variables)

    def of_decision(self, place: Path, expected: ExpectedDecision) -> Iterator[Unmet]:
        made = [
            each
            for each in self.bench.entries
            if isinstance(each, past.DecisionEvaluated) and each.node == expected.node
        ]
        if not made:
            yield Unmet(place, f"{expected.node!r} decided nothing")
            return
        last = made[-1]
        rules = [each.rule for each in last.rules]
        if expected.rules is not None and expected.rules != rules:
            words = f"expected the rules {_list(expected.rules)}, but {_list(rules)} applied"
            yield Unmet((*place, "rules"), words)
        outputs = plain(last.outputs)
        seen = outputs if isinstance(outputs, Mapping) else {"value": outputs}
        for path, value in expected.outputs.items():
            yield from compared((*place, "outputs", path), path, value, seen)

    def of_question(self, place: Path, expected: ExpectedQuestion) -> Iterator[Unmet]:
        asked = [
            each
            for each in self.bench.asked
            if each.node == expected.node and each.kind is not QuestionKind.INCIDENT
        ]
        if not asked:
            yield Unmet(place, f"{expected.node!r} was not asked")
            return
        for path, value in expected.inputs.items():
            yield from compared((*place, "inputs", path), path, value, asked[-1].inputs)

    def of_the_rest(self) -> Iterator[Unmet]:
        incidents = [each for each in self.bench.entries if isinstance(each, past.IncidentRaised)]
        codes = [each.code for each in incidents]
        if self.expected.incident is not None and self.expected.incident not in codes:
            words = f"expected the incident {self.expected.incident!r}, but {_list(codes)} came"
            yield Unmet(("incident",), words)
        if self.expected.incident is None and incidents:
            first = incidents[0]
            words = f"{first.node!r} stopped by {first.code}, which is not expected: {first.words}"
            yield Unmet((), words)
        if self.expected.sends is not None and self.expected.sends != self.bench.sent:
            words = f"expected {_list(self.expected.sends)} to go out, but {_list(self.bench.sent)}"
            yield Unmet(("sends",), words)


def compared(
    place: Path, path: str, expected: object, values: Mapping[str, object]
) -> Iterator[Unmet]:
    """Hold the value at a dotted path against the one that is expected there."""
    wanted, came = plain(to_feel(expected)), found(values, path)
    if wanted != came or isinstance(wanted, bool) is not isinstance(came, bool):
        yield Unmet(place, f"expected {path} to be {_shown(wanted)}, but it is {_shown(came)}")


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def _list(names: list[str]) -> str:
    return ", ".join(names) or "none"
