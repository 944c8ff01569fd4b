"""What a line of a feed means for open screens."""

from uuid import UUID

from interaction.channels.groups import News
from interaction.news import news_of_authority, news_of_customer, news_of_work

CONVERSATION, CUSTOMER, CASE = UUID(int=1), UUID(int=2), UUID(int=3)


def test_a_reply_reaches_the_conversation_the_customer_and_the_case() -> None:
    news = news_of_work(
        event_type="conversation.reply",
        subject=str(CONVERSATION),
        payload={"customer_id": str(CUSTOMER), "case_id": str(CASE), "text": "…"},
        entity="meridian-nl",
    )

    assert {(each.group, each.topic) for each in news} == {
        (f"conversation.{CONVERSATION.hex}", "conversation"),
        (f"customer.{CUSTOMER.hex}", "conversation"),
        (f"customer.{CUSTOMER.hex}", "payment"),
        (f"case.{CASE.hex}", "case"),
    }


def test_a_task_reaches_the_queue_of_its_role_in_its_own_entity_only() -> None:
    news = news_of_work(
        event_type="task.opened",
        subject="task-1",
        payload={"role": "operations", "case_id": str(CASE)},
        entity="meridian-be",
    )

    assert News("queue.meridian-be.operations", "task", "task-1") in news
    assert News(f"case.{CASE.hex}", "case", str(CASE)) in news
    assert len(news) == 2


def test_what_moves_a_case_reaches_its_page_and_the_running_work_of_operations() -> None:
    for event_type in ("case.changed", "instance.ended"):
        news = news_of_work(
            event_type=event_type,
            subject=f"case:{CASE}",
            payload={"case_id": str(CASE), "customer_id": None},
            entity="meridian-nl",
        )

        assert news == (
            News(f"case.{CASE.hex}", "case", str(CASE)),
            News("queue.meridian-nl.operations", "running", str(CASE)),
        )


def test_a_line_nobody_waits_for_is_no_news() -> None:
    assert (
        news_of_work(event_type="incident.opened", subject="x", payload={}, entity="meridian-nl")
        == ()
    )


def test_a_customers_change_always_touches_their_accounts() -> None:
    news = news_of_customer(customer_id=CUSTOMER, topics=("card",))

    assert [each.topic for each in news] == ["card", "account"]


def test_news_carries_ids_and_no_words() -> None:
    (news,) = news_of_authority(subject="record-1", entity="meridian-nl")

    assert dict(news.frame()) == {"type": "update", "topic": "decision", "id": "record-1"}
