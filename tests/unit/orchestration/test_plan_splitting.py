"""What a customer says is cut into requests, and what is one request is never cut."""

from functools import cache
from uuid import UUID

import pytest

from intelligence.capabilities.slots.values import KnownPayee
from intelligence.capabilities.understanding import Advice
from orchestration.planning.splitting import Limit, Meaning, split
from tests.unit.intelligence.shipped import meaning_of

PAYEES = ("Anna de Vries", "Bob Jansen", "Anna and Bob Holding", "Hendriks Vastgoed B.V.")
KINDS = {"pay", "card_block", "balance", "spending", "payment_status"}


KNOWN = tuple(KnownPayee(UUID(int=number), name) for number, name in enumerate(PAYEES, 1))


@cache
def meaning(text):
    found = meaning_of(text, payees=KNOWN)
    kind = found.intent.value if found.intent.value in KINDS else None
    return Meaning(
        kind,
        found.advice is not Advice.NOT_UNDERSTOOD,
        found.slots.amount is not None,
        found.slots.payee is not None,
    )


def parts(text):
    return split(text, PAYEES, meaning)


SEVERAL = [
    ("block my card, pay Anna 50 euro and tell me my balance", "card_block pay balance"),
    ("Block my card and pay Bob 20 euro", "card_block pay"),
    ("pay Anna 50 euro and show me my balance", "pay balance"),
    ("Pay Anna de Vries 50 euro for the rent, then tell me my balance", "pay balance"),
    ("pay Anna 50 euro. What is my balance?", "pay balance"),
    ("What is my balance? Pay Anna 50 euro", "balance pay"),
    ("show my balance; pay Bob Jansen 12.50", "balance pay"),
    ("please block my debit card and also show me my balance", "card_block balance"),
    ("Can you pay Anna 50 euro, and can you block my card?", "pay card_block"),
    ("I would like to pay Bob 30 euro and then block my card", "pay card_block"),
    ("pay Anna 50 euro and Bob 30 euro", "pay pay"),
    ("pay Anna 50 and Bob 30", "pay pay"),
    ("send 50 euro to Anna and 30 euro to Bob", "pay pay"),
    ("transfer 100 euro to Anna, 200 euro to Bob and 300 euro to Hendriks", "pay pay pay"),
    ("pay Anna and Bob Holding 50 euro and block my card", "pay card_block"),
    ("block my card\npay Anna 50 euro", "card_block pay"),
    ("pay Anna 50 euro for rent and food, then show my balance", "pay balance"),
    ("pay Anna 50 euro saying thanks and see you, then block my card", "pay card_block"),
    ("Freeze my card. After that, tell me my balance.", "card_block balance"),
    ("what did I spend on groceries this month and what is my balance?", "spending balance"),
    ("my card was stolen, block it, and tell me my balance", "card_block balance"),
    ("Tell me my balance & pay Anna 50 euro", "balance pay"),
    ("pay Anna 1,250.50 euro and tell me my balance", "pay balance"),
    ("pay Hendriks Vastgoed B.V. 900 euro and tell me my balance", "pay balance"),
    ("Hello there. Pay Anna 50 euro. Show me my balance", "pay balance"),
    ('pay Anna 50 euro saying "rent; and food" and show me my balance', "pay balance"),
]


@pytest.mark.parametrize(("text", "kinds"), SEVERAL)
def test_several_requests_are_told_apart(text, kinds):
    assert " ".join(clause.kind for clause in parts(text)) == kinds


ONE = [
    "pay Anna and Bob Holding 50 euro",
    "Pay anna and bob holding 50 euro for the rent",
    "pay Anna 50 euro for rent and food",
    "pay Anna 50 euro for dinner, drinks and a taxi",
    "pay Anna 50 euro for dinner and then drinks",
    'pay Anna 50 euro with the remark "block my card and tell me my balance"',
    "pay Anna 50 euro with the note pay Bob 30 euro",
    "send Bob 20 euro saying block my card, ok?",
    "pay Anna and Bob 50 euro",
    "pay Anna 1,250.50 euro",
    "pay Anna 50 euro, please",
    "what did I spend on food and drinks?",
    "show me my balance and nothing else",
    "block my card",
    "hello, and good morning",
    "Please, could you pay Anna, my landlady, 50 euro?",
    "pay Hendriks Vastgoed B.V. 900 euro",
    "thanks and goodbye",
    "pay Anna 50 euro today and not tomorrow",
    "I and my wife would like to see our balance",
    "",
    "and and and then then",
]


@pytest.mark.parametrize("text", ONE)
def test_one_request_is_never_cut(text):
    assert parts(text) == ()


ORDERED = [
    ("pay Anna 50 euro and then block my card", "after"),
    ("pay Anna 50 euro; after that block my card", "after"),
    ("pay Anna 50 euro. Afterwards, block my card.", "after"),
    ("pay Anna 50 euro, once that is done block my card", "after"),
    ("pay Anna 50 euro, but first block my card", "before"),
    ("pay Anna 50 euro and block my card", "beside"),
]


@pytest.mark.parametrize(("text", "relation"), ORDERED)
def test_words_of_order_are_kept(text, relation):
    first, second = parts(text)

    assert (first.kind, second.kind) == ("pay", "card_block")
    assert second.relation == relation


CONDITIONAL = [
    ("if my balance is above 500 pay Anna 50 euro", Limit("above", 50_000)),
    ("If my balance is above 500 euro, then pay Anna 50 euro", Limit("above", 50_000)),
    ("pay Anna 50 euro if my balance is at least 1,000.50 euro", Limit("at_least", 100_050)),
    ("pay Anna 50 euro as long as I have more than 200 euro", Limit("above", 20_000)),
    ("pay Anna 50 euro unless my balance is below 100", Limit("at_least", 10_000)),
    ("Only if my balance is over €2.000, pay Anna 50 euro", Limit("above", 200_000)),
]


@pytest.mark.parametrize(("text", "limit"), CONDITIONAL)
def test_a_condition_on_the_balance_is_taken_out(text, limit):
    (only,) = parts(text)

    assert (only.kind, only.limit) == ("pay", limit)
    assert meaning(only.text).has_amount


def test_a_condition_holds_for_its_own_request_only():
    clauses = parts("block my card, and if my balance is above 500 pay Anna 50 euro")

    assert [(each.kind, each.limit) for each in clauses] == [
        ("card_block", None),
        ("pay", Limit("above", 50_000)),
    ]


@pytest.mark.parametrize(
    "text", ["pay Anna 50 euro" * 400, "and " * 5_000, "((((" * 2_000, '"' * 999]
)
def test_hostile_text_ends_soon(text):
    assert len(parts(text)) <= 400
