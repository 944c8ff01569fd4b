"""Policies change when a second person publishes what a first one proposed, and only then."""

from datetime import timedelta

import pytest

from deploy.rulebook import shipped_bundles
from sentinel.policy.cases import PolicyCase
from sentinel.policy.engine import compile_rules
from sentinel.policy.proving import BundleBreaksInvariant
from sentinel.policy.publishing import bundles_in_force, forget_compiled
from sentinel.policy.trials import BundleTestsFailed, BundleUntested, tried
from sentinel.public import (
    Bundle,
    BundleRefused,
    ProposalUnknown,
    SamePerson,
    action_kinds,
    bank_bundle,
    propose_bundle,
    publish_bundle,
)
from sentinel.vocabulary import Verdict
from tests.authority import count, customer, decided, employee, now, payment

pytestmark = pytest.mark.usefixtures("bank")
TABLES = ("sentinel_bundle", "sentinel_publication", "sentinel_record")
NOBODY_PAYS = """
@id("payments-nobody")
@customer("Nobody pays the rent today.")
@staff("Nobody pays 1,250.00.")
forbid (principal, action == Action::"payments.transfer", resource)
when { context.amount_minor == 125000 };
"""
EVERYBODY_ADDS = """
@id("payees-adviser-adds")
@customer("An adviser may add a payee for you.")
@staff("An adviser may add payees.")
permit (principal in Role::"adviser", action == Action::"payees.add", resource);
"""
ADVISER_ADDS = PolicyCase(
    name="an adviser adds a payee",
    who="employee:adviser",
    action="payees.add",
    expect="permit",
    by=("payees-adviser-adds",),
)


@pytest.fixture(autouse=True)
def compiled_anew():
    yield
    forget_compiled()


def changed(added=NOBODY_PAYS, cases=()):
    old = next(each for each in shipped_bundles() if each.content.area == "payments").content
    tests = old.tests.model_copy(update={"cases": (*old.tests.cases, *cases)})
    return Bundle(old.model_copy(update={"cedar": old.cedar + added, "tests": tests}))


def bank_wide(old, new):
    bank = bank_bundle().content
    assert old in bank.cedar
    return Bundle(bank.model_copy(update={"cedar": bank.cedar.replace(old, new)}))


def refused(bundle, error):
    """Propose what must be refused, see that nothing was kept, and return the problems."""
    before = untouched()
    with pytest.raises(error) as caught:
        propose_bundle(bundle=bundle, maker=employee("compliance_officer"))
    assert untouched() == before
    return caught.value.problems


def untouched():
    return {table: count(table) for table in TABLES}


def in_force():
    return {bundle.digest for bundle in bundles_in_force(None)}


def verdict():
    return decided(payment(), customer()).verdict


def test_a_proposed_bundle_is_in_force_once_a_second_person_publishes_it():
    maker, checker = employee("compliance_officer"), employee("compliance_officer")
    before = verdict()

    digest = propose_bundle(bundle=changed(), maker=maker)
    proposed = (digest in in_force(), verdict())
    publish_bundle(digest=digest, checker=checker, effective_from=now())

    assert before is not Verdict.DENY
    assert proposed == (False, before)
    assert digest in in_force()
    assert verdict() is Verdict.DENY


def test_who_proposed_a_bundle_cannot_publish_it():
    maker = employee("compliance_officer")
    digest = propose_bundle(bundle=changed(), maker=maker)
    before = untouched()

    with pytest.raises(SamePerson):
        publish_bundle(digest=digest, checker=maker, effective_from=now())
    other_role = employee("operations", person=maker.person_id)
    with pytest.raises(SamePerson):
        publish_bundle(digest=digest, checker=other_role, effective_from=now())

    assert untouched() == before
    assert digest not in in_force()


def test_a_bundle_nobody_proposed_is_not_published():
    before = untouched()

    with pytest.raises(ProposalUnknown):
        publish_bundle(
            digest=changed().digest, checker=employee("compliance_officer"), effective_from=now()
        )

    assert untouched() == before


def test_a_bundle_that_speaks_of_others_is_not_even_proposed():
    before = untouched()
    foreign = NOBODY_PAYS.replace("payments.transfer", "cards.block")

    with pytest.raises(BundleRefused):
        propose_bundle(bundle=changed(foreign), maker=employee("compliance_officer"))

    assert untouched() == before


def test_a_bundle_for_tomorrow_changes_nothing_today():
    digest = propose_bundle(bundle=changed(), maker=employee("compliance_officer"))

    publish_bundle(
        digest=digest,
        checker=employee("compliance_officer"),
        effective_from=now() + timedelta(days=1),
    )

    assert digest not in in_force()
    assert digest in {bundle.digest for bundle in bundles_in_force(now() + timedelta(days=2))}
    assert verdict() is not Verdict.DENY


def test_every_policy_that_ships_decides_a_case_and_every_case_holds():
    shipped = shipped_bundles()
    rules = compile_rules(shipped, action_kinds())

    trials = [tried(rules, shipped, about=bundle) for bundle in shipped]

    assert [trial.failures for trial in trials] == [()] * len(shipped)
    assert [trial.permits_untried for trial in trials] == [()] * len(shipped)
    assert [trial.forbids_untried for trial in trials] == [()] * len(shipped)


def test_a_permit_that_no_case_exercises_is_not_proposed():
    problems = refused(changed(EVERYBODY_ADDS), BundleUntested)

    assert problems == ("payees-adviser-adds: no case shows what it permits",)


def test_a_permit_with_its_case_is_proposed():
    bundle = changed(EVERYBODY_ADDS, (ADVISER_ADDS,))

    digest = propose_bundle(bundle=bundle, maker=employee("compliance_officer"))

    assert digest == bundle.digest


def test_a_case_that_fails_is_named_and_the_bundle_is_not_proposed():
    wrong = ADVISER_ADDS.model_copy(update={"who": "employee:operations"})

    problems = refused(changed(EVERYBODY_ADDS, (wrong,)), BundleTestsFailed)

    assert problems == (
        "payments: an adviser adds a payee: deny by no policy, expected permit by"
        " payees-adviser-adds",
    )


def test_a_bank_wide_change_that_breaks_a_journeys_case_is_not_proposed():
    stopped = "when { context.is_stopped };"
    tighter = bank_wide(stopped, 'when { context.is_stopped || principal in Role::"adviser" };')

    problems = refused(tighter, BundleTestsFailed)

    assert {"cards", "payments", "servicing"} <= {each.partition(":")[0] for each in problems}
    assert (
        "cards: an adviser issues a card: deny by kill-switch, expected permit by cards-issue"
    ) in problems


def test_a_hit_that_trust_could_clear_is_not_proposed_although_all_cases_hold():
    cleared = bank_wide(
        'context.screening_status == "hit" };',
        'context.screening_status == "hit" }\n'
        "unless { context has payee_trusted && context.payee_trusted };",
    )

    problems = refused(cleared, BundleBreaksInvariant)

    assert "never-a-sanctions-hit: payments.transfer could be permitted" in problems
