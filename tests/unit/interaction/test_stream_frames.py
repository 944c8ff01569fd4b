"""What arrives on the customer's WebSocket, and who may open one."""

import json

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator

from apps.customer.stream import FRAME_BYTES_MAX, _frame
from interaction.channels.line import NOBODY
from interaction.public import news_line


def test_a_message_is_its_id_and_its_text() -> None:
    sent = json.dumps({"type": "message", "sent_id": "0b9f7c1e", "text": "hello"})

    assert _frame(sent) == ("0b9f7c1e", "hello")


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "not json",
        "[]",
        '{"type": "update"}',
        '{"type": "message"}',
        '{"type": "message", "sent_id": 7, "text": "x"}',
        '{"type": "message", "sent_id": "x", "text": ["x"]}',
    ],
)
def test_what_is_no_message_is_ignored(sent: str | None) -> None:
    assert _frame(sent) is None


def test_a_megabyte_is_not_even_read() -> None:
    text = "x" * 1_048_576
    sent = json.dumps(
        {"type": "message", "sent_id": "0b9f7c1e", "text": text}, separators=(",", ":")
    )

    assert len(sent) > FRAME_BYTES_MAX
    assert _frame(sent) == ("0b9f7c1e", None)


@pytest.mark.parametrize("surface", ["app", "workspace", "console"])
def test_nobody_hears_news_without_signing_in(surface: str) -> None:
    async def knock() -> list[dict[str, object]]:
        scope = {"type": "websocket", "path": f"/ws/{surface}/", "session": {}}
        visitor = ApplicationCommunicator(news_line(surface=surface), scope)
        await visitor.send_input({"type": "websocket.connect"})
        said = [await visitor.receive_output() for _ in range(2)]
        visitor.stop()
        return said

    accepted, closed = async_to_sync(knock)()

    assert accepted["type"] == "websocket.accept"
    assert (closed["type"], closed["code"]) == ("websocket.close", NOBODY)
