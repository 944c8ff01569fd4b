"""The line: one WebSocket per open page, over which news is told. An async edge."""

import json
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase

import orchestration.public
from interaction.channels.groups import case_group, console_group, customer_group, queue_group
from interaction.identity import COMPLIANCE, ENTITY_KEY, METHODS_KEY, SINCE_KEY, Person, person_of
from sentinel.public import legal_entity

NOBODY = 4401
FORBIDDEN = 4403


@database_sync_to_async  # type: ignore[untyped-decorator]  # Channels has no types
def signed_in(session: Mapping[str, Any]) -> Person | None:
    """Return who holds this session, looked up in their own legal entity."""
    return _holder(session)


@database_sync_to_async  # type: ignore[untyped-decorator]  # Channels has no types
def still_signed_in(session: SessionBase) -> Person | None:
    """Return who holds this session now: a line may be open longer than its person is signed in."""
    engine = import_module(settings.SESSION_ENGINE)
    return _holder(engine.SessionStore(session.session_key))


def _holder(session: Mapping[str, Any] | SessionBase) -> Person | None:
    if ENTITY_KEY not in session or SESSION_KEY not in session:
        return None
    with legal_entity(entity=session[ENTITY_KEY]):
        return person_of(
            user_id=UUID(session[SESSION_KEY]),
            since=session[SINCE_KEY],
            methods=session[METHODS_KEY],
        )


@database_sync_to_async  # type: ignore[untyped-decorator]  # Channels has no types
def may_open_case(person: Person, case_id: UUID) -> bool:
    """Return whether a case would open to a person, asked in their own legal entity."""
    with legal_entity(entity=person.principal.entity):
        return orchestration.public.may_open_case(case_id=case_id, principal=person.principal)


class NewsLine(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """Tells one page what changed; subclasses say which groups the person may hear."""

    person: Person

    def groups_of(self, person: Person) -> Iterable[str]:
        """Return the groups this person may hear; none means the page is not for them."""
        raise TypeError(type(self).__name__)

    async def connect(self) -> None:
        """Let the signed-in person in, and nobody else."""
        person = await signed_in(self.scope["session"])
        await self.accept()
        if person is None:
            await self.close(code=NOBODY)
            return
        heard = tuple(self.groups_of(person))
        if not heard:
            await self.close(code=FORBIDDEN)
            return
        self.person, self.groups = person, list(heard)
        for group in heard:
            await self.channel_layer.group_add(group, self.channel_name)
        await self.opened()

    async def opened(self) -> None:
        """Begin; the person is known and hears their groups."""

    async def update(self, message: Mapping[str, Any]) -> None:
        """Pass news on to the page."""
        await self.tell({"type": "update", "topic": message["topic"], "id": message["id"]})

    async def is_still_signed_in(self) -> bool:
        """Say whether the person is still signed in; the line of somebody who left is closed."""
        person = await still_signed_in(self.scope["session"])
        if person is None:
            await self.close(code=NOBODY)
            return False
        self.person = person
        return True

    async def tell(self, frame: Mapping[str, object]) -> None:
        """Send one frame to the page."""
        await self.send(text_data=json.dumps(frame, ensure_ascii=False))


class WorkspaceLine(NewsLine):
    """News for employees: the queues of their roles, and the case whose page is open."""

    def groups_of(self, person: Person) -> Iterable[str]:
        """Hear the queues of one's roles."""
        principal = person.principal
        if principal.kind != "employee":
            return
        for role in principal.roles:
            yield queue_group(principal.entity, role)

    async def opened(self) -> None:
        """Hear the case that the page shows as well, where the person may read it."""
        case_id = self.scope["url_route"]["kwargs"].get("case_id")
        if case_id is not None and await may_open_case(self.person, case_id):
            self.groups.append(case_group(case_id))
            await self.channel_layer.group_add(case_group(case_id), self.channel_name)


class ConsoleLine(NewsLine):
    """News for compliance officers: decisions and records as they come."""

    def groups_of(self, person: Person) -> Iterable[str]:
        """Hear one's own legal entity's console."""
        if COMPLIANCE in person.principal.roles:
            yield console_group(person.principal.entity)


class CustomerLine(NewsLine):
    """News for a customer: everything that concerns them."""

    def groups_of(self, person: Person) -> Iterable[str]:
        """Hear what concerns oneself."""
        if person.customer_id is not None:
            yield customer_group(person.customer_id)


_LINES = {"app": CustomerLine, "workspace": WorkspaceLine, "console": ConsoleLine}


def news_line(*, surface: str) -> Any:  # noqa: ANN401 - Channels gives its applications no type
    """Return the ASGI application of a surface's line: "app", "workspace" or "console"."""
    return _LINES[surface].as_asgi()
