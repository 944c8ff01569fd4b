"""Playing a scenario: which of its answers, happenings and clocks comes next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from orchestration.core.state import Timer
from orchestration.trying.bench import AnswerNotTaken, Bench, Question, QuestionKind
from orchestration.trying.scenarios import Answer, Happening, Scenario, ScenarioFile, after


class StoryBroken(RuntimeError):
    """The drawing does not take what the scenario says next; `path` says where that stands."""

    code = "story_broken"
    is_retryable = False

    def __init__(self, path: tuple[str | int, ...], words: str) -> None:
        super().__init__(path, words)
        self.path, self.words = path, words


@dataclass(frozen=True, slots=True)
class _Next:
    """Something that can come next; the earliest does, answers before happenings before clocks."""

    due_at: datetime
    rank: int
    question: Question | None = None
    answer: Answer | None = None
    happening: Happening | None = None
    timer: Timer | None = None


class Player:
    """Plays one scenario on a bench, step by step."""

    def __init__(self, bench: Bench, file: ScenarioFile, scenario: Scenario) -> None:
        self.bench = bench
        self._answers = file.answers_of(scenario)
        self._own = frozenset(scenario.answers)
        self._at = file.scenarios.index(scenario)
        self._happens = list(enumerate(scenario.happens))
        until = scenario.until
        self._until = None if until is None else after(bench.began_at, until)

    def step(self) -> bool:
        """Let the next thing happen; False when the scenario has nothing more to say.

        Raises:
            StoryBroken: the drawing does not take it.
            GoesOnForEver: it does not come to an end.
        """
        following = self._following()
        if following is None:
            return False
        self.bench.pass_time(following.due_at)
        try:
            self._do(following)
        except AnswerNotTaken as refused:
            raise StoryBroken(self._path(following), refused.words) from refused
        return True

    def is_machine_next(self) -> bool:
        """Tell whether what comes next comes at once, and from no person."""
        following = self._following()
        if following is None or following.question is None:
            return False
        is_machine = following.question.kind in {QuestionKind.SERVICE, QuestionKind.PROCESS}
        return is_machine and following.due_at <= self.bench.at

    def answer_to(self, question: Question) -> Answer | None:
        """Return what the scenario answers to a question, if anything."""
        said = self._answers.get(question.node)
        if not isinstance(said, list):
            # One answer is given every time; to try again after it broke would break for ever.
            return None if question.kind is QuestionKind.INCIDENT else said
        index = question.turn - (question.kind is not QuestionKind.INCIDENT)
        return said[index] if index < len(said) else None

    def unanswered(self) -> tuple[Question, ...]:
        """Return the questions the scenario has no answer to."""
        open_ones = self.bench.questions.values()
        return tuple(each for each in open_ones if self.answer_to(each) is None)

    def _following(self) -> _Next | None:
        if self.bench.state.is_ended:
            return None
        found = list(self._possible())
        if self.unanswered():
            # What a person does here is not known, so no time passes.
            found = [each for each in found if each.due_at <= self.bench.at and not each.timer]
        if self._until is not None:
            found = [each for each in found if each.due_at <= self._until]
        return min(found, key=lambda each: (each.due_at, each.rank), default=None)

    def _possible(self) -> Iterator[_Next]:
        for question in self.bench.questions.values():
            answer = self.answer_to(question)
            if answer is None or answer.never:
                continue
            if question.kind is QuestionKind.CHOICE and len(self.bench.questions) > 1:
                continue  # What was chosen is done before more is.
            if question.kind is QuestionKind.INCIDENT:
                yield _Next(question.asked_at, 0, question)
            else:
                yield _Next(after(question.asked_at, answer.after), 0, question, answer)
        for _index, happening in self._happens[:1]:
            due_at = after(self.bench.began_at, happening.after)
            yield _Next(due_at, 1, happening=happening)
        timer = self.bench.next_timer
        if timer is not None:
            yield _Next(timer.due_at, 2, timer=timer)

    def _do(self, following: _Next) -> None:
        bench, question, answer = self.bench, following.question, following.answer
        if following.timer is not None:
            bench.fire(following.timer)
        elif following.happening is not None:
            bench.hear(following.happening)
            self._happens.pop(0)
        elif question is None:
            return
        elif answer is None:
            bench.try_again(question)
        elif question.kind is QuestionKind.CHOICE and answer.chooses is not None:
            if question.chosen < len(answer.chooses):
                bench.choose(question, answer.chooses[question.chosen])
            else:
                bench.stop_choosing(question)
        else:
            bench.answer(question, answer)

    def _path(self, following: _Next) -> tuple[str | int, ...]:
        here: tuple[str | int, ...] = ("scenarios", self._at)
        if following.question is None:
            return (*here, "happens", self._happens[0][0]) if self._happens else here
        node = following.question.node
        return (*here, "answers", node) if node in self._own else ("answers", node)
