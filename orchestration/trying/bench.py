"""One instance on the bench: moved by the pure engine, on a clock of its own, with no effects."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from orchestration.core import advance, new_state
from orchestration.core import commands as ask
from orchestration.core import events as happen
from orchestration.core.history import Entry
from orchestration.core.state import Timer, Variables
from orchestration.core.step import Step
from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.replaying import Replay
from orchestration.durable.store import HistoryRow
from orchestration.durable.undoing import is_undoing
from orchestration.plain import feel_mapping, plain_mapping
from orchestration.trying.drawings import fault_of
from orchestration.trying.scenarios import Answer, Happening
from orchestration.worklist.forms import AnswerRefused, checked_answer
from orchestration.worklist.outputs import output_of

EVENTS_MAX = 500
CUSTOMER = "customer"
SOMEBODY = "employee:somebody"
# What every instance is given besides its own variables.
NOBODY = UUID("00000000-0000-4000-8000-000000000000")
ALWAYS_GIVEN: Mapping[str, object] = {
    "case": {"id": str(NOBODY), "number": "C-TRIED-OUT"},
    "customer_id": str(NOBODY),
}


class AnswerNotTaken(ValueError):
    """The drawing does not take this answer now; `words` say why, and nothing has moved."""

    code = "answer_not_taken"
    is_retryable = False

    def __init__(self, node: str, words: str) -> None:
        super().__init__(node, words)
        self.node, self.words = node, words


class GoesOnForEver(RuntimeError):
    """More happened than is tried out: the drawing goes on and on."""

    code = "goes_on_for_ever"
    is_retryable = False

    def __init__(self, process: str, events: int) -> None:
        super().__init__(process, events)
        self.process, self.events = process, events


class QuestionKind(StrEnum):
    """Who is asked: a service, a person, a called process, a chooser, or who resolves incidents."""

    SERVICE = "service"
    PERSON = "person"
    PROCESS = "process"
    CHOICE = "choice"
    INCIDENT = "incident"


REFUSING = frozenset({QuestionKind.SERVICE, QuestionKind.PERSON, QuestionKind.PROCESS})
_Asking = (
    ask.CallService
    | ask.CreateHumanTask
    | ask.StartChild
    | ask.CancelChild
    | ask.OfferActivities
    | ask.RaiseIncident
)


@dataclass(frozen=True, slots=True)
class Question:
    """Something the drawing waits for an answer to; `turn` counts how often the node has asked.

    `called` names the service, form, process or incident; `chosen` how many activities were taken.
    """

    kind: QuestionKind
    token: str
    node: str
    visit: int
    turn: int
    called: str
    inputs: Mapping[str, object]
    asked_at: datetime
    roles: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    chosen: int = 0


class Bench:
    """The instance as it stands; every method moves it by one event, to its next wait.

    `rows` is its history, `questions` what waits for an answer by token, `asked` all that was ever
    asked, and `sent` what would have gone out.
    """

    def __init__(self, flow: PublishedFlow, *, at: datetime) -> None:
        self.flow, self.at, self.began_at = flow, at, at
        self.state = new_state(process=flow.process)
        self.rows: list[HistoryRow] = []
        self._rows_given = 0
        self.questions: dict[str, Question] = {}
        self.asked: list[Question] = []
        self.sent: list[str] = []
        self._turns: Counter[str] = Counter()
        self._lost: list[happen.Event] = []

    @classmethod
    def begun(
        cls,
        flow: PublishedFlow,
        *,
        given: Mapping[str, object],
        at: datetime,
        start: str | None = None,
    ) -> "Bench":
        """Return the bench of a new instance, at its first wait."""
        bench = cls(flow, at=at)
        variables = feel_mapping({**ALWAYS_GIVEN, **given})
        bench._take(happen.Started(variables, start, SOMEBODY, requires_inputs=True))
        return bench

    @classmethod
    def forked(cls, replays: Sequence[Replay]) -> "Bench":
        """Return a bench that stands where a run stood after events of it, with all it asks.

        What the run itself has sent is not among what would go out from here.
        """
        last = replays[-1]
        bench = cls(last.flow, at=last.line.at)
        for replay in replays:
            bench.at = replay.line.at
            bench._note_all(replay.line, replay.step)
        # What has broken by itself is in the history already.
        bench._lost.clear()
        bench.sent.clear()
        bench.state, bench._rows_given = last.step.state, len(bench.rows)
        nodes = {token.id: token.node for token in bench.state.tokens}
        bench.questions = {
            token: replace(question, node=nodes[token])
            for token, question in bench.questions.items()
            if token in nodes
        }
        return bench

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Return what happened so far."""
        return tuple(entry for row in self.rows for entry in row.entries)

    @property
    def variables(self) -> Mapping[str, object]:
        """Return the variables of the whole instance as plain values."""
        return plain_mapping(self.state.variables)

    @property
    def next_timer(self) -> Timer | None:
        """Return the clock that is due first, if one runs."""
        return min(self.state.timers, key=lambda each: each.due_at, default=None)

    # What can be done.

    def pass_time(self, until: datetime) -> None:
        """Let the clock go on; it never goes back."""
        self.at = max(self.at, until)

    def answer(self, question: Question, answer: Answer) -> None:
        """Give one answer to what was asked.

        Raises:
            AnswerNotTaken: the question does not take it; nothing has moved.
        """
        self._take(self._event(question, answer))

    def choose(self, question: Question, activity: str) -> None:
        """Take one activity of an ad-hoc sub-process.

        Raises:
            AnswerNotTaken: it is not offered, or not now.
        """
        self._take(happen.ActivityChosen(question.token, activity, {}, SOMEBODY))
        kept = self.questions.get(question.token)
        if kept is not None:
            self.questions[question.token] = replace(kept, chosen=kept.chosen + 1)

    def stop_choosing(self, question: Question) -> None:
        """Say that an ad-hoc sub-process has done enough."""
        self._take(happen.ActivitiesEnded(question.token, SOMEBODY))

    def try_again(self, question: Question) -> None:
        """Resolve an incident as a person would who has mended the cause."""
        self._take(happen.IncidentResolved(question.token, happen.Resolution.RETRY))

    def fire(self, timer: Timer) -> None:
        """Let a timer fire, the clock standing at its instant at least."""
        self.pass_time(timer.due_at)
        self._take(happen.TimerFired(timer.id))

    def hear(self, happening: Happening) -> None:
        """Let something happen from outside.

        Raises:
            AnswerNotTaken: nothing waits for it.
        """
        payload = feel_mapping(happening.payload)
        if happening.message is not None:
            event: happen.Event = happen.MessageReceived(
                happening.message, happening.correlation, payload
            )
        elif happening.signal is not None:
            event = happen.SignalReceived(happening.signal, payload)
        else:
            event = happen.Cancelled(happening.cancelled or "", SOMEBODY)
        self._take(event)

    # How it is done.

    def _event(self, question: Question, answer: Answer) -> happen.Event:
        technical, business = happen.FailureKind.TECHNICAL, happen.FailureKind.BUSINESS
        if answer.done is not None:
            return self._done(question, answer.done, answer.by or SOMEBODY)
        if question.kind is QuestionKind.SERVICE and answer.broken is not None:
            broken = answer.broken
            return happen.TaskFailed(question.token, technical, broken.code, broken.message)
        if answer.refused is None or question.kind not in REFUSING:
            raise AnswerNotTaken(question.node, f"{question.node} does not take such an answer.")
        code, output = answer.refused.code, feel_mapping(answer.refused.output)
        if question.kind is QuestionKind.PROCESS:
            return happen.ChildFailed(question.token, code, output)
        if is_undoing(self.flow.definition, question.node):
            # What cannot be undone is no business outcome: a person has to see to it.
            said = answer.refused.message
            return happen.TaskFailed(question.token, technical, f"not_undone_{code}", said)
        return happen.TaskFailed(question.token, business, code, answer.refused.message, output)

    def _done(self, question: Question, values: Mapping[str, object], by: str) -> happen.Event:
        match question.kind:
            case QuestionKind.SERVICE:
                return happen.TaskCompleted(question.token, feel_mapping(values))
            case QuestionKind.PROCESS:
                return happen.ChildCompleted(question.token, feel_mapping(values))
            case QuestionKind.PERSON:
                output = self._output(question, values, by)
                return happen.UserTaskCompleted(question.token, feel_mapping(output), by)
        raise AnswerNotTaken(question.node, f"{question.node} does not take such an answer.")

    def _output(
        self, question: Question, values: Mapping[str, object], by: str
    ) -> Mapping[str, object]:
        """Return what a person's answer hands back, as the work list and the cards do."""
        task_id = uuid5(NOBODY, f"{question.node}|{question.visit}")
        if CUSTOMER in question.roles:
            card = {"card": dict(question.inputs), "reference": str(task_id)}
            return {**values, **card, "at": self.at.isoformat()}
        form = self.flow.forms.get(question.called, {"type": "object", "properties": {}})
        try:
            checked = checked_answer(form, plain_mapping(feel_mapping(values)))
        except AnswerRefused as refused:
            words = "; ".join(f"{name}: {why}" for name, why in refused.errors.items())
            raise AnswerNotTaken(question.node, f"the form refuses it: {words}") from refused
        return output_of(
            task_id=task_id,
            inputs=question.inputs,
            values=checked,
            by=by,
            comment="",
            at=self.at,
        )

    def _take(self, event: happen.Event) -> None:
        """Move by one event, and by those that follow from it without anybody's answer."""
        self._lost.append(event)
        while self._lost:
            self._take_one(self._lost.pop(0))

    def _take_one(self, event: happen.Event) -> None:
        if len(self.rows) - self._rows_given >= EVENTS_MAX:
            raise GoesOnForEver(self.flow.process, EVENTS_MAX)
        step = advance(
            self.flow.definition, self.state, event, at=self.at, decisions=self.flow.decisions
        )
        if step.ignored is not None:
            words = f"Nothing waits for this: {step.ignored.reason.replace('_', ' ')}."
            raise AnswerNotTaken("", words)
        line = HistoryRow(len(self.rows), event, step.history, None, self.at)
        self.state = step.state
        self._note_all(line, step)

    def _note_all(self, line: HistoryRow, step: Step) -> None:
        self.rows.append(line)
        for token in _answered(line.event):
            self.questions.pop(token, None)
        for command in step.commands:
            self._note(command)

    def _note(self, command: ask.Command) -> None:
        match command:
            case ask.CallService():
                called = f"{command.kind.value}:{command.name}"
                self._ask(QuestionKind.SERVICE, command, called, command.inputs)
                fault = fault_of(command)
                if fault is not None:
                    technical = happen.FailureKind.TECHNICAL
                    self._lost.append(
                        happen.TaskFailed(command.token, technical, "step_failed", fault)
                    )
            case ask.CreateHumanTask():
                called = command.form or command.node
                self._ask(QuestionKind.PERSON, command, called, command.inputs, roles=command.roles)
            case ask.StartChild():
                self._ask(QuestionKind.PROCESS, command, command.process, command.variables)
            case ask.OfferActivities():
                offered = command.activities
                self._ask(QuestionKind.CHOICE, command, "", command.inputs, activities=offered)
            case ask.RaiseIncident():
                self._ask(QuestionKind.INCIDENT, command, command.code, {"words": command.words})
            case _:
                self._note_rarely(command)

    def _note_rarely(self, command: ask.Command) -> None:
        match command:
            case ask.CancelChild(is_undone=True):
                called = f"undo what {command.node} did"
                self._ask(QuestionKind.PROCESS, command, called, {})
            case (
                ask.CancelService()
                | ask.CancelHumanTask()
                | ask.CancelChild()
                | ask.WithdrawActivities()
            ):
                self.questions.pop(command.token, None)
            case ask.SendMessage() | ask.BroadcastSignal():
                self.sent.append(command.name)
            case ask.RaiseEscalation():
                self.sent.append(command.code)
            case ask.Complete():
                self.questions.clear()

    def _ask(
        self,
        kind: QuestionKind,
        command: _Asking,
        called: str,
        inputs: Variables,
        *,
        roles: tuple[str, ...] = (),
        activities: tuple[str, ...] = (),
    ) -> None:
        # An incident is the same turn of its node: what it waits for is the next answer.
        self._turns[command.node] += kind is not QuestionKind.INCIDENT
        question = Question(
            kind=kind,
            token=command.token,
            node=command.node,
            visit=command.visit,
            turn=self._turns[command.node],
            called=called,
            inputs=plain_mapping(inputs),
            asked_at=self.at,
            roles=roles,
            activities=activities,
        )
        self.questions[command.token] = question
        self.asked.append(question)


def _answered(event: happen.Event) -> tuple[str, ...]:
    """Return the token whose question an event answers."""
    answers = (
        happen.TaskCompleted
        | happen.TaskFailed
        | happen.UserTaskCompleted
        | happen.ChildCompleted
        | happen.ChildFailed
        | happen.IncidentResolved
        | happen.ActivitiesEnded
    )
    return (event.token,) if isinstance(event, answers) else ()
