"""Several requests in one message: shown as one plan, confirmed once, done step by step."""

import pytest

import orchestration.public
from orchestration.planning import rows, running
from tests.authority import count

SAID = "block my card, pay Hendriks Vastgoed 250 euro and tell me my balance"


def plan_card(chat):
    (card,) = chat.cards("plan")
    return card


def states(chat):
    return [step["state"] for step in plan_card(chat).details["steps"]]


def labels(chat):
    return [step["label"] for step in plan_card(chat).details["steps"]]


def open_card(chat, kind):
    return next(card for card in chat.cards(kind) if card.state == "open")


def first_card(card):
    return card.details["options"][0]["value"]


def pay(bank, chat):
    """Confirm the payment that is shown, with the code."""
    chat.answers(open_card(chat, "confirm_payment"), answer="confirm")
    waiting = [card for card in chat.cards("step_up") if card.state == "open"]
    if waiting:
        chat.answers(waiting[0], answer="code", code=chat.code())
    bank.know()


def test_several_requests_are_shown_as_one_plan_and_nothing_is_begun(bank):
    chat = bank.chat()
    before = (count("sentinel_decision"), count("sentinel_record"), bank.transfers())

    reply = chat.says(SAID)

    assert reply.text.startswith("These are 3 steps.")
    assert labels(chat) == [
        "Block a card",
        "Pay Hendriks Vastgoed B.V. EUR 250.00",
        "Look at your balance",
    ]
    assert states(chat) == ["waiting"] * 3
    assert count("orch_instance") == 0
    # Sentinel was asked and decided nothing.
    assert (count("sentinel_decision"), count("sentinel_record"), bank.transfers()) == before


def test_a_confirmed_plan_runs_each_step_through_its_own_flow(bank):
    chat, before = bank.chat(), bank.balance()
    chat.says(SAID)

    reply = chat.answers(plan_card(chat), answer="confirm")
    assert "Step 1: Block a card." in reply.text
    assert states(chat) == ["asking", "waiting", "waiting"]
    choice = open_card(chat, "choice")
    chat.answers(choice, answer="choose", value=first_card(choice))
    assert states(chat)[1] == "running"
    pay(bank, chat)

    assert states(chat)[1:] == ["done", "done"]
    assert bank.balance() == before - 25_000
    assert len(chat.cards("balance")) == 1
    assert states(chat)[0] in {"running", "done"}


def test_repeating_the_confirmation_begins_nothing_twice(bank):
    chat = bank.chat()
    chat.says("pay Hendriks Vastgoed 250 euro and tell me my balance")
    first = chat.answers(plan_card(chat), answer="confirm")
    begun = count("orch_instance")

    again = chat.answers(plan_card(chat), answer="confirm")

    assert begun == count("orch_instance") == 1
    assert again.text.startswith(first.text.split(" Step")[0])


def test_a_step_taken_out_is_not_done(bank):
    chat = bank.chat()
    chat.says(SAID)

    reply = chat.answers(plan_card(chat), answer="remove", value="pay-2")

    assert reply.text == "Taken out: Pay Hendriks Vastgoed B.V. EUR 250.00."
    assert plan_card(chat).state == "open"
    assert states(chat) == ["waiting", "removed", "waiting"]
    chat.answers(plan_card(chat), answer="remove", value="card_block-1")
    reply = chat.answers(plan_card(chat), answer="confirm")
    assert states(chat) == ["removed", "removed", "done"]
    assert "That was the last step: 1 of 3 done." in reply.text
    assert plan_card(chat).state == "done"
    assert count("orch_instance") == 0


@pytest.mark.parametrize("step", ["nobody", ""])
def test_what_is_no_step_cannot_be_taken_out(bank, step):
    chat = bank.chat()
    chat.says(SAID)

    with pytest.raises(orchestration.public.CardAnswerRefused):
        chat.answers(plan_card(chat), answer="remove", value=step)

    assert states(chat) == ["waiting"] * 3


def test_a_cancelled_plan_does_nothing(bank):
    chat = bank.chat()
    chat.says(SAID)

    reply = chat.answers(plan_card(chat), answer="cancel")

    assert reply.text == "Nothing of it was done."
    assert plan_card(chat).state == "cancelled"
    assert count("orch_instance") == 0
    again = chat.answers(plan_card(chat), answer="confirm")
    assert again.text == reply.text
    assert count("orch_instance") == 0


def test_a_refused_step_stops_what_waits_for_it_and_nothing_else(bank):
    chat = bank.chat()
    chat.says("pay Hendriks Vastgoed 250 euro and then block my card, and tell me my balance")
    chat.answers(plan_card(chat), answer="confirm")

    reply = chat.answers(open_card(chat, "confirm_payment"), answer="cancel")

    assert states(chat) == ["cancelled", "stopped", "done"]
    assert "because what it needs was not done" in reply.text
    assert "1 of 3 done" in reply.text
    assert len(chat.cards("choice")) == 0


def test_a_plan_is_confirmed_or_refused_in_words(bank):
    chat, other = bank.chat(), bank.chat()
    chat.says("pay Hendriks Vastgoed 250 euro and tell me my balance")
    other.says("pay Hendriks Vastgoed 250 euro and tell me my balance")

    chat.says("yes")
    reply = other.says("cancel")

    assert states(chat) == ["running", "waiting"]
    assert reply.text.startswith("Nothing of it was done.")
    assert plan_card(other).state == "cancelled"
    assert count("orch_instance") == 1


def test_a_plan_under_way_is_stopped_in_words(bank):
    chat = bank.chat()
    chat.says("block my card, pay Hendriks Vastgoed 250 euro and tell me my balance")
    chat.answers(plan_card(chat), answer="confirm")
    assert states(chat) == ["asking", "waiting", "waiting"]

    reply = chat.says("stop")

    assert reply.text.startswith("I stop here.")
    assert states(chat) == ["cancelled"] * 3
    assert plan_card(chat).state == "done"
    assert count("orch_instance") == 0


def test_a_second_plan_waits_until_the_first_is_over_and_can_be_confirmed_then(bank):
    chat = bank.chat()
    chat.says("pay Hendriks Vastgoed 250 euro and tell me my balance")
    chat.answers(plan_card(chat), answer="confirm")
    chat.answers(open_card(chat, "confirm_payment"), answer="confirm")
    chat.says("show me my balance and block my card")
    second = chat.cards("plan")[-1]

    busy = chat.answers(second, answer="confirm")

    assert "still under way" in busy.text
    assert chat.cards("plan")[-1].state == "open"
    pay_code(chat)
    again = chat.answers(second, answer="confirm")
    assert "Step 1: Look at your balance." in again.text


def pay_code(chat):
    (waiting,) = [card for card in chat.cards("step_up") if card.state == "open"]
    chat.answers(waiting, answer="code", code=chat.code())


def test_a_condition_that_holds_lets_the_step_begin(bank):
    chat = bank.chat()
    chat.says("if my balance is above 1 euro, pay Hendriks Vastgoed 250 euro")
    card = plan_card(chat)
    assert [step["note"] for step in card.details["steps"]] == [
        "",
        "only if your balance is above EUR 1.00",
    ]

    chat.answers(card, answer="confirm")

    assert states(chat) == ["done", "running"]
    assert open_card(chat, "confirm_payment")


def test_a_condition_that_does_not_hold_leaves_the_step_out(bank):
    chat, before = bank.chat(), bank.transfers()
    chat.says("if my balance is above 9,000,000 euro, pay Hendriks Vastgoed 250 euro")

    reply = chat.answers(plan_card(chat), answer="confirm")

    assert states(chat) == ["done", "skipped"]
    assert "your balance is not above EUR 9,000,000.00" in reply.text
    assert bank.transfers() == before


def test_a_plan_with_a_step_that_is_not_permitted_is_not_offered(bank):
    chat = bank.chat()
    assert stop_all_cards(bank, bank.chat())
    begun = count("orch_instance")

    reply = chat.says(SAID)

    assert "You have no card that can be blocked." in reply.text
    assert "Nothing was begun." in reply.text
    assert chat.cards("plan") == ()
    assert count("orch_plan") == 0
    assert count("orch_instance") == begun


def stop_all_cards(bank, chat):
    """Have every card of the customer blocked, one after another."""
    done = 0
    for _ in range(6):
        chat.says("block my card")
        waiting = [card for card in chat.cards("choice") if card.state == "open"]
        if not waiting:
            break
        chat.answers(waiting[-1], answer="choose", value=first_card(waiting[-1]))
        bank.know()
        done += 1
    return done


def test_correcting_the_amount_of_a_step_keeps_the_plan_going(bank):
    chat, before = bank.chat(), bank.balance()
    chat.says("pay Hendriks Vastgoed 250 euro and tell me my balance")
    chat.answers(plan_card(chat), answer="confirm")

    chat.says("no, 200")
    assert states(chat) == ["running", "waiting"]
    pay(bank, chat)

    assert states(chat) == ["done", "done"]
    assert bank.balance() == before - 20_000


def test_what_ended_while_nobody_spoke_is_noticed_by_the_loop(bank):
    chat = bank.chat()
    chat.says("pay Hendriks Vastgoed 250 euro and tell me my balance")
    chat.answers(plan_card(chat), answer="confirm")
    plan = rows.running_plan(chat.id)
    instance_id = plan.steps[0].instance_id
    orchestration.public.cancel(
        instance_id=instance_id, by="employee:1", reason="asked to", at=bank.clock.now()
    )

    assert running.follow_plans_once() == 1

    assert states(chat) == ["cancelled", "done"]
    assert running.follow_plans_once() == 0
