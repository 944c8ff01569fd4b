"""A channel layer on PostgreSQL's LISTEN/NOTIFY: news for open screens, across processes.

Every process that holds open screens listens on one database channel and hands what it hears to
its own members of the group. A message too long for a notification travels as a row. Delivery
is at most once, as Channels promises: a screen that missed one asks again when it is told next.
"""

import asyncio
import base64
import contextlib
import secrets
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import msgpack
import psycopg
import structlog
from channels.layers import BaseChannelLayer
from django.conf import settings

from deploy.settings.database import conninfo

DATABASE_CHANNEL = "frontline_channels"
# PostgreSQL refuses a payload of 8000 bytes.
PAYLOAD_BYTES_MAX = 7999
LONG_MESSAGE_KEPT_SECONDS = 60
RECONNECT_SECONDS = 0.5
_ROW_MARK = "#"
_GROUP, _CHANNEL = "group", "channel"
Message = Mapping[str, Any]

logger = structlog.get_logger(__name__)


class ChannelNotOurs(ValueError):
    """Only channels made by `new_channel`, which belong to one process, can be sent to."""

    code = "channel_not_ours"
    is_retryable = False

    def __init__(self, channel: str) -> None:
        super().__init__(channel)
        self.channel = channel


@dataclass(slots=True)
class _Station:
    """What one event loop has open: its channels, their groups, and its ear on the database."""

    capacity: int
    queues: dict[str, asyncio.Queue[Message]] = field(default_factory=dict)
    groups: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    listening: asyncio.Event = field(default_factory=asyncio.Event)
    listener: asyncio.Task[None] | None = None

    def queue(self, channel: str) -> asyncio.Queue[Message]:
        return self.queues.setdefault(channel, asyncio.Queue(self.capacity))

    def deliver(self, kind: str, name: str, message: Message) -> None:
        members = self.groups.get(name, ()) if kind == _GROUP else (name,)
        for channel in tuple(members):
            if kind == _CHANNEL and channel not in self.queues:
                continue
            try:
                self.queue(channel).put_nowait(message)
            except asyncio.QueueFull:
                logger.warning("channel_full", capacity=self.capacity)


class PgNotifyChannelLayer(BaseChannelLayer):  # type: ignore[misc] # channels has no types
    """Groups and single-process channels over the database the bank runs on anyway."""

    extensions = ("groups",)

    def __init__(self, *, capacity: int = 1000, expiry: int = 60) -> None:
        super().__init__(expiry=expiry, capacity=capacity)
        self._prefix = secrets.token_hex(8)
        self._stations: WeakKeyDictionary[asyncio.AbstractEventLoop, _Station] = WeakKeyDictionary()
        self._sender: psycopg.Connection | None = None
        self._sending = threading.Lock()

    async def new_channel(self, prefix: str = "specific") -> str:
        """Return a new channel that only this process receives from."""
        channel = f"{prefix}.{self._prefix}!{secrets.token_hex(8)}"
        self._station().queue(channel)
        return channel

    async def send(self, channel: str, message: Message) -> None:
        """Send a message to one channel, wherever it is open.

        Raises:
            ChannelNotOurs: the channel was not made by `new_channel`.
        """
        if "!" not in channel:
            raise ChannelNotOurs(channel)
        await asyncio.to_thread(self._notify, _CHANNEL, channel, message)

    async def group_send(self, group: str, message: Message) -> None:
        """Send a message to every member of a group in every process."""
        self.require_valid_group_name(group)
        await asyncio.to_thread(self._notify, _GROUP, group, message)

    async def group_add(self, group: str, channel: str) -> None:
        """Let the channel hear what is sent to the group from now on."""
        self.require_valid_group_name(group)
        station = await self._listening_station()
        station.groups[group].add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        """Let the channel hear no more of the group."""
        groups = self._station().groups
        groups[group].discard(channel)
        if not groups[group]:
            del groups[group]

    async def receive(self, channel: str) -> Message:
        """Wait for the next message of the channel."""
        station = await self._listening_station()
        try:
            return await station.queue(channel).get()
        except asyncio.CancelledError:
            # The screen closed: nobody will ask for this channel again.
            station.queues.pop(channel, None)
            raise

    async def close(self) -> None:
        """Stop listening in this event loop."""
        station = self._stations.pop(asyncio.get_running_loop(), None)
        if station and station.listener:
            station.listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await station.listener
        await asyncio.to_thread(self._hang_up)

    def _station(self) -> _Station:
        loop = asyncio.get_running_loop()
        if loop not in self._stations:
            self._stations[loop] = _Station(self.capacity)
        return self._stations[loop]

    async def _listening_station(self) -> _Station:
        station = self._station()
        if station.listener is None or station.listener.done():
            station.listener = asyncio.create_task(_listen(station))
        await station.listening.wait()
        return station

    def _notify(self, kind: str, name: str, message: Message) -> None:
        body = msgpack.packb((kind, name, dict(message)))
        with self._sending:
            try:
                self._post(body)
            except psycopg.OperationalError:
                # The server ended our session, as after a restart: once more on a new one.
                self._sender = None
                self._post(body)

    def _post(self, body: bytes) -> None:
        connection = self._sender
        if connection is None or connection.closed:
            connection = self._sender = psycopg.connect(_address(), autocommit=True)
        payload = base64.b64encode(body).decode()
        if len(payload) > PAYLOAD_BYTES_MAX:
            payload = _ROW_MARK + str(_stored(connection, body))
        connection.execute("SELECT pg_notify(%s, %s)", [DATABASE_CHANNEL, payload])

    def _hang_up(self) -> None:
        with self._sending:
            if self._sender is not None:
                self._sender.close()
                self._sender = None


def _address() -> str:
    return conninfo(settings.DATABASES["default"])


def _stored(connection: psycopg.Connection, body: bytes) -> int:
    """Keep a long message for the listeners, drop those every listener has had time to read."""
    connection.execute(
        "DELETE FROM deploy_channel_message"
        " WHERE sent_at < clock_timestamp() - make_interval(secs => %s)",
        [LONG_MESSAGE_KEPT_SECONDS],
    )
    row = connection.execute(
        "INSERT INTO deploy_channel_message (body) VALUES (%s) RETURNING id", [body]
    ).fetchone()
    assert row is not None
    return int(row[0])


async def _listen(station: _Station) -> None:
    """Hear the database for as long as the loop runs, through restarts of the server."""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                _address(), autocommit=True
            ) as connection:
                await connection.execute(f"LISTEN {DATABASE_CHANNEL}")
                station.listening.set()
                async for notice in connection.notifies():
                    await _pass_on(station, notice.payload)
        except psycopg.OperationalError as error:
            logger.warning("channel_listener_reconnects", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)


async def _pass_on(station: _Station, payload: str) -> None:
    if payload.startswith(_ROW_MARK):
        body = await _fetched(int(payload[1:]))
    else:
        body = base64.b64decode(payload)
    if body is not None:
        station.deliver(*msgpack.unpackb(body))


async def _fetched(message_id: int) -> bytes | None:
    async with await psycopg.AsyncConnection.connect(_address(), autocommit=True) as connection:
        found = await connection.execute(
            "SELECT body FROM deploy_channel_message WHERE id = %s", [message_id]
        )
        row = await found.fetchone()
    return row[0] if row else None
