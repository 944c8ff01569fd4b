"""What the prover finds, Cedar shows again; what it cannot translate, it never calls safe."""

import sys

import pytest
from pydantic import BaseModel, ConfigDict

from sentinel.catalogue import ActionKind
from sentinel.facts import FactKind
from sentinel.policy.bundles import Bundle, BundleContent, bank_bundle
from sentinel.policy.engine import compile_rules
from sentinel.policy.proving import invariants_of, violations, widening
from sentinel.policy.questions import NO_SOLVER, solver_module
from sentinel.vocabulary import Principal

WORDS = '@customer("For the customer.") @staff("For staff.")'
FACTS = {
    "score": FactKind(type="Long", max_age_seconds=60),
    "colour": FactKind(type="String", max_age_seconds=60),
    "is_fine": FactKind(type="Bool", max_age_seconds=60),
}


class Money(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    minor_units: int
    currency: str


class Pay(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    amount: Money


PAY = ActionKind("tests.pay", Pay, "high", "urn:connector:x", "pay", ("amount",))
LOOK = ActionKind("tests.look", Pay, "low", "urn:connector:x", "look", human_only=True)


def permit(condition="", who='principal in Role::"employee"', policy_id="pay"):
    return f"""@id("{policy_id}") {WORDS}
    permit ({who}, action == Action::"tests.pay", resource) {condition};"""


def forbid(condition, policy_id="stop"):
    return f"""@id("{policy_id}") {WORDS}
    forbid (principal, action == Action::"tests.pay", resource) {condition};"""


def rules(cedar, *, bank=None, required=(), facts=FACTS):
    journey = BundleContent(
        area="tests",
        actions=("tests.pay", "tests.look"),
        cedar=cedar,
        facts=facts,
        required={"tests.pay": tuple(required)},
    )
    return compile_rules([bank or bank_bundle(), Bundle(journey)], (PAY, LOOK))


def found(old, new):
    (only,) = widening(rules(old), rules(new)).found
    return only


def test_a_limit_that_was_moved_is_found_with_the_amounts_in_between():
    old = permit("when { context has score && context.score >= 90 }")
    new = permit("when { context has score && context.score >= 80 }")

    example = found(old, new)

    assert (example.principal_kind, example.roles) == ("employee", ())
    assert 80 <= example.context["score"] < 90
    assert (example.before, example.after) == ((), ("pay",))
    assert widening(rules(new), rules(old)).verdict == "none"


def test_a_role_that_was_added_is_the_only_one_the_example_has():
    old = permit(who='principal in Role::"operations"')
    new = old + permit(who='principal in Role::"adviser"', policy_id="also")

    example = found(old, new)

    assert (example.principal_kind, example.roles) == ("employee", ("adviser",))


def test_a_second_person_that_is_no_longer_needed_is_found():
    old = permit() + forbid('unless { context.approved_roles.contains("operations") }')

    example = found(old, permit())

    assert example.context["approved_roles"] == []
    assert example.before == ("stop",)


def test_a_has_that_was_dropped_widens_nothing_because_an_error_denies():
    guarded = permit("when { context has is_fine && context.is_fine }")
    narrower = permit("when { context has is_fine && context.is_fine && context has score }")

    assert widening(rules(guarded), rules(narrower)).verdict == "none"
    assert widening(rules(narrower), rules(guarded)).verdict == "found"


def test_a_forbid_that_errs_denies_and_its_removal_widens():
    # Amounts are below 2^53, so that only this product leaves 64 bits.
    overflowing = forbid("when { context.amount_minor * 4096 * 4096 < 0 }")

    example = found(permit() + overflowing, permit())

    assert abs(example.context["amount_minor"]) * 4096 * 4096 > 2**63 - 1 or (
        example.context["amount_minor"] < 0
    )


def test_a_fact_that_is_no_longer_required_widens():
    answer = widening(rules(permit(), required=("score",)), rules(permit()))

    (example,) = answer.found
    assert "score" not in example.context
    assert example.before == ("policy_error",)


def test_the_same_said_otherwise_widens_nothing():
    old = permit('unless { context has colour && context.colour == "red" }')
    new = permit('unless { context has colour && ["red"].contains(context.colour) }')

    answer = widening(rules(old), rules(new))

    assert (answer.asked, answer.verdict) == (1, "none")


def test_words_alone_are_not_asked_about():
    old = permit()

    assert widening(rules(old), rules(old.replace("For staff.", "For all staff."))).asked == 0


@pytest.mark.parametrize(
    ("condition", "because"),
    [
        ('when { context has colour && context.colour like "re*" }', "pay: like"),
        ("when { context.approved_roles.isEmpty() }", "pay: isEmpty"),
        ('when { context.approved_roles == ["operations"] }', "pay: == of another type"),
        (
            'when { ["a"].containsAll(context.approved_roles) }',
            "pay: containsAll of a set that is not written out",
        ),
    ],
)
def test_what_has_no_translation_is_not_analysable_and_not_safe(condition, because):
    answer = widening(rules(permit("when { context.step_up_done }")), rules(permit(condition)))

    assert answer.verdict == "not_analysable"
    assert [(each.action, each.because) for each in answer.unanswered] == [("tests.pay", because)]


def test_without_z3_nothing_is_safe(monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)
    solver_module.cache_clear()
    try:
        answer = widening(rules(permit("when { context.step_up_done }")), rules(permit()))
        kept = violations(rules(permit()), invariants_of([bank_bundle()]), ["tests.pay"])
    finally:
        solver_module.cache_clear()

    assert (answer.verdict, answer.unanswered[0].because) == ("not_analysable", NO_SOLVER)
    assert (kept.verdict, len(kept.unanswered)) == ("not_analysable", 6)


def test_the_invariants_that_ship_hold():
    answer = violations(
        rules(permit()), invariants_of([bank_bundle()]), ["tests.look", "tests.pay"]
    )

    assert (answer.asked, answer.verdict) == (12, "none")


@pytest.mark.parametrize(
    ("old", "new", "invariant"),
    [
        (
            'context.screening_status == "hit" }',
            'context.screening_status == "hit" && !(context has payee_trusted) }',
            "never-a-sanctions-hit",
        ),
        ("(principal is Agent || principal is System)", "principal is Agent", "never-human-only"),
        (
            'context.customer_status != "active"',
            'context.customer_status == "suspended"',
            "never-for-a-customer-who-is-not-active",
        ),
        ("context.is_stopped }", 'context.is_stopped && context.risk == "low" }', "never-while"),
        (
            "principal.entity == context.entity && resource.entity == context.entity",
            'context.entity != ""',
            "never-across-entities",
        ),
    ],
)
def test_a_bank_wide_rule_that_was_weakened_violates_an_invariant(old, new, invariant):
    bank = bank_bundle().content
    assert old in bank.cedar
    weaker = Bundle(bank.model_copy(update={"cedar": bank.cedar.replace(old, new, 1)}))
    everybody = permit(who="principal") + permit(who="principal", policy_id="look").replace(
        "tests.pay", "tests.look"
    )

    answer = violations(
        rules(everybody, bank=weaker), invariants_of([weaker]), ["tests.look", "tests.pay"]
    )

    assert answer.verdict == "found"
    assert all(each.question.startswith(invariant) for each in answer.found)


def test_every_counterexample_is_a_request_cedar_itself_answers_so():
    old = rules(permit("when { context has score && context.score >= 90 }"))
    new = rules(permit("when { context has score && context.score >= 80 }"))

    (example,) = widening(old, new).found
    entity = example.context["entity"]
    person = Principal("employee:1", example.principal_kind, "p", entity, example.roles)
    asked = (example.action, person, example.resource, dict(example.context))

    assert old.evaluate(*asked).is_permitted is False
    assert new.evaluate(*asked).is_permitted is True
