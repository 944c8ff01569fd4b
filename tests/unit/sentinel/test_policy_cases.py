"""Cases are part of a bundle: under its digest, tried against the policies beside them."""

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from sentinel.catalogue import ActionKind
from sentinel.facts import FactKind
from sentinel.policy.bundles import Bundle, BundleContent, bank_bundle, bundle_from_text
from sentinel.policy.cases import PolicyCase, PolicyCases
from sentinel.policy.engine import compile_rules
from sentinel.policy.trials import tried

WORDS = '@customer("For the customer.") @staff("For staff.")'
PERMIT = f"""
@id("look-permit") {WORDS}
permit (principal in Role::"customer", action == Action::"tests.look", resource)
when {{ resource.kind == "thing" && context has own_account && context.own_account }};
"""
FORBID = f"""
@id("look-forbid") {WORDS}
forbid (principal, action == Action::"tests.look", resource)
when {{ context.purpose == "compliance" }};
"""


class Nothing(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


LOOK = ActionKind("tests.look", Nothing, "low", "urn:connector:x", "look")
OWN = {"own_account": True}


def case(**changes):
    said = {
        "name": "a customer looks",
        "who": "customer",
        "action": "tests.look",
        "context": OWN,
        "expect": "permit",
        "by": ("look-permit",),
    }
    return PolicyCase.model_validate({**said, **changes})


def journey(*cases, cedar=PERMIT, contexts=None, required=()):
    return Bundle(
        BundleContent(
            area="tests",
            actions=("tests.look",),
            cedar=cedar,
            facts={"seen": FactKind(type="Bool", max_age_seconds=60)},
            required={"tests.look": tuple(required)},
            tests=PolicyCases(contexts=contexts or {}, cases=cases),
        )
    )


def trial(bundle):
    bank = bank_bundle()
    untested = Bundle(bank.content.model_copy(update={"tests": PolicyCases()}))
    together = [untested, bundle]
    return tried(compile_rules(together, (LOOK,)), together, about=bundle)


def test_a_case_that_is_answered_as_it_says_exercises_its_policy():
    found = trial(journey(case()))

    assert found.failures == ()
    assert found.permits_untried == ()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"context": {}}, "deny by no policy, expected permit by look-permit"),
        ({"who": "employee:operations"}, "deny by no policy, expected permit by look-permit"),
        ({"resource": "card:1"}, "deny by no policy, expected permit by look-permit"),
        ({"expect": "deny"}, "permit by look-permit, expected deny by look-permit"),
        ({"by": ()}, "permit by look-permit, expected permit by no policy"),
        ({"by": ("other",)}, "permit by look-permit, expected permit by other"),
        ({"action": "tests.leap"}, "tests.leap is not in the catalogue"),
        ({"given": ("absent",)}, "no context absent"),
        ({"context": {"colour": "red"}}, "could not be asked: policy_error (colour)"),
        ({"context": {"purpose": None}}, "could not be asked: policy_error (purpose)"),
        ({"who": "employee:nobody"}, "could not be asked: policy_incomplete (Role::nobody)"),
    ],
)
def test_a_case_that_is_answered_otherwise_fails_and_exercises_nothing(change, problem):
    found = trial(journey(case(**change)))

    assert found.failures == (f"tests: a customer looks: {problem}",)
    assert found.permits_untried == ("look-permit",)


def test_a_fact_that_is_required_must_be_said():
    found = trial(journey(case(), required=("seen",)))

    assert found.failures == ("tests: a customer looks: could not be asked: policy_error (seen)",)


def test_a_forbid_that_no_case_exercises_is_reported_apart():
    found = trial(journey(case(), cedar=PERMIT + FORBID))

    assert (found.permits_untried, found.forbids_untried) == ((), ("look-forbid",))


def test_shared_contexts_lie_under_what_the_case_says():
    contexts = {"owner": OWN, "checked": {"purpose": "compliance", "own_account": False}}
    denied = case(
        given=("checked",), context=OWN, expect="deny", by=("look-forbid",), name="for compliance"
    )
    permitted = case(given=("checked", "owner"), context={"purpose": "payments"})

    found = trial(journey(denied, permitted, cedar=PERMIT + FORBID, contexts=contexts))

    assert found.failures == ()


def test_cases_are_part_of_the_digest_and_survive_storage():
    bare, tested = journey(), journey(case(context={"own_account": True, "purpose": None}))

    assert bare.digest != tested.digest
    assert bundle_from_text(tested.text) == tested
    assert bundle_from_text(tested.text).digest == tested.digest


def test_a_bundle_without_cases_keeps_the_name_it_had_before_there_were_any():
    assert '"tests"' not in journey().text.replace('"area":"tests"', "")


@pytest.mark.parametrize(
    "change",
    [
        {"who": "stranger"},
        {"who": "customer:Role"},
        {"expect": "needs_approval"},
        {"context": {"amount_minor": 1.5}},
        {"name": ""},
        {"hint": "x"},
    ],
)
def test_a_case_that_cannot_be_understood_is_no_case(change):
    with pytest.raises(ValidationError):
        case(**change)
