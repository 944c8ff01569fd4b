"""What the card processor says: understood, or unknown; nothing it sends breaks who asks."""

from email.message import Message
from http.client import HTTPResponse
from uuid import uuid4

import pytest

from grand_central.connectors import card_processor

TOKEN = uuid4()


class Silent:
    """A socket that an answer was read from already."""

    def makefile(self, _mode):
        return self


def understood(body):
    response = HTTPResponse(Silent())
    response.status, response.headers = 200, Message()
    response.headers["Content-Type"] = "application/json"
    return card_processor._understood(response, body, TOKEN)


@pytest.mark.parametrize(
    "body", [b"[" * 60_000, b'{"status": "done"}', b'{"status": "done", "token": "x"}', b"\xff"]
)
def test_what_is_not_plainly_of_this_call_is_unknown(body):
    assert understood(body).said == "unknown"


@pytest.mark.parametrize("wait", ["1" + "0" * 400, "NaN", "Infinity", "-1", "true", '"soon"'])
def test_a_wait_that_nobody_can_mean_is_none(wait):
    said = f'{{"status": "in_progress", "token": "{TOKEN}", "retry_after_seconds": {wait}}}'

    assert understood(said.encode()).retry_after_seconds is None


def test_a_wait_is_kept():
    said = f'{{"status": "in_progress", "token": "{TOKEN}", "retry_after_seconds": 5}}'

    assert understood(said.encode()).retry_after_seconds == 5.0
