"""The card processor: another company's system, reached over HTTP, with books of its own.

It takes the decision token's id as the idempotency key, so that the same call sent twice is done
once, and says afterwards what became of it. What is not plainly understood is `unknown`.
"""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from grand_central.connectors.contract import (
    NOT_CONFIGURED,
    Answer,
    Call,
    Capability,
    Manifest,
    Said,
    StatementUnavailable,
)
from grand_central.operations.cards import ReleaseCard, StopCard
from grand_central.operations.catalogue import CARD_PROCESSOR

SYSTEM = "card-processor"
ANSWER_BYTES_MAX = 64 * 1024
CODE_LENGTH_MAX = 60
WAIT_SECONDS_MAX = 86_400
_CHUNK = 8192
_SAYS: Mapping[str, Said] = {
    "done": "done",
    "refused": "refused",
    "not_executed": "not_executed",
    "in_progress": "in_progress",
    "not_found": "not_found",
}


class CardProcessor:
    """Stops cards and lets them go again, at the company that answers for them at every till."""

    manifest = Manifest(
        name=SYSTEM,
        audience=CARD_PROCESSOR,
        kind="cards",
        system="Card processor",
        version="1",
        is_simulator=False,
        capabilities=(
            Capability("cards.stop", "write", "native", reversed_by="cards.release"),
            Capability("cards.release", "write", "native"),
        ),
        exercised_against="the bundled card processor simulator, over HTTP",
    )

    @property
    def deadline_seconds(self) -> float:
        """How long one exchange may take."""
        return float(settings.CARD_PROCESSOR_DEADLINE_SECONDS)

    @property
    def valid_seconds(self) -> int:
        """How long the processor may take a request."""
        return int(settings.CARD_PROCESSOR_VALID_SECONDS)

    @property
    def finality_seconds(self) -> float:
        """How long after a request lost its validity "not found" is final."""
        return float(settings.CARD_PROCESSOR_FINALITY_SECONDS)

    def send(self, call: Call, valid_until: datetime) -> Answer:
        """Send a call; what is lost on the way back is `unknown`."""
        card_id, verb, reason = _order(call)
        headers = {
            "Idempotency-Key": str(call.token),
            "Valid-Until": valid_until.isoformat(),
            "Content-Type": "application/json",
        }
        body = json.dumps({"reason": reason}).encode()
        path = f"/v1/cards/{card_id}/{verb}"
        seconds = self.deadline_seconds
        if call.seconds_left is not None:
            seconds = min(seconds, call.seconds_left)
        return _exchange("POST", path, headers, body, call.token, seconds)

    def ask(self, token: UUID) -> Answer:
        """Ask what became of a call."""
        answer = _exchange("GET", f"/v1/operations/{token}", {}, b"", token, self.deadline_seconds)
        # A question that did not arrive says nothing about the call.
        if answer.said == "not_executed":
            return Answer("unknown", answer.code, retry_after_seconds=answer.retry_after_seconds)
        return answer

    def stated(self) -> frozenset[UUID]:
        """Return the token of everything the processor did."""
        found = set[UUID]()
        after, is_more = 0, True
        while is_more:
            lines, is_more = _statement(after, self.deadline_seconds)
            found |= {token for _, token in lines}
            after = max((position for position, _ in lines), default=after)
        return frozenset(found)


def _statement(after: int, seconds: float) -> tuple[list[tuple[int, UUID]], bool]:
    """Return a page of the processor's statement, and whether another one follows."""
    give_up_at = time.monotonic() + seconds
    connection = _connection(seconds)
    if connection is None:
        raise StatementUnavailable(SYSTEM, NOT_CONFIGURED)
    path = f"/v1/statement?after={after}"
    try:
        connection.request("GET", path, headers=_authorization())
        response = connection.getresponse()
        said = _object(response, _body(connection, response, give_up_at))
        lines = [(int(line["position"]), UUID(line["token"])) for line in said["done"]]
        is_more = bool(said["is_more"])
    except (OSError, HTTPException) as error:
        raise StatementUnavailable(SYSTEM, type(error).__name__) from error
    except (KeyError, TypeError, ValueError) as error:
        raise StatementUnavailable(SYSTEM, "not_understood") from error
    finally:
        connection.close()
    if is_more and not any(position > after for position, _ in lines):
        # A page that leads nowhere would be asked for again and again.
        raise StatementUnavailable(SYSTEM, "not_understood")
    return lines, is_more


def _exchange(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    token: UUID,
    seconds: float,
) -> Answer:
    give_up_at = time.monotonic() + seconds
    connection = _connection(seconds)
    if connection is None:
        return Answer("not_executed", NOT_CONFIGURED)
    try:
        connection.connect()
    except OSError:
        # Nothing was sent, so nothing can have been done.
        return Answer("not_executed", "unreachable")
    try:
        connection.request(method, path, body=body, headers={**headers, **_authorization()})
        response = connection.getresponse()
        return _understood(response, _body(connection, response, give_up_at), token)
    except TimeoutError:
        return Answer("unknown", "no_answer_in_time")
    except (OSError, HTTPException):
        return Answer("unknown", "answer_lost")
    finally:
        connection.close()


def _order(call: Call) -> tuple[UUID, str, str]:
    parameters = call.parameters
    if isinstance(parameters, StopCard):
        return parameters.card_id, "stop", parameters.reason
    assert isinstance(parameters, ReleaseCard)
    return parameters.card_id, "release", parameters.reason


def _connection(seconds: float) -> HTTPConnection | None:
    address = urlsplit(settings.CARD_PROCESSOR_URL)
    if not address.hostname:
        return None
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    return kind(address.hostname, address.port, timeout=seconds)


def _authorization() -> dict[str, str]:
    return {"Authorization": f"Bearer {settings.CARD_PROCESSOR_KEY}"}


def _body(connection: HTTPConnection, response: HTTPResponse, give_up_at: float) -> bytes:
    """Read an answer of bounded size in bounded time, however slowly it drips."""
    found = b""
    while len(found) <= ANSWER_BYTES_MAX:
        left = give_up_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(left)
        chunk = response.read1(_CHUNK)
        if not chunk:
            break
        found += chunk
    return found


def _understood(response: HTTPResponse, body: bytes, token: UUID) -> Answer:
    """Return what the processor said, if it was the processor and it spoke of this call."""
    said = _object(response, body)
    status = _SAYS.get(str(said.get("status")))
    if status is None or said.get("token") != str(token):
        return Answer("unknown", f"not_understood_{response.status}")
    code, reference = said.get("code"), said.get("reference")
    wait = said.get("retry_after_seconds")
    return Answer(
        status,
        _word(code) or status,
        _word(reference),
        _seconds(wait),
    )


def _seconds(value: object) -> float | None:
    """Return a time to wait, if it is one that somebody could mean."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= WAIT_SECONDS_MAX else None


def _object(response: HTTPResponse, body: bytes) -> Mapping[str, Any]:
    is_json = response.headers.get_content_type() == "application/json"
    if not is_json or len(body) > ANSWER_BYTES_MAX:
        return {}
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _word(value: object) -> str:
    """Return a code or reference; whatever else an outside system sends is no word of ours."""
    is_word = isinstance(value, str) and value.replace("_", "").replace("-", "").isalnum()
    return str(value)[:CODE_LENGTH_MAX] if is_word and str(value).isascii() else ""
