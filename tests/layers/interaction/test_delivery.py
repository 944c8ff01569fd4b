"""Delivery: every line once, turns once, and again after a crash."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from interaction.channels.groups import News
from interaction.conversation import NewTurn, conversation, open_conversation
from interaction.delivery import Line, deliver
from interaction.models import DeliveryCursor
from sentinel.vocabulary import Principal

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
ANNA = Principal(f"customer:{UUID(int=1)}", "customer", "p", "meridian-nl", ("customer",))
NEWS = News("customer.1", "payment", "1")

pytestmark = pytest.mark.django_db


class LineDown(ConnectionError):
    """The channel layer cannot be reached."""


class Feed:
    """A feed at the edge of the test."""

    def __init__(self, *lines: Line) -> None:
        self.lines = lines

    def read(self, cursor: str) -> Sequence[Line]:
        known = [each.cursor for each in self.lines]
        return self.lines[known.index(cursor) + 1 if cursor else 0 :]


def _spoken(cursor: str, conversation_id: UUID) -> Line:
    turn = NewTurn("assistant", "Your payment was approved.", AT, f"event:{cursor}")
    return Line(cursor, (NEWS,), conversation_id, turn)


def test_lines_are_delivered_once_and_repeated_news_is_told_once(entity: str) -> None:
    sent: list[Sequence[News]] = []
    feed = Feed(Line("1", (NEWS,)), Line("2", (NEWS,)))

    counts = [deliver(feed="work", read=feed.read, send=sent.append) for _ in range(2)]

    assert counts == [2, 0]
    assert sent == [(NEWS,)]
    assert DeliveryCursor.objects.get(feed="work").cursor == "2"


def test_a_crash_before_the_cursor_moves_tells_the_news_again_and_says_nothing_twice(
    entity: str,
) -> None:
    here = open_conversation(principal=ANNA, at=AT)
    feed = Feed(_spoken("1", here))
    sent: list[Sequence[News]] = []

    def fail(_news: Sequence[News]) -> None:
        raise LineDown

    with pytest.raises(LineDown):
        deliver(feed="work", read=feed.read, send=fail)
    deliver(feed="work", read=feed.read, send=sent.append)

    assert sent == [(NEWS,)]
    turns = conversation(principal=ANNA, conversation_id=here)
    assert [turn.text for turn in turns] == ["Your payment was approved."]


def test_feeds_have_cursors_of_their_own(entity: str) -> None:
    deliver(feed="one", read=Feed(Line("1", ())).read, send=lambda _news: None)

    assert deliver(feed="two", read=Feed(Line("1", ())).read, send=lambda _news: None) == 1


def test_a_reply_to_a_conversation_nobody_has_is_passed_over(entity: str) -> None:
    feed = Feed(_spoken("1", UUID(int=99)), Line("2", (NEWS,)))

    assert deliver(feed="work", read=feed.read, send=lambda _news: None) == 2
