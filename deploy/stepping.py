"""Walking through a drawing at a terminal: one command a line, typed or from a pipe."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from orchestration.public import Move, MoveKind, RunLine, TryRefused, TryScript, TryView

HELP = """\
  step               let the next thing happen, as the scenario says (Enter does the same)
  wait               go on to the next wait for a person or a clock
  end                go on as far as the scenario says
  answer STEP JSON   answer what is asked: {"done": {…}}, or {"refused": {"code": "…"}}
  refuse STEP CODE   answer with a refusal the drawing may catch
  again STEP         try a step again that has stopped
  clock              let the next clock come
  message NAME JSON  hand in a message: {"done": {…}}
  asked              what is asked now, with what
  variables [NAME]   what is known; * is new, + has changed since the last move
  path               the elements of the last move
  history            all that happened
  expect             hold what came against what the scenario expects
  back               take the last move back
  restart            begin again
  help, quit"""
_PLAYED: Mapping[str, MoveKind] = {
    "": "step",
    "step": "step",
    "wait": "wait",
    "end": "end",
    "clock": "clock",
}


class Stepper:
    """One walk; every command makes the moves again, since the engine is pure.

    `look` says where a script leads, or raises TryRefused.
    """

    def __init__(
        self,
        title: str,
        script: TryScript,
        look: Callable[[TryScript], TryView],
        say: Callable[[str], object],
    ) -> None:
        self.title, self.script, self.look, self.say = title, script, look, say
        self.view = look(script)
        self.is_well = True

    def run(self, lines: Iterable[str], *, is_asked: bool) -> bool:
        """Do what the lines say until they end; False when one of them could not be done."""
        self.say(self.title)
        self.say("Nothing is started for real. Type help for what can be done.")
        self._standing()
        if is_asked:
            self.say("> ")
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word in {"quit", "q", "exit"}:
                break
            if not is_asked:
                self.say(f"> {line.strip()}")
            self._do(word, rest.strip())
            if is_asked:
                self.say("> ")
        return self.is_well

    def _do(self, word: str, rest: str) -> None:
        looks: dict[str, Callable[[str], object]] = {
            "asked": self._asked,
            "variables": self._variables,
            "path": lambda _rest: self.say("  " + " > ".join(self.view.path)),
            "history": lambda _rest: self._lines(self.view.lines),
            "expect": self._expect,
            "help": lambda _rest: self.say(HELP),
        }
        if word in looks:
            looks[word](rest)
            return
        try:
            self._go(word, rest)
        except TryRefused as refused:
            self.is_well = False
            self.say(f"  Not done: {refused.words}")

    def _go(self, word: str, rest: str) -> None:
        if word == "restart":
            self._to(())
        elif word == "back":
            self._to(self.script.moves[:-1])
        else:
            self._to((*self.script.moves, self._move(word, rest)))
        self._lines(self.view.lines[self.view.lines_before :])
        self._standing()

    def _move(self, word: str, rest: str) -> Move:
        step, _, text = rest.partition(" ")
        if word in _PLAYED:
            return Move(_PLAYED[word])
        if word == "message":
            return Move("message", step, text=text or '{"done": {}}')
        if word not in {"answer", "refuse", "again"}:
            raise TryRefused("command_unknown", f"There is no command {word!r}; type help.")
        visit = self._visit(step)
        if word == "again":
            return Move("again", step, visit)
        said = text if word == "answer" else json.dumps({"refused": {"code": text}})
        return Move("answer", step, visit, said)

    def _visit(self, step: str) -> int:
        found = [each.visit for each in self.view.questions if each.node == step]
        if not found:
            raise TryRefused("not_asked", f"Nothing is asked at {step!r} now.")
        return found[0]

    def _to(self, moves: tuple[Move, ...]) -> None:
        script = replace(self.script, moves=moves)
        self.view = self.look(script)
        self.script = script

    # What is shown.

    def _lines(self, lines: Iterable[RunLine]) -> None:
        for line in lines:
            self.say(f"  {line.at:%d %b %H:%M:%S}  {line.words}")

    def _standing(self) -> None:
        view = self.view
        if view.is_ended:
            self.say(f"  It is over: {view.status}.")
        for place in view.stands:
            self.say(f"  At {place.node}: {place.step} {place.words}.")
        if view.clock is not None:
            self.say(f"  Next clock: {view.clock.step}, {view.clock.due_at:%d %b %H:%M:%S}.")

    def _asked(self, _rest: str) -> None:
        for each in self.view.questions:
            who = f" of {', '.join(each.roles)}" if each.roles else ""
            self.say(f"  {each.node} asks{who}: {each.called} with {each.inputs}")

    def _variables(self, name: str) -> None:
        marks = {"new": "*", "changed": "+", "same": " "}
        for each in self.view.variables:
            if not name or name == each.name:
                self.say(f"{marks[each.standing]} {each.name} = {each.value}")

    def _expect(self, _rest: str) -> None:
        if not self.view.is_ended:
            self.say("  It is not over yet.")
        elif not self.view.unmet:
            self.say("  Everything came as expected.")
        for words in self.view.unmet:
            self.is_well = False
            self.say(f"  Not as expected: {words}")
