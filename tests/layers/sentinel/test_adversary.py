"""What somebody tries who may ask, has seen tokens, and knows how this is built."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction

from sentinel.policy.publishing import forget_compiled
from sentinel.public import TokenRefused, foresee, legal_entity
from sentinel.tokens import forget_minted
from sentinel.vocabulary import Money, Principal, Provenance, Verdict
from tests.authority import (
    LEDGER,
    approved,
    confirmed,
    count,
    counts,
    customer,
    decided,
    done,
    employee,
    facts,
    now,
    payment,
    set_limit,
    spent,
    step_up,
    with_parameters,
    with_source,
)

pytestmark = pytest.mark.usefixtures("bank")
NOTHING_MOVED = {"sentinel_redemption": 0, "sentinel_reservation": 0}
LARGE = 600_000


def codes(decision):
    return tuple(reason.policy_id for reason in decision.reasons)


def refused(decision, action, audience=LEDGER):
    with pytest.raises(TokenRefused) as caught:
        spent(decision, action, audience)
    return caught.value.reason


def with_claims(decision, change):
    """The same token with other claims under the signature it had."""
    header, claims, signature = decision.token.compact.split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    text = json.dumps(change(said), separators=(",", ":"), sort_keys=True).encode()
    spelled = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
    compact = f"{header}.{spelled}.{signature}"
    return replace(decision, token=replace(decision.token, compact=compact))


# The token of another


@pytest.mark.parametrize(
    "change",
    [
        lambda said: {**said, "aud": "urn:connector:messages"},
        lambda said: {**said, "act": {"sub": "employee:me", "act": said["act"]}},
        lambda said: {**said, "act": {"sub": said["sub"]}, "sub": "customer:me"},
        lambda said: {**said, "exp": said["exp"] + 3600},
        lambda said: {**said, "iss": "urn:frontline:meridian-be:sentinel"},
        lambda said: {**said, "sent": {**said["sent"], "ep": said["sent"]["ep"] + 1}},
        lambda said: {**said, "sent": {**said["sent"], "obl": []}, "amr": ["otp"]},
    ],
    ids=["audience", "longer chain", "spliced chain", "later", "other bank", "epoch", "factors"],
)
def test_claims_of_a_token_cannot_be_changed(change):
    action = payment()
    decision = confirmed(action, customer())

    assert refused(with_claims(decision, change), action) == "altered"
    assert count("sentinel_redemption") == 0


def test_signature_of_one_token_is_worth_nothing_under_another():
    mine, theirs = payment(), payment()
    first, second = confirmed(mine, customer()), confirmed(theirs, customer())
    head = first.token.compact.rpartition(".")[0]
    spliced = f"{head}.{second.token.compact.rpartition('.')[2]}"

    assert refused(replace(first, token=replace(first.token, compact=spliced)), mine) == "altered"


def test_token_of_another_entity_is_unknown_here():
    action = payment()
    decision = confirmed(action, customer())

    with legal_entity(entity="meridian-be"):
        assert refused(decision, action) in {"unknown_key", "altered"}


# Once, whatever happens in between


def test_token_is_spent_though_the_process_and_its_memory_are_new():
    action = payment()
    decision = confirmed(action, customer())
    spent(decision, action)
    done(decision)

    forget_minted()
    forget_compiled()

    assert refused(decision, action) == "spent"
    assert refused(decision, action, "urn:connector:messages") == "wrong_connector"
    assert count("sentinel_redemption") == 1


@pytest.mark.parametrize("hours", [-24, -2, 6], ids=["a day back", "two hours back", "ahead"])
def test_a_clock_that_differs_from_the_database_s_is_refused(settings, hours):
    settings.SENTINEL_CLOCK_SECONDS_MAX = 300
    at = now() + timedelta(hours=hours)

    decision = decided(payment(), customer(), facts(at=at), at=at)

    assert (decision.verdict, codes(decision)) == (Verdict.DENY, ("clock_differs",))
    assert counts() == NOTHING_MOVED


def test_a_clock_that_is_a_little_wrong_is_no_reason_to_refuse(settings):
    settings.SENTINEL_CLOCK_SECONDS_MAX = 300
    at = now() - timedelta(seconds=30)

    assert codes(decided(payment(), customer(), facts(at=at), at=at)) != ("clock_differs",)


def test_clock_of_the_caller_makes_no_token_live_longer():
    anna, action = customer(), payment()
    late = now() + timedelta(hours=6)
    first = decided(action, anna, facts(at=late), at=late)
    assert first.token is None
    early = now() - timedelta(seconds=50)

    decision = confirmed(action, anna, facts(at=early))

    assert decision.token.expires_at <= now() + timedelta(seconds=31)


def test_facts_seen_later_than_now_are_no_facts():
    late = now() + timedelta(minutes=5)

    decision = decided(payment(), customer(), facts(at=late))

    assert (decision.verdict, codes(decision)) == (Verdict.DENY, ("fact_from_future",))
    assert counts() == NOTHING_MOVED


def test_a_decision_asked_in_the_past_finds_no_fact_fresh_that_is_stale_now():
    old = now() - timedelta(hours=2)

    decision = decided(payment(), customer(), facts(at=old))

    assert codes(decision) == ("fact_stale",)


# Approvals


def test_approval_that_has_run_out_counts_no_more():
    anna, action = customer(), payment(LARGE)
    first = decided(action, anna)
    approved(first, employee("operations"))
    much_later = now() + timedelta(hours=73)

    again = decided(action, anna, facts(at=much_later), at=much_later)

    assert again.verdict is Verdict.NEEDS_APPROVAL
    assert again.approval_request_id != first.approval_request_id


def test_approval_of_one_payment_is_worth_nothing_for_another():
    anna, action = customer(), payment(LARGE)
    approved(decided(action, anna), employee("operations"))

    other = decided(with_parameters(action, remittance="Rent December"), anna)

    assert other.verdict is Verdict.NEEDS_APPROVAL


def test_approved_payment_is_made_once_though_it_is_asked_for_under_two_keys():
    anna, action = customer(), payment(LARGE)
    set_limit("daily_outgoing", anna.id, Money(10 * LARGE, "EUR"))
    approved(decided(action, anna), employee("operations"))
    before = count("sentinel_redemption")
    again = replace(action, idempotency_key=str(uuid4()))
    first = decided(action, anna)
    step_up(first.challenge_id, anna)
    permits = [decided(action, anna), decided(again, anna)]

    spent(permits[0], action)

    assert permits[1].token is not None
    assert refused(permits[1], again) == "spent"
    assert count("sentinel_redemption") == before + 1


# What is meant and what is said


@pytest.mark.parametrize(
    "amount",
    ["1e3", "0125", "125000", 125_000.0, True, 2**53, -1, {"minor_units": 1}, None, [125_000]],
)
def test_amount_is_a_whole_number_and_nothing_like_it(amount):
    action = payment(amount=amount)

    decision = decided(action, customer())

    assert (decision.verdict, codes(decision)) == (Verdict.DENY, ("bad_parameters",))
    assert counts() == NOTHING_MOVED


def test_payee_with_letters_that_look_the_same_is_another_payee():
    action = payment(name="Hendriks Vastgoed B.V.")
    decision = confirmed(action, customer())
    look_alike = "H\N{CYRILLIC SMALL LETTER IE}ndriks Vastgoed B.V."

    assert refused(decision, with_parameters(action, creditor_name=look_alike)) == (
        "other_parameters"
    )


def test_missing_source_of_one_parameter_is_not_made_up():
    action = payment()
    sources = {name: source for name, source in action.sources.items() if name != "creditor_iban"}

    decision = decided(replace(action, sources=sources), customer())

    assert codes(decision) == ("unknown_provenance",)


def test_source_for_a_parameter_that_is_not_there_helps_nothing():
    action = with_source(payment(), "creditor_iban", Provenance.UNKNOWN)
    sources = {**action.sources, "creditor_iban ": action.sources["creditor_name"]}

    decision = decided(replace(action, sources=sources), customer())

    assert codes(decision) == ("unknown_provenance",)


# Who is nobody


def test_role_that_nobody_registered_is_refused_before_any_rule():
    made_up = replace(employee("operations"), roles=("operations", "head_of_everything"))

    decision = decided(payment(), made_up)

    assert codes(decision) == ("unknown_role",)
    assert counts() == NOTHING_MOVED


def test_agent_for_an_agent_for_a_customer_has_only_what_all_three_have():
    anna = customer()
    inner = Principal("agent:payments", "agent", "", anna.entity, ("assistant",), anna)
    outer = Principal("agent:stranger", "agent", "", anna.entity, (), inner)

    decision = decided(payment(), outer)

    assert decision.verdict is Verdict.DENY
    assert counts() == NOTHING_MOVED


def test_asking_beforehand_gives_nobody_anything():
    before = count("sentinel_record")

    foreseen = foresee(
        action=payment(), principal=customer(), facts=facts(), purpose="payments", at=now()
    )

    assert foreseen.verdict is Verdict.NEEDS_STEP_UP
    assert count("sentinel_record") == before
    assert (count("sentinel_challenge"), counts()) == (0, NOTHING_MOVED)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b.c", "e30.e30.e30", "\0" * 10, "é.é.é", "A" * 5000, "a.b.c.d", "=.=.="],
)
def test_malformed_token_is_refused_in_words_of_ours(text):
    action = payment()
    decision = confirmed(action, customer())
    broken = replace(decision, token=replace(decision.token, compact=text))

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert refused(broken, action) == "altered"
    assert count("sentinel_redemption") == 0
