"""Policies change when a second person publishes what a first one proposed, and only then."""

from datetime import timedelta

import pytest

from deploy.rulebook import shipped_bundles
from sentinel.policy.publishing import bundles_in_force, forget_compiled
from sentinel.public import (
    Bundle,
    BundleRefused,
    ProposalUnknown,
    SamePerson,
    propose_bundle,
    publish_bundle,
)
from sentinel.vocabulary import Verdict
from tests.authority import count, customer, decided, employee, now, payment

pytestmark = pytest.mark.usefixtures("bank")
TABLES = ("sentinel_bundle", "sentinel_publication", "sentinel_record")
NOBODY_PAYS = """
@id("payments-nobody")
@customer("Nobody pays today.")
@staff("Nobody pays.")
forbid (principal, action == Action::"payments.transfer", resource);
"""


@pytest.fixture(autouse=True)
def compiled_anew():
    yield
    forget_compiled()


def changed(added=NOBODY_PAYS):
    old = next(each for each in shipped_bundles() if each.content.area == "payments")
    return Bundle(old.content.model_copy(update={"cedar": old.content.cedar + added}))


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
