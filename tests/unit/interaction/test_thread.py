"""A conversation as it is drawn."""

from datetime import UTC, datetime
from uuid import UUID

import orchestration.public
from interaction.conversation import TURNS_SHOWN, Said
from interaction.widgets.thread import case_slips, thread

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
CONVERSATION, CASE = UUID(int=100), UUID(int=200)


def _card(
    number: int, kind: str = "confirm_payment", state: str = "open", case_id: UUID | None = CASE
) -> orchestration.public.Card:
    return orchestration.public.Card(UUID(int=number), kind, state, None, {}, None, case_id)


def _said(number: int, *card_numbers: int) -> Said:
    return Said(
        id=UUID(int=1000 + number),
        position=number,
        author="assistant",
        text=f"turn {number}",
        attachments=(),
        suggestions=("More?",) if number == 2 else (),
        card_ids=tuple(UUID(int=each) for each in card_numbers),
        case_id=None,
        said_at=AT,
    )


def _drawn(turns: list[Said], cards: list[orchestration.public.Card]) -> list[list[int]]:
    drawn = thread(conversation_id=CONVERSATION, turns=turns, cards=cards)
    return [[slip.id.int for slip in entry.slips] for entry in drawn.entries]


def test_an_open_card_is_drawn_where_it_was_spoken_of_last() -> None:
    assert _drawn([_said(1, 7), _said(2, 7)], [_card(7)]) == [[], [7]]


def test_an_answered_card_stays_where_it_came_first() -> None:
    turns = [_said(1, 7), _said(2, 7, 8)]

    assert _drawn(turns, [_card(7, state="answered"), _card(8, "receipt", "done")]) == [[7], [8]]


def test_a_card_no_turn_speaks_of_stands_at_the_end() -> None:
    assert _drawn([_said(1)], [_card(7)]) == [[], [7]]


def test_in_a_long_conversation_answered_cards_of_hidden_turns_are_left_out() -> None:
    turns = [_said(number) for number in range(TURNS_SHOWN)]
    cards = [_card(7, state="answered"), _card(8)]

    assert _drawn(turns, cards)[-1] == [8]


def test_a_kind_nobody_can_draw_is_left_out() -> None:
    assert _drawn([_said(1, 7)], [_card(7, kind="fireworks")]) == [[]]


def test_the_latest_turn_says_what_could_be_said_next() -> None:
    drawn = thread(conversation_id=CONVERSATION, turns=[_said(1), _said(2)], cards=[])

    assert drawn.suggestions == ("More?",)


def test_an_expired_card_cannot_be_answered() -> None:
    drawn = thread(
        conversation_id=CONVERSATION, turns=[_said(1, 7)], cards=[_card(7, state="expired")]
    )

    (slip,) = drawn.entries[0].slips
    assert (slip.is_open, slip.template) == (False, "interaction/cards/confirm_payment.html")


def test_a_payment_page_shows_the_cards_of_one_case() -> None:
    cards = [_card(1), _card(2, "step_up"), _card(3, case_id=UUID(int=9)), _card(4, case_id=None)]

    assert [slip.id.int for slip in case_slips(cards, card_id=UUID(int=2))] == [1, 2]
    assert [slip.id.int for slip in case_slips(cards, card_id=UUID(int=4))] == [4]
    assert case_slips(cards, card_id=UUID(int=77)) == ()
