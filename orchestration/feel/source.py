"""The text of an expression and the place the parser stands at."""

import re

from typing_extensions import override

TEXT_LENGTH_MAX = 65_536
_SPACE = re.compile(r"(?:[\s\u180e\u200b\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_WORD = re.compile(r"[^\W\d]\w*")


class FeelSyntaxError(ValueError):
    """The text is no FEEL; `position` counts characters from 0."""

    code = "feel_syntax_error"
    is_retryable = False

    def __init__(self, words: str, position: int, text: str) -> None:
        super().__init__(words, position, text)
        self.words, self.position, self.text = words, position, text

    @property
    def line(self) -> int:
        """Line of the fault, from 1."""
        return self.text.count("\n", 0, self.position) + 1

    @override
    def __str__(self) -> str:
        near = self.text[self.position : self.position + 20]
        return f"{self.words} at character {self.position}: {near!r}"


class Source:
    """A cursor over the text that skips white space and comments."""

    def __init__(self, text: str) -> None:
        if len(text) > TEXT_LENGTH_MAX:
            raise FeelSyntaxError("expression is too long", 0, text[:100])
        self.text = text
        self.position = 0

    def refuse(self, words: str) -> FeelSyntaxError:
        """Make the error for the present place."""
        return FeelSyntaxError(words, self.position, self.text)

    def past_space(self) -> int:
        """Move to the next meaningful character and give its position."""
        found = _SPACE.match(self.text, self.position)
        if found:
            self.position = found.end()
        return self.position

    def peek(self, length: int = 1) -> str:
        """Look at the next characters without moving past them."""
        start = self.past_space()
        return self.text[start : start + length]

    def is_at(self, symbol: str) -> bool:
        """Tell whether a symbol stands here."""
        return self.text.startswith(symbol, self.past_space())

    def take(self, symbol: str) -> bool:
        """Step over a symbol if it stands here."""
        if not self.is_at(symbol):
            return False
        self.position += len(symbol)
        return True

    def need(self, symbol: str) -> None:
        """Step over a symbol that must stand here."""
        if not self.take(symbol):
            raise self.refuse(f"expected {symbol!r}")

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """Step over what a pattern matches here, and give it."""
        found = pattern.match(self.text, self.past_space())
        if found is None:
            return None
        self.position = found.end()
        return found.group()

    def peek_word(self) -> str:
        """Look at the word that stands here, or give an empty text."""
        found = _WORD.match(self.text, self.past_space())
        return found.group() if found else ""

    def take_word(self, word: str) -> bool:
        """Step over a keyword if it stands here."""
        if self.peek_word() != word:
            return False
        self.position += len(word)
        return True

    def need_word(self, word: str) -> None:
        """Step over a keyword that must stand here."""
        if not self.take_word(word):
            raise self.refuse(f"expected {word!r}")
