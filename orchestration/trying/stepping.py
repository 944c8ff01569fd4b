"""A try-out by hand: moves made one after another, and where the drawing stands after the last.

Nothing is kept between two moves but the moves themselves: the engine is pure, so that making them
again leads to the same place.
"""

from dataclasses import dataclass
from typing import Literal

from orchestration.durable.definitions import PublishedFlow
from orchestration.trying.bench import AnswerNotTaken, Bench, GoesOnForEver, Question
from orchestration.trying.playing import Player, StoryBroken
from orchestration.trying.running import bench_of
from orchestration.trying.scenarios import (
    Happening,
    ReadFile,
    Scenario,
    ScenarioRefused,
    read_answer,
)

MOVES_MAX = 200
TEXT_LENGTH_MAX = 20_000
MoveKind = Literal["step", "wait", "end", "answer", "again", "clock", "message"]


class TryRefused(ValueError):
    """The move cannot be made; nothing has moved, and `words` say why."""

    code = "try_refused"
    is_retryable = False

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(reason, words)
        self.reason, self.words = reason, words


@dataclass(frozen=True, slots=True)
class Move:
    """One move of a try-out.

    `step` makes the next thing of the scenario happen, `wait` all up to the next wait for a person
    or a clock, `end` all there is. `answer` gives the JSON in `text` to the question of `node` and
    `visit`, `again` tries a broken step again, `clock` lets the next clock come, and `message`
    hands in the message called `node` with the payload in `text`.
    """

    kind: MoveKind
    node: str = ""
    visit: int = 0
    text: str = ""


@dataclass(slots=True)
class Trial:
    """A bench with the scenario beside it; `player` is None without one."""

    bench: Bench
    scenario: Scenario | None
    player: Player | None

    def move(self, move: Move) -> None:
        """Make one move.

        Raises:
            TryRefused: it cannot be made.
        """
        try:
            _MOVES[move.kind](self, move)
        except (AnswerNotTaken, StoryBroken) as refused:
            raise TryRefused("not_taken", refused.words) from refused
        except ScenarioRefused as refused:
            words = "; ".join(f"line {each.line}: {each.words}" for each in refused.faults)
            raise TryRefused("not_understood", words) from refused
        except GoesOnForEver as error:
            words = f"It does not come to an end: stopped after {error.events} events."
            raise TryRefused("no_end", words) from error

    def question(self, node: str, visit: int) -> Question:
        """Return an open question.

        Raises:
            TryRefused: nothing is asked there.
        """
        for question in self.bench.questions.values():
            if (question.node, question.visit) == (node, visit):
                return question
        raise TryRefused("not_asked", f"Nothing is asked at {node!r} now.")

    def play(self) -> Player:
        """Return the player of the scenario.

        Raises:
            TryRefused: there is no scenario.
        """
        if self.player is None:
            words = "There is no scenario: answer what is asked, or let the clock come."
            raise TryRefused("no_scenario", words)
        return self.player


def begin(flow: PublishedFlow, read: ReadFile, scenario: Scenario, *, is_played: bool) -> Trial:
    """Put a new instance on the bench, to be moved by hand or as a scenario says."""
    bench = bench_of(read, flow, scenario)
    if not is_played:
        return Trial(bench, None, None)
    return Trial(bench, scenario, Player(bench, read.content, scenario))


def _step(trial: Trial, _move: Move) -> None:
    if not trial.play().step():
        words = "The scenario says nothing more here: answer what is asked, or let the clock come."
        raise TryRefused("nothing_follows", words)


def _to_wait(trial: Trial, move: Move) -> None:
    _step(trial, move)
    player = trial.play()
    while player.is_machine_next():
        player.step()


def _to_end(trial: Trial, move: Move) -> None:
    _step(trial, move)
    player = trial.play()
    while player.step():
        pass


def _answer(trial: Trial, move: Move) -> None:
    question = trial.question(move.node, move.visit)
    if len(move.text) > TEXT_LENGTH_MAX:
        raise TryRefused("too_long", f"At most {TEXT_LENGTH_MAX} characters.")
    answer = read_answer(text=move.text)
    if answer.chooses is None:
        trial.bench.answer(question, answer)
        return
    for activity in answer.chooses:
        trial.bench.choose(question, activity)
    if not answer.chooses:
        trial.bench.stop_choosing(question)


def _again(trial: Trial, move: Move) -> None:
    trial.bench.try_again(trial.question(move.node, move.visit))


def _clock(trial: Trial, _move: Move) -> None:
    timer = trial.bench.next_timer
    if timer is None:
        raise TryRefused("no_clock", "No clock runs here.")
    trial.bench.fire(timer)


def _message(trial: Trial, move: Move) -> None:
    name, _, key = move.node.partition("/")
    payload = read_answer(text=move.text).done
    if payload is None:
        raise TryRefused("not_understood", 'A message is given as {"done": {…}}.')
    trial.bench.hear(
        Happening(after="PT0S", message=name, correlation=key or None, payload=payload)
    )


_MOVES = {
    "step": _step,
    "wait": _to_wait,
    "end": _to_end,
    "answer": _answer,
    "again": _again,
    "clock": _clock,
    "message": _message,
}
