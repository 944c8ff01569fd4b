"""What only people of record do: no bundle, no account and no bulk gets past it."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from deploy.rulebook import shipped_bundles
from sentinel.policy.publishing import forget_compiled
from sentinel.public import (
    Bundle,
    LegalEntity,
    action_kinds,
    install_genesis,
    legal_entity,
)
from sentinel.vocabulary import Principal, Verdict
from tests.authority import (
    approved,
    change,
    count,
    customer,
    decided,
    employee,
    now,
    payment,
    system,
)

pytestmark = pytest.mark.usefixtures("bank")
FORBIDDEN = "when { context.human_only && (principal is Agent || principal is System) };"
AGENTS_MAY = """
@id("agents-govern")
@customer("An agent may.")
@staff("An agent may set limits and turn switches.")
permit (
  principal,
  action in [Action::"limits.set", Action::"kill_switch.throw", Action::"kill_switch.release"],
  resource
)
when { principal is Agent || principal is System };
"""
OPEN = LegalEntity("meridian-open", "Meridian Open", "NL", "EUR")


@pytest.fixture(autouse=True)
def compiled_anew():
    yield
    forget_compiled()


def codes(decision):
    return tuple(reason.policy_id for reason in decision.reasons)


def edited(bundle):
    """The bundle as somebody would have it who wants machines to govern."""
    content = bundle.content
    cedar = content.cedar.replace(FORBIDDEN, 'when { context.purpose == "none" };')
    if content.area == "governance":
        cedar += AGENTS_MAY
    kept = tuple(case for case in content.tests.cases if case.by != ("human-only",))
    tests = content.tests.model_copy(update={"cases": kept})
    return Bundle(content.model_copy(update={"cedar": cedar, "tests": tests}))


@pytest.fixture
def open_to_machines(bank):
    """A bank that began with rules under which any agent or system may govern."""
    bundles = [edited(bundle) for bundle in shipped_bundles()]
    assert {bundle.digest for bundle in bundles} != {each.digest for each in shipped_bundles()}
    install_genesis(entity=OPEN, bundles=bundles, at=now() - timedelta(days=1))
    with legal_entity(entity=OPEN.entity):
        yield


def stop_all():
    return change("kill_switch.throw", {"scope": "all", "reason": "x"})


def agent(on_behalf_of=None, entity="meridian-nl"):
    return Principal("agent:assistant", "agent", "", entity, ("assistant",), on_behalf_of)


def operations():
    return employee("operations", entity=OPEN.entity)


@pytest.mark.parametrize(
    "who",
    [
        agent(entity=OPEN.entity),
        system("journeys", OPEN.entity),
        agent(operations(), OPEN.entity),
        replace(operations(), on_behalf_of=agent(entity=OPEN.entity)),
    ],
    ids=["agent", "system", "agent for a person", "person for an agent"],
)
@pytest.mark.usefixtures("open_to_machines")
def test_no_bundle_gives_a_machine_what_is_kept_for_people(who):
    refused = decided(stop_all(), who, (), "operations")

    assert codes(refused) == ("human_only",)
    assert refused.token is None
    assert decided(stop_all(), operations(), (), "operations").verdict is Verdict.PERMIT


def test_the_database_knows_every_kind_that_is_kept_for_people():
    kinds = [entry.kind for entry in action_kinds()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT k FROM unnest(%s::text[]) k WHERE sentinel_is_human_only(k)", [kinds]
        )
        kept = {kind for (kind,) in cursor.fetchall()}

    assert kept == {entry.kind for entry in action_kinds() if entry.human_only}


@pytest.mark.parametrize("principal", ["agent:assistant", "system:journeys"])
def test_the_database_takes_no_such_permit_for_a_machine(principal):
    before = count("sentinel_decision")

    with pytest.raises(DatabaseError, match="kept for people"), transaction.atomic():
        _write_permit("limits.set", principal)

    assert count("sentinel_decision") == before
    _write_permit("payments.transfer", principal)
    _write_permit("limits.set", "employee:1")
    assert count("sentinel_decision") == before + 2


def _write_permit(kind, principal):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_decision (id, action_kind, verdict, principal_id, subject,"
            " resource, case_id, purpose, idempotency_key, policies, bundle, expires_at, record_id,"
            " decided_at) VALUES (%s, %s, 'permit', %s, '', '', %s, '', %s, '{}', '', now(), %s,"
            " now())",
            [uuid4(), kind, principal, uuid4(), str(uuid4()), uuid4()],
        )


@pytest.mark.parametrize("who", [customer(person=""), employee("operations", person="")])
def test_whoever_is_no_person_of_record_does_nothing(who):
    assert codes(decided(payment(), who)) == ("no_person_of_record",)
    assert codes(decided(payment(), agent(who))) == ("no_person_of_record",)


@pytest.fixture
def waiting():
    return decided(payment(amount=500_001), customer(person="person-anna"))


@pytest.mark.parametrize(
    ("approver", "person"),
    [
        ("employee:2", "person-anna"),
        ("employee:2", ""),
        ("customer:2", "person-bob"),
        ("agent:assistant", "person-bob"),
    ],
)
def test_the_database_takes_no_answer_from_who_may_not_answer(waiting, approver, person):
    with pytest.raises(DatabaseError, match="not this person"), transaction.atomic():
        _answer(waiting.approval_request_id, approver, person, waiting.params_hash)

    assert count("sentinel_approval") == 0
    _answer(waiting.approval_request_id, "employee:2", "person-bob", waiting.params_hash)
    assert count("sentinel_approval") == 1


def test_the_database_takes_no_answer_about_other_parameters(waiting):
    with pytest.raises(DatabaseError, match="not this person"), transaction.atomic():
        _answer(waiting.approval_request_id, "employee:2", "person-bob", "00" * 32)

    assert count("sentinel_approval") == 0


def _answer(request, approver, person, params_hash):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_approval (request_id, approver_id, approver_person, verdict,"
            " params_hash, answered_at) VALUES (%s, %s, %s, 'approve', %s, now())",
            [request, approver, person, bytes.fromhex(params_hash)],
        )


def test_nobody_answers_two_requests_of_high_risk_at_once():
    omar, first, second = (
        employee("operations"),
        decided(payment(amount=500_001), customer()),
        decided(payment(amount=500_002), customer()),
    )
    approved(first, omar)

    with pytest.raises(DatabaseError, match="one at a time"):
        approved(second, omar)

    assert count("sentinel_approval") == 1
    approved(second, employee("operations"))


def test_one_answer_serves_one_request(waiting):
    omar = employee("operations")
    approved(waiting, omar)
    other = decided(payment(amount=500_001), customer())

    assert other.verdict is Verdict.NEEDS_APPROVAL
    assert other.approval_request_id != waiting.approval_request_id
