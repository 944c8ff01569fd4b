"""Delivery: what the layers below wrote into their feeds reaches the screens that are open.

Each feed is read behind a stored cursor. First the turns a line brings are stored (once, by the
cursor as their id), then the news goes out, and only then does the cursor move on: a crash in
between says the news twice, and a screen that asks twice shows the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

import nexus.public
import orchestration.public
import sentinel.public
from interaction.channels.groups import News
from interaction.conversation import NewTurn, say
from interaction.models import ASSISTANT, DeliveryCursor
from interaction.news import news_of_authority, news_of_customer, news_of_work

LINES_MAX = 500
SPOKEN = "conversation.reply"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a feed: its cursor, the news in it, and what the bank says with it."""

    cursor: str
    news: tuple[News, ...]
    conversation_id: UUID | None = None
    turn: NewTurn | None = None


Read = Callable[[str], Sequence[Line]]
Send = Callable[[Sequence[News]], None]


def run_delivery_once() -> int:
    """Deliver what is new in every feed of every legal entity; return how many lines that was."""
    delivered = 0
    for each in sentinel.public.legal_entities():
        with sentinel.public.legal_entity(entity=each.entity):
            for feed, read in FEEDS.items():
                delivered += deliver(feed=feed, read=read, send=send_news)
    return delivered


def deliver(*, feed: str, read: Read, send: Send) -> int:
    """Deliver the lines of one feed behind its cursor, and move the cursor on."""
    known, _ = DeliveryCursor.objects.get_or_create(feed=feed)
    lines = read(known.cursor)
    if not lines:
        return 0
    for line in lines:
        if line.turn is not None and line.conversation_id is not None:
            say(conversation_id=line.conversation_id, turn=line.turn)
    send(tuple(dict.fromkeys(news for line in lines for news in line.news)))
    # Another deliverer may have been faster; the one that finds the old cursor moves it.
    DeliveryCursor.objects.filter(feed=feed, cursor=known.cursor).update(cursor=lines[-1].cursor)
    return len(lines)


def send_news(news: Sequence[News]) -> None:
    """Send news to the screens that wait for it."""
    layer = get_channel_layer()
    assert layer is not None, "settings.CHANNEL_LAYERS names a layer"
    for each in news:
        async_to_sync(layer.group_send)(each.group, dict(each.frame()))


def _work_lines(cursor: str) -> tuple[Line, ...]:
    entity = sentinel.public.current_entity()
    events = orchestration.public.events_after(cursor=cursor, limit=LINES_MAX)
    return tuple(_work_line(event, entity) for event in events)


def _work_line(event: orchestration.public.Event, entity: str) -> Line:
    news = news_of_work(
        event_type=event.type, subject=event.subject, payload=event.payload, entity=entity
    )
    words = _spoken(event.payload) if event.type == SPOKEN else ""
    if not words:
        return Line(event.cursor, news)
    turn = NewTurn(
        author=ASSISTANT,
        text=words,
        at=event.occurred_at,
        sent_id=f"event:{event.cursor}",
        card_ids=_ids(event.payload, "card_ids"),
        case_id=_id(event.payload, "case_id"),
        reached=str(event.payload.get("position") or ""),
    )
    return Line(event.cursor, news, conversation_id=UUID(event.subject), turn=turn)


def _spoken(payload: Mapping[str, object]) -> str:
    """Return what was said: kept sealed, and empty once its customer is forgotten."""
    named = _id(payload, "spoken_id")
    return orchestration.public.spoken_words(spoken_id=named) if named else ""


def _customer_lines(cursor: str) -> tuple[Line, ...]:
    changes = nexus.public.events_after(cursor=cursor, limit=LINES_MAX)
    return tuple(
        Line(
            change.position,
            news_of_customer(customer_id=change.customer_id, topics=change.topics),
        )
        for change in changes
    )


def _authority_lines(cursor: str) -> tuple[Line, ...]:
    entity = sentinel.public.current_entity()
    events = sentinel.public.events_after(cursor=cursor, limit=LINES_MAX)
    return tuple(
        Line(event.position, news_of_authority(subject=str(event.record.id), entity=entity))
        for event in events
    )


def _id(payload: Mapping[str, object], name: str) -> UUID | None:
    value = payload.get(name)
    return UUID(str(value)) if value else None


def _ids(payload: Mapping[str, object], name: str) -> tuple[UUID, ...]:
    listed = payload.get(name)
    return tuple(UUID(str(each)) for each in listed) if isinstance(listed, list) else ()


FEEDS: Mapping[str, Read] = {
    "orchestration": _work_lines,
    "nexus": _customer_lines,
    "sentinel": _authority_lines,
}
