"""A simulator of a card processor: an HTTP server with its own books, sharing nothing with ours.

    python -m deploy.simulators.card_processor --storage FOLDER [--port PORT]

It can be told to misbehave: `POST /simulator/faults {"fault": NAME, "times": N}`. It says so in
every answer (`Server: card-processor-simulator`).
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deploy.simulators.card_books import Books, Operation

HOST = "127.0.0.1"
PORT = 8471
BODY_BYTES_MAX = 64 * 1024
SLOW_SECONDS = 30.0
_ORDER = re.compile(r"/v1/cards/([0-9a-f-]{36})/(stop|release)")
_STATEMENT = re.compile(r"/v1/statement\?after=(\d{1,15})")
_QUESTION = re.compile(r"/v1/operations/([0-9a-f-]{36})")
_STATUS = {"done": 200, "refused": 422, "in_progress": 409, "not_executed": 503}
# What it can be told to do wrong, for a number of orders.
FAULTS = ("lose_before", "lose_after", "slow", "refuse", "html", "busy", "later", "answer_slowly")


class Server(ThreadingHTTPServer):
    """Serves one set of books; `slow_seconds` is how long a slow answer takes."""

    daemon_threads = True

    def __init__(self, port: int, books: Books, key: str, slow_seconds: float) -> None:
        super().__init__((HOST, port), Handler)
        self.books, self.key, self.slow_seconds = books, key, slow_seconds


class Handler(BaseHTTPRequestHandler):
    """Answers orders, questions about orders, and whoever sets faults."""

    server: Server
    server_version = "card-processor-simulator/1"
    protocol_version = "HTTP/1.1"

    def log_message(self, *_words: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Take an order, or a fault to make."""
        size = int(self.headers.get("Content-Length", "0"))
        body = self._object(self.rfile.read(min(size, BODY_BYTES_MAX)))
        if not self._is_known():
            return
        if self.path == "/simulator/faults":
            self.server.books.set_fault(str(body.get("fault")), int(str(body.get("times", 1))))
            self._answer(200, {"set": body.get("fault")})
            return
        found = _ORDER.fullmatch(self.path)
        if found is None:
            self._answer(404, {"status": "unknown_path"})
            return
        self._order(found[1], found[2], body)

    def do_GET(self) -> None:
        """Say what became of an order, or show the books."""
        if not self._is_known():
            return
        if self.path == "/simulator/books":
            self._answer(200, self.server.books.shown())
            return
        page = _STATEMENT.fullmatch(self.path)
        if page is not None:
            self._answer(200, self.server.books.statement(int(page[1])))
            return
        found = _QUESTION.fullmatch(self.path)
        if found is None:
            self._answer(404, {"status": "unknown_path"})
            return
        operation = self.server.books.operation(found[1])
        if operation is None:
            self._answer(404, {"status": "not_found", "token": found[1]})
            return
        self._answer(200, operation.shown())

    def _order(self, card_id: str, verb: str, body: Mapping[str, object]) -> None:
        token = self.headers.get("Idempotency-Key", "")
        if self._is_late():
            self._not_executed(token, "too_late")
            return
        fault = self.server.books.take_fault(token)
        if self._is_lost_before(fault, token):
            return
        done = self._carried_out(token, card_id, verb, str(body.get("reason", "")), fault)
        if fault == "lose_after":
            self.close_connection = True
            return
        if fault == "answer_slowly":
            time.sleep(self.server.slow_seconds)
        self._answer(_STATUS[done.status], done.shown())

    def _is_lost_before(self, fault: str, token: str) -> bool:
        """Make the faults that come before anything is done; tell whether that was all."""
        if fault == "lose_before":
            self.close_connection = True
        elif fault == "html":
            self._write(200, b"<html><body>Maintenance</body></html>", "text/html")
        elif fault == "busy":
            self._not_executed(token, "busy")
        elif fault == "slow":
            time.sleep(self.server.slow_seconds)
            if not self._is_late():
                return False
            self._not_executed(token, "too_late")
        else:
            return False
        return True

    def _not_executed(self, token: str, code: str) -> None:
        self._answer(503, {"status": "not_executed", "token": token, "code": code})

    def _carried_out(
        self, token: str, card_id: str, verb: str, reason: str, fault: str
    ) -> Operation:
        return self.server.books.carry_out(
            token=token,
            order=f"{verb}|{card_id}|{reason}",
            card_id=card_id,
            verb=verb,
            is_refused=fault == "refuse",
            is_later=fault == "later",
        )

    def _is_late(self) -> bool:
        """Refuse what has lost its validity, so that what was not found stays undone."""
        until = self.headers.get("Valid-Until")
        return until is not None and datetime.now(UTC) > datetime.fromisoformat(until)

    def _is_known(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {self.server.key}":
            return True
        self._answer(401, {"status": "not_authorised"})
        return False

    def _answer(self, status: int, said: Mapping[str, object]) -> None:
        self._write(status, json.dumps(said).encode(), "application/json")

    def _write(self, status: int, body: bytes, kind: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            # Whoever asked has gone; what was done stays done.
            self.close_connection = True

    @staticmethod
    def _object(body: bytes) -> Mapping[str, object]:
        try:
            said = json.loads(body or b"{}")
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}


def main(arguments: list[str]) -> None:
    """Serve until the process is ended; the first line says where."""
    parser = argparse.ArgumentParser(prog="card_processor")
    parser.add_argument("--storage", type=Path, required=True)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--slow-seconds", type=float, default=SLOW_SECONDS)
    options = parser.parse_args(arguments)
    options.storage.mkdir(parents=True, exist_ok=True)
    books = Books(options.storage / "card-processor.sqlite3")
    key = os.environ.get("CARD_PROCESSOR_KEY", "")
    server = Server(options.port, books, key, options.slow_seconds)
    sys.stdout.write(f"card processor simulator at http://{HOST}:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
