"""Delegations lie within what they come from, and end with it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from sentinel.vocabulary import OutcomeKind, Principal, Verdict
from tests.authority import (
    change,
    decided,
    delegated,
    employee,
    eur,
    granted,
    now,
    revoked,
)
from tests.layers.sentinel.authority_questions import THROW, later, reasons, rows, thrown

pytestmark = pytest.mark.usefixtures("bank")


def test_a_colleague_stands_in_until_the_delegation_ends():
    fatima, eva = employee("fraud_analyst"), employee("adviser")
    standing_in = delegated(fatima, eva, THROW, role="fraud_analyst")
    assert standing_in.kind is OutcomeKind.DONE
    assert thrown(eva).verdict is Verdict.PERMIT

    revoked(standing_in)

    assert reasons(thrown(eva)) == ["no_permit"]


def test_a_delegation_is_over_when_its_time_is():
    fatima, eva = employee("fraud_analyst"), employee("adviser")
    delegated(fatima, eva, THROW, role="fraud_analyst", valid_until=later(days=1))
    action = change(THROW, {"scope": "action:cards.block", "reason": "drill"})

    decision = decided(action, eva, (), "operations", at=now() + timedelta(days=2))

    assert reasons(decision) == ["no_permit"]


def parents(fatima):
    """A role and a mandate that Fatima holds, each in its own bounds."""
    bounds = {"cap": eur(10_000), "valid_until": later(days=9)}
    return {
        "underwriter": granted(fatima, THROW, kind="role", role="underwriter", **bounds),
        "": granted(fatima, THROW, **bounds),
    }


@pytest.mark.parametrize(
    ("role", "wider", "code"),
    [
        ("underwriter", {"kinds": [THROW, "limits.set"]}, "authority_wider"),
        ("underwriter", {"role": "operations"}, "authority_wider"),
        ("underwriter", {"cap": eur(10_001)}, "authority_wider"),
        ("underwriter", {"cap": None}, "authority_wider"),
        ("underwriter", {"cap": {"minor_units": 1, "currency": "USD"}}, "authority_wider"),
        ("underwriter", {"powers": "approve"}, "authority_wider"),
        ("underwriter", {"powers": "both"}, "authority_wider"),
        ("underwriter", {"days": 10}, "authority_wider"),
        ("underwriter", {"days": -1}, "authority_over"),
        ("", {"cap": eur(10_001)}, "authority_wider"),
        ("", {"role": "operations"}, "authority_wider"),
        ("", {"kinds": ["made.up"]}, "authority_unknown_kind"),
        ("underwriter", {"role": "king"}, "authority_unknown_role"),
    ],
)
def test_a_delegation_lies_within_its_parent(role, wider, code):
    fatima, eva = employee("fraud_analyst"), employee("adviser")
    parent = parents(fatima)[role]
    within = {"role": role, "kinds": [THROW], "cap": eur(10_000), "valid_until": later(days=8)}
    said = {**within, **wider}
    if "days" in said:
        said["valid_until"] = later(days=said.pop("days"))
    before = rows()

    outcome = delegated(fatima, eva, parent=str(parent.decision_id), **said)

    assert (outcome.kind, outcome.code) == (OutcomeKind.FAILED, code)
    assert rows() == before
    written = delegated(fatima, eva, parent=str(parent.decision_id), **within)
    assert written.kind is OutcomeKind.DONE


def test_what_is_for_people_only_goes_to_no_machine():
    fatima = employee("fraud_analyst")
    mandate = granted(fatima, THROW)
    machine = Principal("agent:assistant", "agent", "", fatima.entity)
    before = rows()

    handed_on = delegated(fatima, machine, THROW, parent=str(mandate.decision_id))
    written = granted(machine, "*")

    assert {handed_on.code, written.code} == {"authority_human_only"}
    assert rows() == before


def test_nobody_delegates_what_is_not_theirs():
    fatima, eva, lucas = employee("fraud_analyst"), employee("adviser"), employee("underwriter")
    role = granted(fatima, THROW, kind="role", role="operations")
    parent = str(role.decision_id)
    before = rows()

    others = delegated(lucas, eva, THROW, role="operations", parent=parent)
    no_role = delegated(lucas, eva, THROW, role="operations")
    nothing = delegated(lucas, eva, THROW, role="operations", parent=str(uuid4()))

    assert {each.code for each in (others, no_role, nothing)} == {"authority_not_held"}
    assert rows() == before


def test_nobody_delegates_to_themselves_under_another_account():
    fatima = employee("fraud_analyst")
    other_account = employee("adviser", person=fatima.person_id)
    before = rows()

    outcome = delegated(fatima, other_account, THROW, role="fraud_analyst")

    assert outcome.code == "authority_own_person"
    assert rows() == before


def test_what_was_delegated_twice_is_not_delegated_again():
    people = [employee("fraud_analyst"), *(employee("adviser") for _ in range(3))]
    said = {"role": "fraud_analyst"}
    first = delegated(people[0], people[1], THROW, **said)
    until = later(days=6)
    second = delegated(
        people[1], people[2], THROW, parent=str(first.decision_id), valid_until=until, **said
    )
    assert thrown(people[2]).verdict is Verdict.PERMIT

    third = delegated(
        people[2], people[3], THROW, parent=str(second.decision_id), valid_until=until, **said
    )

    assert third.code == "authority_too_deep"
    assert reasons(thrown(people[3])) == ["no_permit"]


def test_what_a_parent_loses_everybody_below_loses():
    fatima, eva, lucas = employee("fraud_analyst"), employee("adviser"), employee("underwriter")
    role = granted(fatima, THROW, kind="role", role="operations")
    said = {"role": "operations"}
    first = delegated(fatima, eva, THROW, parent=str(role.decision_id), **said)
    delegated(eva, lucas, THROW, parent=str(first.decision_id), valid_until=later(days=6), **said)
    assert thrown(lucas).verdict is Verdict.PERMIT

    revoked(role)

    assert reasons(thrown(eva)) == ["no_permit"]
    assert reasons(thrown(lucas)) == ["no_permit"]
    again = delegated(eva, lucas, THROW, parent=str(first.decision_id), **said)
    assert again.code == "authority_ended"


def test_a_delegated_mandate_adds_to_what_the_role_may_and_ends_with_it():
    nadia, omar = employee("operations"), employee("operations")
    granted("operations", THROW, valid_from=later(days=30))
    mandate = granted(nadia, THROW)
    assert reasons(thrown(omar)) == ["no_mandate"]

    standing_in = delegated(nadia, omar, THROW, parent=str(mandate.decision_id))
    during = thrown(omar)
    revoked(standing_in)

    assert during.verdict is Verdict.PERMIT
    assert reasons(thrown(omar)) == ["no_mandate"]
