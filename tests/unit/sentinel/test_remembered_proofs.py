"""A proof is remembered under everything it rests on, and nothing unknown is ever remembered."""

import sys

import pytest

from sentinel.policy.bundles import bank_bundle
from sentinel.policy.proving import forget_proofs, invariants_of, violations, widening
from sentinel.policy.questions import NO_SOLVER, solver_module
from sentinel.policy.remembered_proofs import RememberedProofs, question_name
from sentinel.policy.symbols import NotAnalysable
from tests.unit.sentinel.test_policy_proofs import FACTS, forbid, permit, rules

OLD, NEW = "when { context.step_up_done }", ""


def test_what_was_proved_is_not_proved_again():
    kept, asked = RememberedProofs(), []

    first = kept.found("same", lambda: asked.append("once") or ("found",))
    second = kept.found("same", lambda: asked.append("twice") or ("other",))

    assert (first, second, asked) == (("found",), ("found",), ["once"])


def test_the_answer_not_asked_for_longest_is_forgotten_first():
    kept, asked = RememberedProofs(size=2), []

    for name in ("a", "b", "a", "c", "a", "b"):
        kept.found(name, lambda name=name: asked.append(name) or name)

    assert asked == ["a", "b", "c", "b"]


def test_what_could_not_be_answered_is_asked_again():
    kept = RememberedProofs()

    def too_late():
        raise NotAnalysable("z3 gave no answer in time")

    with pytest.raises(NotAnalysable):
        kept.found("same", too_late)

    assert kept.found("same", lambda: "answered") == "answered"


@pytest.mark.parametrize(
    "other",
    [
        rules(permit(NEW, who="principal")),
        rules(permit(NEW, policy_id="pays")),
        rules(permit(NEW) + forbid("when { context.human_only }")),
        rules(permit(NEW), required=("score",)),
        rules(permit(NEW), facts={"score": FACTS["score"]}),
    ],
)
def test_a_question_about_other_rules_has_another_name(other):
    old, new = rules(permit(OLD)), rules(permit(NEW))
    name = question_name("widened", "tests.pay", old, new)

    assert question_name("widened", "tests.pay", old, other) != name
    assert question_name("widened", "tests.pay", other, new) != name


def test_the_direction_the_action_and_the_invariant_belong_to_the_name():
    old, new = rules(permit(OLD)), rules(permit(NEW))
    first, second, *_ = invariants_of([bank_bundle()])

    names = {
        question_name("widened", "tests.pay", old, new),
        question_name("widened", "tests.pay", new, old),
        question_name("widened", "tests.look", old, new),
        question_name("violated", "tests.pay", new),
        question_name("violated", "tests.pay", new, invariant=first),
        question_name("violated", "tests.pay", new, invariant=second),
    }

    assert len(names) == 6


def test_words_are_not_part_of_the_name():
    old, new = permit(OLD), permit(NEW)
    reworded = new.replace("For staff.", "For all staff.")

    assert question_name("widened", "tests.pay", rules(old), rules(new)) == question_name(
        "widened", "tests.pay", rules(old), rules(reworded)
    )


def test_a_remembered_answer_is_the_proved_one():
    forget_proofs()
    proved = widening(rules(permit(OLD)), rules(permit(NEW)))

    remembered = widening(rules(permit(OLD)), rules(permit(NEW)))

    assert proved.verdict == "found"
    assert remembered == proved


def test_what_was_proved_with_z3_is_not_claimed_without_it(monkeypatch):
    invariants = invariants_of([bank_bundle()])
    assert violations(rules(permit()), invariants, ["tests.pay"]).verdict == "none"
    monkeypatch.setitem(sys.modules, "z3", None)
    solver_module.cache_clear()

    try:
        answer = violations(rules(permit()), invariants, ["tests.pay"])
    finally:
        solver_module.cache_clear()

    assert (answer.verdict, answer.unanswered[0].because) == ("not_analysable", NO_SOLVER)
