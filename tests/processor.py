"""The card processor simulator in a process of its own, as the tests reach it: over HTTP."""

import json
import subprocess
import sys
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from deploy.home import SOURCE

KEY = "test-processor-key"


@dataclass
class Processor:
    """One simulator; `kill` and `start` may follow each other on the same books."""

    storage: Path
    port: int = 0
    process: subprocess.Popen[str] | None = None

    def start(self) -> "Processor":
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "deploy.simulators.card_processor"),
                *("--storage", str(self.storage), "--port", str(self.port)),
                *("--slow-seconds", "2"),
            ],
            cwd=SOURCE,
            env={"CARD_PROCESSOR_KEY": KEY, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rstrip().rpartition(":")[2])
        return self

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Return what a process of ours needs to reach it, impatiently."""
        return {
            "CARD_PROCESSOR_URL": self.url,
            "CARD_PROCESSOR_KEY": KEY,
            "CARD_PROCESSOR_DEADLINE_SECONDS": "1",
            "CARD_PROCESSOR_VALID_SECONDS": "2",
            "CARD_PROCESSOR_FINALITY_SECONDS": "1",
        }

    def configure(self, settings: object) -> None:
        settings.CARD_PROCESSOR_URL = self.url
        settings.CARD_PROCESSOR_KEY = KEY
        settings.CARD_PROCESSOR_DEADLINE_SECONDS = 1.0
        settings.CARD_PROCESSOR_VALID_SECONDS = 1
        settings.CARD_PROCESSOR_FINALITY_SECONDS = 0.5

    def fault(self, name: str, times: int = 1) -> None:
        """Make it do something wrong with the next orders."""
        self._ask("POST", "/simulator/faults", {"fault": name, "times": times})

    def books(self) -> dict[str, object]:
        return self._ask("GET", "/simulator/books")

    def acts(self, card_id: object) -> list[str]:
        """Return what was really done with a card, in order."""
        return [verb for _, card, verb in self.books()["acts"] if card == str(card_id)]

    def arrivals(self) -> int:
        return len(self.books()["arrivals"])

    def _ask(self, method: str, path: str, said: object = None) -> dict[str, object]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        body = json.dumps(said) if said is not None else None
        connection.request(method, path, body, {"Authorization": f"Bearer {KEY}"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer
