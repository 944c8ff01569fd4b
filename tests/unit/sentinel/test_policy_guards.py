"""Cedar fails open in known ways. Each guard is shown to close one of them."""

import json
from dataclasses import replace

import cedarpy
import pytest
from pydantic import BaseModel, ConfigDict

from sentinel.catalogue import ActionKind
from sentinel.facts import FactKind
from sentinel.policy.bundles import (
    BANK,
    MANDATORY,
    Bundle,
    BundleContent,
    BundleRefused,
    Registry,
    bank_bundle,
    bundle_from_text,
)
from sentinel.policy.engine import compile_rules
from sentinel.vocabulary import Principal


class Money(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    minor_units: int
    currency: str


class Pay(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    amount: Money
    creditor_iban: str


class Nothing(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


PAY = ActionKind(
    "tests.pay", Pay, "high", "urn:connector:x", "pay", ("amount",), ("creditor_iban",)
)
LOOK = ActionKind("tests.look", Nothing, "low", "urn:connector:x", "look")
KINDS = (PAY, LOOK)
WORDS = '@customer("For the customer.") @staff("For staff.")'
PERMIT = f'@id("pay-permit") {WORDS} permit (principal, action == Action::"tests.pay", resource);'
ANNA = Principal("customer:1", "customer", "p", "nl", ("customer",))
CONTEXT = {
    "amount_minor": 5,
    "approved_roles": [],
    "data_read": [],
    "earlier_actions": [],
    "emergency": False,
    "currency": "EUR",
    "entity": "nl",
    "has_unknown_source": False,
    "human_only": False,
    "is_stopped": False,
    "on_behalf_of_customer": True,
    "purpose": "payments",
    "risk": "high",
    "sends_outside": False,
    "sca_exemption": "",
    "source_amount": "customer_typed",
    "source_creditor_iban": "customer_typed",
    "step_up_done": True,
}


def journey(cedar=PERMIT, area="tests", actions=("tests.pay",), facts=None, required=None):
    content = BundleContent(
        area=area, actions=actions, cedar=cedar, facts=facts or {}, required=required or {}
    )
    return Bundle(content)


def rules(*journeys, bank=None):
    return compile_rules([bank or bank_bundle(), *(journeys or (journey(),))], KINDS)


def problems(*journeys, bank=None):
    with pytest.raises(BundleRefused) as refused:
        rules(*journeys, bank=bank)
    return " / ".join(refused.value.problems)


def policy(body, policy_id="extra", head="", effect="forbid", action='== Action::"tests.pay"'):
    return (
        f'@id("{policy_id}") {WORDS} {head} {effect} (principal, action {action}, resource) {body};'
    )


def evaluate(context, principal=ANNA, found=None):
    return (found or rules()).evaluate("tests.pay", principal, "account:1", context)


def test_permit_is_a_permit():
    answer = evaluate(CONTEXT)

    assert answer.is_permitted
    assert answer.policies == ("pay-permit",)


# G1: the schema is always passed


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": "5"},
        {"amount_minor": None},
        {"step_up_done": "true"},
        {"approved_roles": "operations"},
        {"colour": "blue"},
        {"screening_status": 1},
    ],
)
def test_context_of_another_shape_denies(change):
    answer = evaluate({**CONTEXT, **change})

    assert (answer.is_permitted, answer.refusal) == (False, "policy_error")


@pytest.mark.parametrize("name", sorted(CONTEXT))
def test_missing_attribute_denies(name):
    context = {key: value for key, value in CONTEXT.items() if key != name}

    answer = evaluate(context)

    assert (answer.is_permitted, answer.refusal) == (False, "policy_error")


# G2: an error in a forbid would make Cedar skip it


def test_forbid_that_overflows_denies_although_cedar_alone_allows():
    forbid = policy("when { context.amount_minor + 9223372036854775807 > 5 }")
    found = rules(journey(PERMIT + forbid))

    answer = evaluate(CONTEXT, found=found)
    alone = cedarpy.is_authorized(
        {
            "principal": 'Customer::"customer:1"',
            "action": 'Action::"tests.pay"',
            "resource": 'Resource::"account:1"',
            "context": CONTEXT,
        },
        PERMIT + forbid,
        [],
    )

    assert alone.allowed
    assert (answer.is_permitted, answer.refusal) == (False, "policy_error")
    assert "overflow" in answer.detail


# G3: what is not supplied is silently a member of nothing


def test_role_that_is_not_supplied_denies_although_a_forbid_on_it_would_not_match():
    forbid = policy('when { principal in Role::"engineer" }')
    found = rules(journey(PERMIT + forbid))
    stranger = replace(ANNA, roles=("customer", "sanctioned"))

    assert not evaluate(CONTEXT, replace(ANNA, roles=("engineer",)), found).is_permitted
    answer = evaluate(CONTEXT, stranger, found)
    assert (answer.is_permitted, answer.refusal) == (False, "policy_incomplete")
    assert answer.detail == "Role::sanctioned"


def test_mandate_that_is_not_supplied_denies():
    answer = evaluate(CONTEXT, Principal("system:nobody", "system", "", "nl"))

    assert (answer.refusal, answer.detail) == ("policy_incomplete", "Mandate::nobody")


# G4: literal names are registered, checked when published


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ('when { principal in Role::"Tellerr" }', "Role::Tellerr"),
        ('when { principal in Mandate::"sed" }', "Mandate::sed"),
        ('when { principal == Customer::"customer:1" }', "Customer::customer:1"),
        ('when { resource == Resource::"account:1" }', "Resource::account:1"),
    ],
)
def test_literal_that_nobody_registered_is_refused(condition, named):
    assert f"{named} is not registered" in problems(journey(PERMIT + policy(condition)))


def test_typing_error_in_an_attribute_is_refused():
    assert "amount_minro" in problems(journey(PERMIT + policy("when { context.amount_minro > 1 }")))


def test_optional_fact_must_be_asked_for_before_use():
    body = 'when { context.screening_status == "hit" }'

    assert "screening_status" in problems(journey(PERMIT + policy(body)))


def test_required_fact_may_be_used_at_once():
    body = 'when { context.screening_status == "hit" }'
    required = {"tests.pay": ("screening_status",)}

    assert rules(journey(PERMIT + policy(body), required=required))


# Confinement: permits add up


@pytest.mark.parametrize(
    ("cedar", "words"),
    [
        (policy("", effect="permit", action=""), "names no action"),
        (policy("", effect="permit", action='== Action::"tests.look"'), "speaks of tests.look"),
        (
            policy("", effect="permit", action='in [Action::"tests.pay", Action::"tests.look"]'),
            "speaks of tests.look",
        ),
        (policy("", effect="permit", action='in Action::"tests.pay"'), "names a group"),
        (policy('when { action == Action::"tests.look" }'), "mentions tests.look"),
        (policy('when { [action].contains(Action::"tests.look") }'), "mentions tests.look"),
        (policy("", head='@needs("approval")'), "names no @role"),
        (policy("", head='@needs("a miracle")'), "@needs is for"),
        (policy("", head='@needs("approval") @role("king")'), "@role king is not registered"),
        ("forbid (principal, action, resource);", "has no @id"),
        (policy("", policy_id="sanctions-hit"), "used twice"),
        (policy("").replace("For the customer.", " "), "no @customer wording"),
        ("permit (principal == ?principal, action, resource);", "templates are not allowed"),
        ("permit (principal, action, resource", "not Cedar"),
    ],
)
def test_journey_is_confined_to_its_own_actions(cedar, words):
    assert words in problems(journey(PERMIT + cedar))


def test_two_journeys_cannot_own_one_action():
    second = policy("", policy_id="other", effect="permit")

    assert "belongs to tests already" in problems(journey(), journey(second, area="more"))


def test_journey_cannot_require_facts_for_anothers_action():
    assert "requires facts for tests.look" in problems(
        journey(required={"tests.look": ("screening_status",)})
    )


def test_journey_cannot_make_a_fact_last_longer():
    facts = {"account_status": FactKind(type="String", max_age_seconds=10**6)}

    assert "account_status is declared already" in problems(journey(facts=facts))


def test_journey_may_declare_its_own_facts():
    facts = {"weather": FactKind(type="String", max_age_seconds=60)}
    body = 'when { context has weather && context.weather == "storm" }'
    found = rules(journey(PERMIT + policy(body), facts=facts))

    assert evaluate(CONTEXT, found=found).is_permitted
    assert not evaluate({**CONTEXT, "weather": "storm"}, found=found).is_permitted


def test_unknown_action_of_a_journey_is_refused():
    assert "tests.nothing is not in the catalogue" in problems(
        journey(actions=("tests.pay", "tests.nothing"))
    )


# The bank-wide bundle


def changed_bank(cedar):
    return Bundle(bank_bundle().content.model_copy(update={"cedar": cedar}))


def test_bank_may_only_forbid():
    cedar = bank_bundle().content.cedar + policy("", effect="permit", action="")

    assert "may only forbid" in problems(bank=changed_bank(cedar))


@pytest.mark.parametrize("policy_id", sorted(MANDATORY))
def test_bank_cannot_lose_a_rule(policy_id):
    cedar = bank_bundle().content.cedar.replace(f'@id("{policy_id}")', '@id("renamed")')

    assert f"bank-wide rules are missing: {policy_id}" in problems(bank=changed_bank(cedar))


def test_there_is_one_bank_wide_bundle():
    with pytest.raises(BundleRefused):
        compile_rules([journey()], KINDS)
    with pytest.raises(BundleRefused):
        compile_rules([bank_bundle(), bank_bundle(), journey()], KINDS)


# A bundle is its content


def test_bundle_is_named_by_its_content():
    first, again, other = journey(), journey(), journey(PERMIT + policy(""))

    assert first.digest == again.digest != other.digest
    assert bundle_from_text(first.text).digest == first.digest


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"area":"x"}', '{"area": "tests"}'])
def test_stored_text_that_is_no_bundle_is_refused(text):
    with pytest.raises(BundleRefused):
        bundle_from_text(text)


def test_stored_text_in_another_spelling_is_refused():
    text = json.dumps(json.loads(journey().text), indent=1)

    with pytest.raises(BundleRefused):
        bundle_from_text(text)


def test_registry_is_part_of_the_content():
    bank = bank_bundle()
    more = Registry(**{**bank.content.registry.model_dump(), "roles": {"king"}})

    assert Bundle(bank.content.model_copy(update={"registry": more})).digest != bank.digest
    assert bank.content.area == BANK


@pytest.mark.parametrize("forbidden", ["when { context.amount_minor == 5 }", ""])
def test_adding_a_forbid_never_permits(forbidden):
    before = rules()
    after = rules(journey(PERMIT + policy(forbidden)))
    for stopped in (True, False):
        for amount in (4, 5, 6):
            context = {**CONTEXT, "is_stopped": stopped, "amount_minor": amount}
            if evaluate(context, found=after).is_permitted:
                assert evaluate(context, found=before).is_permitted


# What no policy looks at is not handed to Cedar; what one looks at always is.


def test_what_no_policy_looks_at_is_not_handed_over():
    looked = rules().slice("tests.pay").look({**CONTEXT, "fraud_band": "low"})

    assert {"amount_minor", "fraud_band", "is_stopped"} <= looked.keys()
    assert "source_amount" not in looked


@pytest.mark.parametrize(
    ("condition", "is_permitted"),
    [
        ('when { context.source_amount == "document" }', True),
        ('when { context.source_amount == "customer_typed" }', False),
        ('when { {"all": context}.all.source_amount == "customer_typed" }', False),
        ("when { context == context }", False),
    ],
)
def test_what_a_policy_looks_at_decides(condition, is_permitted):
    found = rules(journey(PERMIT + policy(condition)))

    assert evaluate(CONTEXT, found=found).is_permitted is is_permitted
