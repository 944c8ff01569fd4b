"""A change is tried on decisions there were: what flips is counted, and nothing is decided."""

from datetime import timedelta

import pytest

from deploy.rulebook import shipped_bundles
from sentinel.public import Bundle, BundleRefused, Candidate, simulate
from sentinel.simulating import CandidateCap
from tests.authority import confirmed, count, customer, decided, employee, facts, now, payment

pytestmark = pytest.mark.usefixtures("bank")
TABLES = ("sentinel_decision", "sentinel_record", "sentinel_reservation", "sentinel_challenge")
NO_RENT = """
@id("payments-no-rent")
@customer("Nobody pays the rent today.")
@staff("Nobody pays 1,250.00.")
forbid (principal, action == Action::"payments.transfer", resource)
when { context.amount_minor == 125000 };
"""


@pytest.fixture
def since():
    return now() - timedelta(seconds=1)


def payments(added="", old="", new=""):
    found = next(each.content for each in shipped_bundles() if each.content.area == "payments")
    assert old in found.cedar
    cedar = found.cedar.replace(old, new) if old else found.cedar
    return Bundle(found.model_copy(update={"cedar": cedar + added}))


def tried(since, words="try", until=None, **change):
    before = {table: count(table) for table in TABLES}
    found = simulate(
        candidate=Candidate(words, **change),
        since=since,
        until=until or now(),
        segment_of=lambda holder: "private" if holder.startswith("customer:") else "?",
    )
    assert {table: count(table) for table in TABLES} == before
    return found


def cap(name, minor, holder="*"):
    return (CandidateCap(name, holder, "EUR", minor),)


def test_rules_as_they_are_flip_nothing(since):
    confirmed(payment(), customer())

    found = tried(since, bundle=payments())

    assert (found.replayed, found.flipped, found.already) == (2, 0, 0)
    assert found.load == {"second factor": (1, 1)}


def test_a_bundle_that_forbids_flips_what_it_forbids_and_says_for_whom(since):
    anna = customer()
    confirmed(payment(), anna)
    decided(payment(1_000), anna)

    found = tried(since, bundle=payments(NO_RENT))

    assert found.replayed == 3
    assert found.flips == {"needs_step_up > deny": 1, "permit > deny": 1}
    assert found.money == {"no longer permitted, EUR": 125_000}
    assert found.load == {"second factor": (1, 0)}
    assert found.by["actor"] == {
        "customer: needs_step_up > deny": 1,
        "customer: permit > deny": 1,
    }
    assert found.by["amount"]["to 10,000: permit > deny"] == 1
    assert found.by["segment"]["private: permit > deny"] == 1
    assert found.by["rule"]["payments-no-rent: permit > deny"] == 1
    assert [(each.was, each.would) for each in found.examples] == [
        ("needs_step_up", "deny"),
        ("permit", "deny"),
    ]
    assert found.examples[0].policies == ("payments-no-rent",)
    assert found.already == 0


def test_a_bundle_that_permits_more_moves_more_money(since):
    anna = customer()
    decided(payment(1_000), anna, facts(own_account=False))

    looser = payments(old="context.own_account &&", new="context.payee_known &&")
    found = tried(since, bundle=looser)

    assert found.flips == {"deny > permit": 1}
    assert found.money == {"more permitted, EUR": 1_000}


def test_a_lower_limit_counts_what_was_used_as_it_would_have_been(since):
    anna = customer()
    confirmed(payment(60_000), anna)
    decided(payment(50_000), anna)
    decided(payment(30_000), anna)

    found = tried(since, caps=cap("daily_outgoing", 100_000))

    assert found.flips == {"needs_step_up > deny": 1}
    assert found.by["rule"] == {"limit_exceeded: needs_step_up > deny": 1}


def test_what_no_longer_uses_a_limit_leaves_room_for_what_follows(since):
    anna = customer()
    confirmed(payment(90_000), anna)
    decided(payment(60_000), anna)

    found = tried(since, caps=cap("daily_outgoing", 80_000))

    # The first is refused, and its second answer with it, so that the later one fits.
    assert found.flips == {"needs_step_up > deny": 1, "permit > deny": 1}
    assert found.money == {"no longer permitted, EUR": 90_000}


def test_a_limit_of_one_holder_touches_nobody_else(since):
    anna, bob = customer(), customer()
    decided(payment(60_000), anna)
    decided(payment(60_000), bob)

    found = tried(since, caps=cap("daily_outgoing", 50_000, anna.id))

    assert found.flipped == 1
    assert found.examples[0].principal_id == anna.id


def test_a_lower_threshold_shows_the_work_of_those_who_approve(since):
    decided(payment(), customer())

    found = tried(since, caps=cap("approval_threshold", 100_000))

    assert found.flips == {"needs_step_up > needs_approval": 1}
    assert found.load == {"approval by operations": (0, 1), "second factor": (1, 0)}


def test_a_threshold_of_a_model_is_tried_as_facts_seen_otherwise(since):
    anna = customer()
    decided(payment(), anna, facts(fraud_score_permille=700, fraud_band="medium"))
    decided(payment(), anna, facts(fraud_score_permille=40))

    def stricter(kind, given, parameters):
        assert (kind, parameters["creditor_iban"]) == ("payments.transfer", "NL91ABNA0417164300")
        return {"fraud_band": "high"} if given["fraud_score_permille"] >= 600 else {}

    found = tried(since, facts_as=stricter)

    assert found.flips == {"needs_step_up > deny": 1}
    assert found.load == {"remedy fraud_review": (0, 1), "second factor": (2, 1)}


def test_the_same_simulation_has_the_same_digest_and_another_another(since):
    decided(payment(), customer())
    until = now()

    first = tried(since, until=until, bundle=payments(NO_RENT))
    again = tried(since, until=until, bundle=payments(NO_RENT))
    other = tried(since, until=until, bundle=payments())

    assert first.digest == again.digest
    assert first.digest != other.digest


def test_decisions_outside_the_time_are_not_replayed(since):
    decided(payment(), customer())
    between = now()
    decided(payment(), employee("adviser"))

    assert tried(since, until=between).replayed == 1
    assert tried(between).replayed == 1


def test_a_bundle_that_could_not_be_in_force_is_not_tried(since):
    foreign = payments(NO_RENT.replace("payments.transfer", "cards.block"))

    with pytest.raises(BundleRefused):
        tried(since, bundle=foreign)


def test_what_is_told_without_judging_is_what_judging_says(since):
    anna, bob = customer(), customer()
    confirmed(payment(), anna)
    decided(payment(1_000), bob, facts(own_account=False))
    decided(payment(60_000), bob, facts(customer_status="suspended"))
    decided(payment(125_000), bob, facts(fraud_band="high"))

    told = tried(since, bundle=payments(NO_RENT)).plain()
    judged = tried(since, bundle=payments(NO_RENT), facts_as=lambda *_: {}).plain()

    assert (told.pop("untouched"), judged.pop("untouched")) == (2, 0)
    told.pop("until"), judged.pop("until")
    assert told == judged


def test_rules_of_another_area_touch_nothing(since):
    confirmed(payment(), customer())
    servicing = next(each.content for each in shipped_bundles() if each.content.area == "servicing")
    other = NO_RENT.replace("payments.transfer", "messages.send").replace(
        "context.amount_minor == 125000", "context.human_only"
    )
    added = servicing.model_copy(update={"cedar": servicing.cedar + other})

    found = tried(since, bundle=Bundle(added))

    assert (found.replayed, found.untouched, found.flipped) == (2, 2, 0)
    assert found.load == {"second factor": (1, 1)}


def test_a_limit_used_otherwise_is_judged_although_the_rules_are_the_same_to_it(since):
    anna = customer()
    confirmed(payment(90_000), anna)
    decided(payment(60_000), anna)

    forbidden = NO_RENT.replace("125000", "90000")
    found = tried(since, bundle=payments(forbidden), caps=())

    assert (found.replayed, found.untouched) == (3, 0)
    assert found.flips == {"needs_step_up > deny": 1, "permit > deny": 1}
