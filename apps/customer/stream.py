"""The customer's WebSocket: news in, and messages answered as they are thought of."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

import structlog
from channels.db import database_sync_to_async
from django.utils import timezone

import interaction.public

FRAME_SECONDS = 0.05
# A message of 4,000 characters fits many times; anything larger is not read as JSON at all.
FRAME_BYTES_MAX = 64 * 1024
TOO_LONG = "That message is too long. Nothing was done. Please say it shorter, or attach a PDF."
FAILED = "Something went wrong on our side; look at the cards above for what was done. Reference"

log = structlog.get_logger(__name__)


class CustomerStream(interaction.public.CustomerLine):
    """One open page of a customer: takes messages one by one and streams each answer."""

    async def opened(self) -> None:
        """Begin with nothing being answered."""
        self._turn = asyncio.Lock()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take one frame from the page; what is not a message of ours is ignored."""
        frame = _frame(text_data)
        if frame is None:
            return
        sent_id, text = frame
        if text is None:
            await self.tell({"type": "refused", "sent_id": sent_id, "text": TOO_LONG})
            return
        async with self._turn:
            if await self.is_still_signed_in():
                await self._answer(sent_id, text)

    async def _answer(self, sent_id: str, text: str) -> None:
        tokens: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def on_token(token: str) -> None:
            loop.call_soon_threadsafe(tokens.put_nowait, token)

        pump = asyncio.create_task(self._pump(sent_id, tokens))
        try:
            words, kind = await self._ask(sent_id, text, on_token)
        finally:
            # What was thought of last is still told before the answer is complete.
            await asyncio.sleep(0)
            pump.cancel()
            with suppress(asyncio.CancelledError):
                await pump
        await self._flush(sent_id, tokens)
        await self.tell({"type": kind, "sent_id": sent_id, "text": words})

    async def _ask(
        self, sent_id: str, text: str, on_token: Callable[[str], None]
    ) -> tuple[str, str]:
        try:
            return await self._receive(sent_id, text, on_token), "replied"
        except interaction.public.MessageRefused as refusal:
            return refusal.words, "refused"
        except Exception:
            reference = uuid4().hex[:12]
            log.exception("message_failed", reference=reference)
            return f"{FAILED} {reference}.", "refused"

    @database_sync_to_async  # type: ignore[untyped-decorator]  # Channels has no types
    def _receive(self, sent_id: str, text: str, on_token: Callable[[str], None]) -> str:
        principal = self.person.principal
        with interaction.public.legal_entity(entity=principal.entity):
            exchange = interaction.public.receive_message(
                principal=principal,
                text=text,
                uploads=(),
                sent_id=sent_id,
                at=timezone.localtime(),
                on_token=on_token,
            )
        return exchange.reply.text if exchange.reply else ""

    async def _pump(self, sent_id: str, tokens: "asyncio.Queue[str]") -> None:
        """Tell what has been thought of so far, at most twenty times a second."""
        while True:
            first = await tokens.get()
            await self._tell_tokens(sent_id, first + _drained(tokens))
            await asyncio.sleep(FRAME_SECONDS)

    async def _flush(self, sent_id: str, tokens: "asyncio.Queue[str]") -> None:
        rest = _drained(tokens)
        if rest:
            await self._tell_tokens(sent_id, rest)

    async def _tell_tokens(self, sent_id: str, text: str) -> None:
        await self.tell({"type": "token", "sent_id": sent_id, "text": text})


def _drained(tokens: "asyncio.Queue[str]") -> str:
    parts = []
    while not tokens.empty():
        parts.append(tokens.get_nowait())
    return "".join(parts)


def _frame(text_data: str | None) -> tuple[str, str | None] | None:
    """Return a message's id and text; text is None where it is too long to be read."""
    if text_data is None:
        return None
    if len(text_data) > FRAME_BYTES_MAX:
        # The id stands near the start; the rest is not parsed.
        _, found, rest = text_data[:200].partition('"sent_id":"')
        return (rest.partition('"')[0], None) if found else None
    try:
        frame = json.loads(text_data)
    except ValueError:
        return None
    if not isinstance(frame, dict) or frame.get("type") != "message":
        return None
    sent_id, text = frame.get("sent_id"), frame.get("text")
    return (sent_id, text) if isinstance(sent_id, str) and isinstance(text, str) else None
