"""What a permit obliges to is in its token, and whoever does not know it may not act."""

import json
from base64 import urlsafe_b64decode

import pytest
from django.db import transaction

from deploy.rulebook import shipped_bundles
from sentinel.policy.publishing import forget_compiled
from sentinel.public import Bundle, TokenRefused, propose_bundle, publish_bundle, redeem
from tests.authority import LEDGER, confirmed, count, customer, employee, now, payment

pytestmark = pytest.mark.usefixtures("bank")
PERMIT = '@id("payments-customer-from-own-account")'


@pytest.fixture(autouse=True)
def compiled_anew():
    yield
    forget_compiled()


def said_by(decision):
    part = decision.token.compact.split(".")[1]
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def oblige(words):
    """Publish a payments bundle whose permit obliges whoever acts on it."""
    old = next(each for each in shipped_bundles() if each.content.area == "payments")
    text = old.content.cedar.replace(PERMIT, f'{PERMIT}\n@obliges("{words}")')
    bundle = Bundle(old.content.model_copy(update={"cedar": text}))
    digest = propose_bundle(bundle=bundle, maker=employee("compliance_officer"))
    publish_bundle(digest=digest, checker=employee("compliance_officer"), effective_from=now())


def redeemed(decision, action, **handled):
    with transaction.atomic():
        return redeem(token=decision.token, action=action, audience=LEDGER, **handled)


def test_every_permit_obliges_to_say_what_became_of_it():
    action = payment()
    decision = confirmed(action, customer())

    assert said_by(decision)["sent"]["obl"] == ["outcome"]
    with pytest.raises(TokenRefused) as refused:
        redeemed(decision, action, handled=frozenset())

    assert refused.value.reason == "unknown_obligation"
    assert count("sentinel_redemption") == 0


def test_an_obligation_that_a_connector_does_not_know_refuses_the_token():
    oblige("notify_regulator")
    action = payment()
    decision = confirmed(action, customer())

    assert said_by(decision)["sent"]["obl"] == ["notify_regulator", "outcome"]
    with pytest.raises(TokenRefused) as refused:
        redeemed(decision, action)
    assert refused.value.reason == "unknown_obligation"
    assert count("sentinel_redemption") == 0

    redeemed(decision, action, handled=frozenset({"outcome", "notify_regulator"}))

    assert count("sentinel_redemption") == 1


def test_a_second_factor_and_the_link_to_amount_and_payee_are_in_the_token():
    anna, action = customer(), payment()
    said = said_by(confirmed(action, anna))
    (detail,) = said["authorization_details"]

    assert said["acr"] == "urn:frontline:acr:stepped-up"
    assert len(detail["linked"]["amount_payee_hash"]) == 43
    assert detail["linked"]["amount_payee_hash"] != detail["params_hash"]["v"]
