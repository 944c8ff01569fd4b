"""A simulator of a print house: an outside connector that spends its token before it prints.

    PRINT_HOUSE_KEY=... python -m deploy.simulators.print_house --bank URL --entity NAME
        --storage FOLDER [--port PORT]

`POST /v1/letters {"token", "kind", "resource", "parameters", "case_id", "idempotency_key"}` redeems
the token at the bank, prints, and says how it ended; `GET /simulator/books` shows what was printed.
It says that it is a simulator in every answer (`Server: print-house-simulator`).
"""

import argparse
import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

HOST = "127.0.0.1"
PORT = 8472
BODY_BYTES_MAX = 64 * 1024
TIMEOUT_SECONDS = 10.0
KEY = "PRINT_HOUSE_KEY"
OK, SPENT, NOT_REACHED = 200, 409, 502
_ID = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class Bank:
    """The bank as this program reaches it: one legal entity, one key bound to one audience."""

    url: str
    entity: str
    key: str

    def redeem(self, letter: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Spend the token for exactly this letter."""
        return self._post("redeem", {**letter, "obligations": ["outcome"]})

    def tell(self, token: str, kind: str, code: str) -> tuple[int, dict[str, Any]]:
        """Say how it ended."""
        said = {"kind": kind, "code": code, "reference": f"print:{token}"}
        return self._post(f"{token}/outcome", said)

    def _post(self, place: str, said: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(  # noqa: S310 - the address is the operator's own
            f"{self.url}/api/v1/{self.entity}/tokens/{place}",
            data=json.dumps(said).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
                return answer.status, json.loads(answer.read(BODY_BYTES_MAX))
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read(BODY_BYTES_MAX))
        except (OSError, ValueError):
            return NOT_REACHED, {"code": "bank_not_reached"}


class Books:
    """What was printed: a line for each letter, written before anybody is told."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file, self._lock = folder / "letters.jsonl", Lock()

    def print_letter(self, token: str, letter: Mapping[str, Any]) -> None:
        """Print a letter."""
        line = json.dumps({"token": token, "parameters": letter["parameters"]})
        with self._lock, self._file.open("a") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def printed(self) -> list[dict[str, Any]]:
        """Return everything that was printed."""
        if not self._file.exists():
            return []
        return [json.loads(line) for line in self._file.read_text().splitlines()]

    def has(self, token: str) -> bool:
        """Tell whether a letter was printed under this token."""
        return any(each["token"] == token for each in self.printed())


class Server(ThreadingHTTPServer):
    """Serves one print house."""

    daemon_threads = True

    def __init__(self, port: int, bank: Bank, books: Books) -> None:
        super().__init__((HOST, port), Handler)
        self.bank, self.books = bank, books


class Handler(BaseHTTPRequestHandler):
    """Takes letters and shows the books."""

    server: Server
    server_version = "print-house-simulator/1"

    def log_message(self, *_words: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Show the books."""
        if self.path == "/simulator/books":
            self._answer(OK, {"printed": self.server.books.printed()})
        else:
            self._answer(404, {"code": "not_found"})

    def do_POST(self) -> None:
        """Take a letter: no token spent, nothing printed."""
        size = min(int(self.headers.get("Content-Length", "0")), BODY_BYTES_MAX)
        try:
            letter = json.loads(self.rfile.read(size))
        except ValueError:
            letter = None
        if self.path != "/v1/letters" or not isinstance(letter, dict):
            self._answer(400, {"code": "payload_refused"})
            return
        status, said = self.server.bank.redeem(letter)
        if status != OK:
            self._refused(status, said)
            return
        token = str(said["redeemed"])
        self.server.books.print_letter(token, letter)
        self.server.bank.tell(token, "done", "printed")
        self._answer(OK, {"printed": token})

    def _refused(self, status: int, said: Mapping[str, Any]) -> None:
        """Print nothing. A token that was spent here before may still lack its outcome."""
        token = str(said.get("decision", ""))
        if status == SPENT and said.get("outcome") is None and _ID.fullmatch(token):
            is_printed = self.server.books.has(token)
            ended = ("done", "printed") if is_printed else ("failed", "not_printed")
            self.server.bank.tell(token, *ended)
        self._answer(status, {"code": said.get("code", "refused")})

    def _answer(self, status: int, said: Mapping[str, object]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="A simulator of a print house.")
    parser.add_argument("--bank", required=True, help="the address of the bank")
    parser.add_argument("--entity", required=True)
    parser.add_argument("--storage", required=True, type=Path)
    parser.add_argument("--port", type=int, default=PORT)
    given = parser.parse_args()
    bank = Bank(given.bank.rstrip("/"), given.entity, os.environ[KEY])
    Server(given.port, bank, Books(given.storage)).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
