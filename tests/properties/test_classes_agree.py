"""Contexts of one class are answered alike by Cedar itself: decisions, policies and errors."""

import random
from collections import defaultdict

import pytest

from deploy.rulebook import shipped_bundles
from sentinel.policy.classes import classes_of
from sentinel.policy.engine import compile_rules
from sentinel.policy.questions import shape_of
from sentinel.policy.remembered_proofs import speaking_of
from sentinel.policy.schema import context_shape
from sentinel.public import action_kinds
from sentinel.vocabulary import Principal
from tests.unit.sentinel.test_policy_proofs import forbid, permit, rules

TEXTS = ("", "open", "active", "hit", "clear", "review", "high", "document", "model", "x", "EUR")
NUMBERS = (-1, 0, 1, 4, 5, 6, 7, 10, 999, 86_399, 86_400, 86_401, 10**9)
ROLES = ("operations", "compliance_officer", "fraud_analyst")


def drawn(kind, chance):
    """Draw a value of a type; small domains make classes meet."""
    match kind:
        case "Bool":
            return chance.random() < 0.5
        case "Long":
            return chance.choice(NUMBERS)
        case "String":
            return chance.choice(TEXTS)
    return [each for each in ROLES if chance.random() < 0.3]


def contexts(shape, chance, count):
    """Draw contexts that differ from one another in one value, so that some classes meet."""
    known = [(name.removesuffix("?"), name.endswith("?"), kind) for name, kind in shape.items()]
    context = {name: drawn(kind, chance) for name, _, kind in known}
    for _ in range(count):
        name, may_lack, kind = chance.choice(known)
        context = {**context, name: drawn(kind, chance)}
        if may_lack and chance.random() < 0.2:
            del context[name]
        yield context


def classed(found, action):
    bodies = [policy.body for policy in speaking_of(found, action)]
    return classes_of(bodies, found.slice(action).attributes)


def answers_by_class(found, action, shape, seed, count):
    classes, grouped = classed(found, action), defaultdict(set)
    who = Principal("customer:1", "customer", "p", "x", ("customer",))
    for context in contexts(shape, random.Random(seed), count):
        answer = found.evaluate(action, who, "account:1", context)
        grouped[classes.of(context)].add((answer.is_permitted, answer.policies, answer.refusal))
    return grouped


COMPARING = (
    permit("when { context has score && context.score > 5 }")
    + permit('when { context has colour && context.colour != "x" }', policy_id="coloured")
    + forbid("when { context has score && context.score == 7 }")
    + forbid('when { ["hit", "review"].contains(context.purpose) }', "sets")
    + forbid(
        "when { context has approval_threshold_minor"
        " && context.amount_minor > context.approval_threshold_minor }",
        "pair",
    )
    + forbid("when { context.amount_minor * 2 == 10 }", "exact")
    + forbid(
        "unless { 0 <= context.amount_minor || (context has is_fine && context.is_fine) }", "turned"
    )
)


@pytest.mark.parametrize("seed", range(3))
def test_contexts_of_one_class_are_answered_alike(seed):
    found = rules(COMPARING)

    grouped = answers_by_class(found, "tests.pay", shape_of(found, "tests.pay"), seed, 600)

    assert {len(answers) for answers in grouped.values()} == {1}
    assert len(grouped) < 600


def test_the_rules_that_ship_are_answered_alike():
    found = compile_rules(shipped_bundles(), action_kinds())
    action = "payments.transfer"
    required = found.required.get(action, frozenset())
    shape = context_shape(found.kinds[action], found.facts, required)

    grouped = answers_by_class(found, action, shape, 1, 400)

    assert {len(answers) for answers in grouped.values()} == {1}


def test_numbers_on_the_same_side_are_one_class_and_the_border_is_its_own():
    classes = classed(rules(permit("when { context.amount_minor > 100 }")), "tests.pay")

    below, low, border, above, far = (
        classes.of({"amount_minor": each}) for each in (1, 99, 100, 101, 10**9)
    )

    assert below == low
    assert above == far
    assert len({low, border, above}) == 3


def test_a_value_that_is_computed_with_stands_for_itself():
    classes = classed(rules(permit("when { context.amount_minor + 1 > 100 }")), "tests.pay")

    assert classes.of({"amount_minor": 1}) != classes.of({"amount_minor": 2})


def test_a_number_a_truth_and_a_text_are_never_one_class():
    classes = classed(rules(permit("when { context.human_only }")), "tests.pay")

    found = {classes.of({"human_only": each}) for each in (True, 1, "1")} | {classes.of({})}

    assert len(found) == 4


def test_a_policy_about_the_whole_context_has_no_classes():
    with pytest.raises(LookupError):
        classes_of([], None)
