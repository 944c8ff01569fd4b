"""A proposal carries the gate's report; a second person agrees to it, rejects it, or goes back."""

import json
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from deploy.rulebook import shipped_bundles
from sentinel.gating import DECISIONS_MAX
from sentinel.policy.bundles import ShadowRule
from sentinel.policy.publishing import bundles_in_force, forget_compiled
from sentinel.public import (
    Bundle,
    NeverInForce,
    ProposalEnded,
    ReportDiffers,
    ReportStale,
    SamePerson,
    ShadowTooShort,
    bank_bundle,
    bundle_proposals,
    follow_shadows_once,
    propose_bundle,
    propose_rollback,
    publish_proposal,
    reject_proposal,
    run_shadows_once,
    start_shadow,
)
from sentinel.vocabulary import Verdict
from tests.authority import count, customer, decided, employee, now, payment

pytestmark = pytest.mark.usefixtures("bank")
NO_RENT = """
@id("changes-no-rent")
@customer("Nobody publishes today.")
@staff("Nobody publishes for compliance.")
forbid (principal, action == Action::"flows.publish", resource)
when { context.purpose == "compliance" };
"""


@pytest.fixture(autouse=True)
def compiled_anew():
    yield
    forget_compiled()


def shipped(area="changes"):
    return next(each for each in shipped_bundles() if each.content.area == area)


def changed(added=NO_RENT):
    old = shipped().content
    return Bundle(old.model_copy(update={"cedar": old.cedar + added}))


def proposed(bundle=None, maker=None):
    propose_bundle(
        bundle=bundle or changed(), maker=maker or employee("process_owner"), reason="Quiet days"
    )
    return bundle_proposals()[0]


def published(found, checker=None, **changes):
    said = {"report_digest": found.report_digest, "effective_from": now(), **changes}
    publish_proposal(
        proposal_id=found.id, checker=checker or employee("compliance_officer"), **said
    )


def in_force(area="changes"):
    return next(each.digest for each in bundles_in_force(None) if each.content.area == area)


def last_publication():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT body FROM sentinel_record WHERE kind = 'publication'"
            " ORDER BY recorded_at DESC LIMIT 1"
        )
        return json.loads(bytes(cursor.fetchone()[0]))["content"]


def test_a_proposal_carries_what_the_gate_found():
    found = proposed()

    report = json.loads(found.report)
    assert (found.kind, found.area, found.outcome) == ("publish", "changes", "")
    assert report["replaces"] == shipped().digest
    assert report["cases"]["forbids_untried"] == ["changes-no-rent"]
    assert report["widening"]["verdict"] == "none"
    assert report["invariants"]["verdict"] == "none"
    assert '+when { context.purpose == "compliance" };' in report["difference"]
    assert report["simulation"] is None


def test_what_a_proposal_would_permit_anew_is_said_in_words():
    old = shipped().content
    bundle = Bundle(
        old.model_copy(
            update={
                "cedar": old.cedar.replace(
                    'principal in Role::"process_owner"',
                    'principal in Role::"process_owner" || principal in Role::"underwriter"',
                )
            }
        )
    )

    report = json.loads(proposed(bundle).report)

    assert report["widening"]["verdict"] == "found"
    assert {each["action"] for each in report["widening"]["found"]} == set(old.actions)
    words = report["widening"]["found"][0]["words"]
    assert words.startswith("employee with underwriter could do flows.")
    assert words.endswith("so far: no rule permitted it)")


def test_what_is_agreed_to_is_the_report_and_it_stands_in_the_log():
    found = proposed()

    with pytest.raises(ReportDiffers):
        published(found, report_digest="0" * 64)
    assert in_force() == shipped().digest
    published(found)

    assert in_force() == found.digest
    said = last_publication()
    assert (said["report"], said["proposal"], said["kind"]) == (
        found.report_digest,
        str(found.id),
        "publish",
    )
    assert bundle_proposals()[0].outcome == "published"
    with pytest.raises(ProposalEnded):
        published(found)


def test_the_database_refuses_a_publication_nobody_proposed_so():
    found = proposed()
    forged = {
        "another report": {"report_digest": "0" * 64},
        "another maker": {"maker_person": "person-x"},
        "no proposal": {"proposal_id": None},
        "genesis again": {"is_genesis": True, "proposal_id": None},
        "the maker checks": {"checker_person": found.maker_person},
    }
    columns = {
        "area": found.area,
        "digest": found.digest,
        "is_genesis": False,
        "maker_person": found.maker_person,
        "checker": "employee:x",
        "checker_person": "person-y",
        "kid": "k",
        "signature": b"s",
        "effective_from": now(),
        "proposal_id": found.id,
        "report_digest": found.report_digest,
    }
    published(proposed(changed(NO_RENT.replace('compliance"', 'payments"'))))
    before = count("sentinel_publication")

    for change in forged.values():
        values = {**columns, **change}
        names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO sentinel_publication ({names}) VALUES ({marks})",
                list(values.values()),
            )

    assert count("sentinel_publication") == before


def test_a_rejected_proposal_is_not_published():
    found = proposed()

    reject_proposal(
        proposal_id=found.id, checker=employee("compliance_officer"), comment="Not today"
    )

    with pytest.raises(ProposalEnded):
        published(found)
    ended = bundle_proposals()[0]
    assert (ended.outcome, ended.comment) == ("rejected", "Not today")
    assert in_force() == shipped().digest


def test_a_rollback_needs_two_people_and_takes_effect_at_once():
    published(proposed())
    maker = employee("operations")
    digest = shipped().digest

    proposal_id = propose_rollback(digest=digest, maker=maker, reason="It stopped the office")
    found = bundle_proposals()[0]
    with pytest.raises(SamePerson):
        published(found, checker=replace(maker, roles=("compliance_officer",)))
    still = in_force()
    published(found, effective_from=now() + timedelta(days=3))

    assert (found.id, found.kind) == (proposal_id, "rollback")
    assert still != digest
    assert in_force() == digest
    assert last_publication()["kind"] == "rollback"


def test_one_goes_back_only_to_what_was_in_force():
    found = proposed()

    for digest in (found.digest, "0" * 64):
        with pytest.raises(NeverInForce):
            propose_rollback(digest=digest, maker=employee("operations"), reason="")

    assert len(bundle_proposals()) == 1


def test_in_shadow_a_proposal_is_counted_beside_the_rules_and_grants_nothing():
    old = shipped("payments").content
    rent = """
    @id("payments-no-rent") @customer("No.") @staff("No rent.")
    forbid (principal, action == Action::"payments.transfer", resource)
    when { context.amount_minor == 125000 };"""
    found = proposed(Bundle(old.model_copy(update={"cedar": old.cedar + rent})))
    decided(payment(), customer())
    start_shadow(proposal_id=found.id, by=employee("process_owner"))

    during = decided(payment(), customer())
    decided(payment(1_000), customer())
    done = run_shadows_once()

    shadow = bundle_proposals()[0].shadow
    assert during.verdict is Verdict.NEEDS_STEP_UP
    assert (done, shadow.replayed, shadow.flipped) == (1, 2, 1)
    by = json.loads(shadow.result)["by"]
    assert by["action"] == {"payments.transfer: needs_step_up > deny": 1}
    assert by["rule"] == {"payments-no-rent: needs_step_up > deny": 1}


def test_a_shadow_run_goes_on_where_it_was_left():
    old = shipped("payments").content
    rent = """
    @id("payments-no-rent") @customer("No.") @staff("No rent.")
    forbid (principal, action == Action::"payments.transfer", resource)
    when { context.amount_minor == 125000 };"""
    found = proposed(Bundle(old.model_copy(update={"cedar": old.cedar + rent})))
    start_shadow(proposal_id=found.id, by=employee("process_owner"))
    decided(payment(), customer())
    run_shadows_once()

    decided(payment(1_000), customer())
    decided(payment(), customer())
    run_shadows_once()

    shadow = bundle_proposals()[0].shadow
    result = json.loads(shadow.result)
    assert (shadow.replayed, shadow.flipped, result["replayed"]) == (3, 2, 3)
    assert result["flips"] == {"needs_step_up > deny": 2}
    assert result["load"] == {"second factor": [2, 0]}
    assert len(result["examples"]) == 2
    assert result["since"] == shadow.started_at.isoformat()


def test_the_clock_tries_what_is_settled_and_nothing_twice():
    found = proposed()
    start_shadow(proposal_id=found.id, by=employee("process_owner"))
    assert follow_shadows_once() == 0

    decided(payment(), customer())

    assert follow_shadows_once() == 0
    assert bundle_proposals()[0].shadow.replayed == 0


def test_a_report_is_stale_once_other_rules_of_its_area_are_in_force():
    found, other = proposed(), proposed(changed(NO_RENT.replace("no-rent", "no-noise")))
    published(other)

    with pytest.raises(ReportStale) as refused:
        published(found)

    assert (refused.value.code, refused.value.area) == ("report_stale", "changes")
    assert in_force() == other.digest
    assert bundle_proposals()[1].outcome == ""


def test_rules_of_another_area_do_not_make_a_report_stale_if_it_still_says_what_is_so():
    found = proposed()
    payments = shipped("payments").content
    reworded = payments.cedar.replace("You may pay from your own account.", "You may pay.")
    published(proposed(Bundle(payments.model_copy(update={"cedar": reworded}))))

    published(found)

    assert in_force() == found.digest


def test_the_report_tells_what_it_makes_of_the_newest_decisions_and_the_log_names_it():
    decided(payment(), customer())

    found = proposed()
    published(found)

    simulated = json.loads(found.report)["simulation"]
    assert (simulated["replayed"], simulated["flips"]) == (1, {})
    assert simulated["decisions_max"] == DECISIONS_MAX
    said = last_publication()
    assert (said["report"], said["simulation"]) == (found.report_digest, simulated["digest"])


def test_the_rules_can_ask_for_a_time_in_shadow():
    bank = bank_bundle().content
    asking = Bundle(bank.model_copy(update={"gate": ShadowRule(shadow_decisions=1)}))
    published(proposed(asking))
    found = proposed()

    with pytest.raises(ShadowTooShort) as refused:
        published(found)
    start_shadow(proposal_id=found.id, by=employee("process_owner"))
    with pytest.raises(ShadowTooShort):
        published(found)
    decided(payment(), customer())
    run_shadows_once()
    published(found)

    assert (refused.value.code, refused.value.decisions) == ("shadow_too_short", 1)
    assert in_force() == found.digest


def test_proposals_and_their_ends_are_never_changed(owner_connection):
    proposed()

    for table in ("sentinel_proposal", "sentinel_proposal_end", "sentinel_shadow"):
        with pytest.raises((DatabaseError, psycopg.Error)), transaction.atomic():
            connection.cursor().execute(f"DELETE FROM {table}")
