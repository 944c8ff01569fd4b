"""The words a newcomer reads once the bank runs. The bank goes on whether they come or not."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass

TRIES_MAX = 3


@dataclass(slots=True)
class Greeting:
    """A program that greets, beside everything else; when it fails it is tried again."""

    begin: Callable[[], subprocess.Popen[bytes]]
    tries: int = 0
    process: subprocess.Popen[bytes] | None = None
    is_over: bool = False

    def go_on(self) -> None:
        """Begin to greet, or look whether it is done; never wait for it."""
        if self.is_over:
            return
        if self.process is None:
            self.tries += 1
            self.process = self.begin()
        elif (code := self.process.poll()) is not None:
            # The database may have been killed under it, and is being started again.
            self.is_over = code == 0 or self.tries >= TRIES_MAX
            self.process = None
