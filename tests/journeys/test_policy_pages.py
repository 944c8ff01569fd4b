"""A change of the rules on the console: read with its report, agreed to by a second person."""

import pytest

from deploy.rulebook import shipped_bundles
from sentinel.policy.publishing import forget_compiled
from sentinel.public import (
    Bundle,
    bundle_proposals,
    propose_bundle,
    publications,
)
from tests.authority import decided, forgotten, payment
from tests.journeys.test_hostile_browser import signed_in

INDEX = "/console/rules/changes/"
QUIET = """
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


@pytest.fixture
def carla(bank):
    return signed_in("carla")


def proposed(maker, added=QUIET, old="", new=""):
    found = next(each.content for each in shipped_bundles() if each.content.area == "changes")
    assert old in found.cedar
    cedar = found.cedar.replace(old, new, 1) if old else found.cedar
    propose_bundle(
        bundle=Bundle(found.model_copy(update={"cedar": cedar + added})),
        maker=maker,
        reason="Quiet days",
    )
    return bundle_proposals()[0]


def in_force():
    return next(each for each in publications() if each.area == "changes" and each.is_in_force)


def test_a_proposal_is_listed_and_its_report_can_be_read(bank, carla):
    found = proposed(bank.employees["petra"])

    listed = carla.get(INDEX).content.decode()
    page = carla.get(f"{INDEX}{found.id}/").content.decode()

    assert f"{INDEX}{found.id}/" in listed
    assert "added: </span>when { context.purpose == &quot;compliance&quot; };</ins>" in page
    assert "Nothing that was denied is permitted" in page
    assert "changes-no-rent" in page
    assert found.report_digest in page


def test_what_it_permits_anew_is_said_in_words(bank, carla):
    old = 'principal in Role::"process_owner"'
    found = proposed(bank.employees["petra"], "", old, f'{old} || principal in Role::"underwriter"')

    page = carla.get(f"{INDEX}{found.id}/").content.decode()

    assert "employee with underwriter could do flows." in page
    assert "Nothing that was denied is permitted" not in page


def test_a_second_person_publishes_what_the_page_showed(bank, carla):
    found = proposed(bank.employees["petra"])

    asked = carla.get(f"{INDEX}{found.id}/publish/").content.decode()
    answer = carla.post(f"{INDEX}{found.id}/publish/", {"report": found.report_digest})
    page = carla.get(answer["Location"]).content.decode()

    assert found.report_digest in asked
    assert in_force().digest == found.digest
    assert "Published" in page


@pytest.mark.parametrize(("report", "code"), [("0" * 64, "report_differs"), ("", "report_differs")])
def test_agreeing_to_another_report_publishes_nothing(bank, carla, report, code):
    found, before = proposed(bank.employees["petra"]), in_force()

    answer = carla.post(f"{INDEX}{found.id}/publish/", {"report": report})

    assert answer.status_code == 422
    assert code in answer.content.decode()
    assert in_force() == before


def test_whoever_proposed_it_cannot_publish_it(bank, carla):
    found, before = proposed(bank.employees["carla"]), in_force()

    answer = carla.post(f"{INDEX}{found.id}/publish/", {"report": found.report_digest})

    assert answer.status_code == 422
    assert "somebody else has to answer it" in answer.content.decode()
    assert in_force() == before


def test_a_report_that_went_stale_is_refused_in_words(bank, carla):
    found = proposed(bank.employees["petra"])
    other = proposed(bank.employees["petra"], QUIET.replace("no-rent", "no-noise"))
    carla.post(f"{INDEX}{other.id}/publish/", {"report": other.report_digest})

    answer = carla.post(f"{INDEX}{found.id}/publish/", {"report": found.report_digest})

    assert answer.status_code == 422
    assert "The rules changed after this report was written" in answer.content.decode()
    assert "report_stale" in answer.content.decode()
    assert in_force().digest == other.digest


def test_a_proposal_is_rejected_with_a_reason_and_has_ended(bank, carla):
    found = proposed(bank.employees["petra"])

    carla.post(f"{INDEX}{found.id}/reject/", {"comment": "Too quiet"})
    again = carla.post(f"{INDEX}{found.id}/publish/", {"report": found.report_digest})

    assert bundle_proposals()[0].comment == "Too quiet"
    assert "proposal_ended" in again.content.decode()


def test_going_back_is_proposed_to_a_second_person(bank, carla):
    before, found = in_force(), proposed(bank.employees["petra"])
    carla.post(f"{INDEX}{found.id}/publish/", {"report": found.report_digest})

    answer = carla.post(f"{INDEX}back/", {"digest": before.digest, "reason": "Too loud"})
    (back,) = [each for each in bundle_proposals() if each.kind == "rollback"]
    published = carla.post(f"{INDEX}{back.id}/publish/", {"report": back.report_digest})

    assert answer["Location"] == f"{INDEX}{back.id}/"
    assert "same_person" in published.content.decode()
    assert in_force().digest == found.digest


def test_one_does_not_go_back_to_what_never_was(carla):
    answer = carla.post(f"{INDEX}back/", {"digest": "0" * 64, "reason": "?"})

    assert answer.status_code == 422
    assert "never_in_force" in answer.content.decode()


def test_a_proposal_is_tried_from_the_page(bank, carla):
    found = proposed(bank.employees["petra"])
    bank.chat().says("pay Hendriks Vastgoed 250 euro for the rent")

    page = carla.get(f"{INDEX}{found.id}/", {"days": "7"}).content.decode()

    assert "Tried now on the last 7 days" in page
    assert "Nothing comes out otherwise" in page


@pytest.mark.parametrize("name", ["omar", "petra"])
def test_only_compliance_opens_it(bank, name):
    assert signed_in(name).get(INDEX).status_code == 403


def test_what_is_no_proposal_or_no_step_is_not_there(bank, carla):
    found = proposed(bank.employees["petra"])

    missing = carla.get(f"{INDEX}00000000-0000-4000-8000-000000000000/")

    assert missing.status_code == 404
    assert carla.get(f"{INDEX}{found.id}/forget/").status_code == 404


def test_a_decision_is_judged_again_on_its_page(bank, carla):
    decision = decided(payment(), bank.anna)

    linked = carla.get(f"/console/decisions/{decision.id}/").content.decode()
    page = carla.get(f"/console/decisions/{decision.id}/otherwise/").content.decode()

    assert f"/console/decisions/{decision.id}/otherwise/" in linked
    assert "Its own rules give what was recorded" in page
    assert "The least that would have changed it" in page


def test_judging_again_says_so_where_it_was_erased(bank, carla):
    decision = decided(payment(), bank.anna)
    forgotten(bank.anna.id)

    page = carla.get(f"/console/decisions/{decision.id}/otherwise/")

    assert page.status_code == 200
    assert "was forgotten at its subject" in page.content.decode()
