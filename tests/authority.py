"""What tests of authority are made of: a bank with rules in force, people, a payment, its facts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction

from deploy.rulebook import shipped_bundles
from sentinel.public import (
    LegalEntity,
    answer_step_up,
    approve,
    authenticator_code,
    decide,
    enrol_totp,
    govern,
    has_factor,
    install_genesis,
    is_genesis_done,
    record_outcome,
    redeem,
)
from sentinel.vocabulary import Action, Fact, OutcomeKind, Principal, Provenance, Source

NL = LegalEntity("meridian-nl", "Meridian Bank", "NL", "EUR")
BE = LegalEntity("meridian-be", "Meridian Bank België", "BE", "EUR")
LEDGER = "urn:connector:ledger"
LANDLORD = "NL91ABNA0417164300"
STRANGER = "NL20INGB0001234567"


def now():
    return datetime.now(UTC)


def found_bank(entity=NL, caps=None):
    """Put the bank's real rules in force, unless the template already did."""
    if not is_genesis_done(entity=entity.entity):
        start = now() - timedelta(days=1)
        install_genesis(entity=entity, bundles=shipped_bundles(), at=start, caps=caps)


def customer(person=None, entity="meridian-nl"):
    key = uuid4()
    return Principal(f"customer:{key}", "customer", _person(person, key), entity, ("customer",))


def employee(*roles, person=None, entity="meridian-nl"):
    key = uuid4()
    return Principal(f"employee:{key}", "employee", _person(person, key), entity, roles)


def _person(named, key):
    return f"person-{key}" if named is None else named


def system(mandate, entity="meridian-nl"):
    return Principal(f"system:{mandate}", "system", "", entity)


def payment(amount=125_000, iban=LANDLORD, name="Hendriks Vastgoed B.V.", **changes):
    """A payment the customer typed; any parameter can be changed by name."""
    parameters = {
        "debtor_account_id": str(uuid4()),
        "creditor_iban": iban,
        "creditor_name": name,
        "amount": {"minor_units": amount, "currency": "EUR"},
        "fee": {"minor_units": 0, "currency": "EUR"},
        "remittance": "Rent November",
        "execution_date": "2026-11-21",
        "end_to_end_id": "RENT-11",
        **changes,
    }
    typed = Source(Provenance.CUSTOMER_TYPED, "turn:1")
    return Action(
        kind="payments.transfer",
        parameters=parameters,
        resource=f"account:{parameters['debtor_account_id']}",
        case_id=uuid4(),
        idempotency_key=str(uuid4()),
        sources=dict.fromkeys(parameters, typed),
    )


def with_parameters(action, **changes):
    return replace(action, parameters={**action.parameters, **changes})


def with_source(action, parameter, provenance, reference="document:1"):
    sources = {**action.sources, parameter: Source(provenance, reference)}
    return replace(action, sources=sources)


GOOD = {
    "account_status": "open",
    "customer_status": "active",
    "own_account": True,
    "screening_status": "clear",
    "screening_age_seconds": 3600,
    "screening_list": "sample",
    "fraud_score_permille": 40,
    "fraud_band": "low",
    "payee_known": True,
    "payee_iban_matches_known": True,
    "name_check": "match",
}


def facts(at=None, without=(), **changes):
    """Fresh facts under which a payment by the customer is fine but for the second factor."""
    values = {name: value for name, value in {**GOOD, **changes}.items() if name not in without}
    seen = at or now()
    return [Fact(name, value, "nexus_fact:1", seen) for name, value in values.items()]


def decided(action, principal, given=None, purpose="payments", at=None):
    """Decide in a transaction of its own, which commits."""
    with transaction.atomic():
        return decide(
            action=action,
            principal=principal,
            facts=facts() if given is None else given,
            purpose=purpose,
            at=at or now(),
        )


def step_up(challenge_id, principal, at=None):
    """Give the code the person's authenticator shows."""
    if not has_factor(principal_id=principal.id):
        enrol_totp(principal_id=principal.id)
    moment = at or now()
    code = authenticator_code(principal_id=principal.id, at=moment)
    return answer_step_up(challenge_id=challenge_id, principal=principal, code=code, at=moment)


def confirmed(action, principal, given=None):
    """Decide, give the second factor, and decide again: a permit with its token."""
    first = decided(action, principal, given)
    step_up(first.challenge_id, principal)
    return decided(action, principal, given)


def approved(decision, approver, verdict="approve", at=None):
    return approve(
        request_id=decision.approval_request_id,
        approver=approver,
        verdict=verdict,
        comment="Looked at it",
        params_hash=decision.params_hash,
        at=at or now(),
    )


def spent(decision, action, audience=LEDGER):
    with transaction.atomic():
        return redeem(token=decision.token, action=action, audience=audience)


def done(decision, kind=OutcomeKind.DONE):
    with transaction.atomic():
        return record_outcome(decision_id=decision.id, kind=kind, code="posted", reference="t:1")


def change(kind, parameters):
    """A change of Sentinel itself, as an employee types it."""
    typed = Source(Provenance.SYSTEM, "console:1")
    return Action(
        kind=kind,
        parameters=parameters,
        resource=f"{kind.partition('.')[0]}:{uuid4()}",
        case_id=uuid4(),
        idempotency_key=str(uuid4()),
        sources=dict.fromkeys(parameters, typed),
    )


def changed(action, maker, checker=None):
    """Carry a change out: proposed by one person and, where asked, approved by another."""
    first = decided(action, maker, (), "operations")
    if checker is not None:
        approved(first, checker)
        first = decided(action, maker, (), "operations")
    with transaction.atomic():
        return govern(action=action, token=first.token)


def set_limit(name, holder, cap, maker=None, checker=None):
    """Set a limit with two people."""
    parameters = {
        "name": name,
        "holder": holder,
        "cap": {"minor_units": cap.minor_units, "currency": cap.currency},
    }
    action = change("limits.set", parameters)
    return changed(
        action, maker or employee("operations"), checker or employee("compliance_officer")
    )


def throw(scope, by=None):
    """Stop a scope."""
    action = change("kill_switch.throw", {"scope": scope, "reason": "drill"})
    return changed(action, by or employee("operations"))


def release(scope):
    """Let a scope go on, with two people."""
    action = change("kill_switch.release", {"scope": scope, "reason": "over"})
    return changed(action, employee("operations"), employee("compliance_officer"))


def count(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


def counts():
    """What a refusal must leave alone."""
    return {table: count(table) for table in ("sentinel_redemption", "sentinel_reservation")}


def record_kinds(decision_id: UUID):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind FROM sentinel_record WHERE decision_id = %s ORDER BY recorded_at",
            [decision_id],
        )
        return [kind for (kind,) in cursor.fetchall()]


def eur(minor_units):
    return {"minor_units": minor_units, "currency": "EUR"}


def granted(holder, *kinds, maker=None, checker=None, **said):
    """Write down an authority of a principal or a role, with two people; a mandate unless said."""
    parameters = {**named(holder), "kind": "mandate", "powers": "act", "kinds": list(kinds)}
    action = change("authority.grant", {**parameters, "reason": "as agreed", **said})
    return changed(
        action, maker or employee("operations"), checker or employee("compliance_officer")
    )


def delegated(delegator, holder, *kinds, checker=None, **said):
    """Delegate to a principal, with a second person's approval."""
    until = (now() + timedelta(days=7)).isoformat()
    parameters = {**named(holder), "powers": "act", "kinds": list(kinds), "valid_until": until}
    action = change("authority.delegate", {**parameters, "reason": "away", **said})
    is_compliance = "compliance_officer" in delegator.roles
    second = employee("operations" if is_compliance else "compliance_officer")
    return changed(action, delegator, checker or second)


def revoked(outcome):
    """End an authority, with two people."""
    parameters = {"authority": str(outcome.decision_id), "reason": "over"}
    action = change("authority.revoke", parameters)
    return changed(action, employee("operations"), employee("compliance_officer"))


def named(holder):
    """How the holder of an authority is named: a principal, or a role."""
    if isinstance(holder, str):
        return {"holder": f"role:{holder}"}
    return {
        "holder": holder.id,
        "holder_person": holder.person_id,
        "holder_roles": [role for role in holder.roles if holder.kind == "employee"],
    }


def forgotten(subject, maker=None, checker=None):
    """Erase a person's data, with two people."""
    action = change("subjects.forget", {"subject": subject, "reason": "asked for it"})
    return changed(
        action, maker or employee("operations"), checker or employee("compliance_officer")
    )


def on_hold(subject, until=None):
    """Put a legal hold on a person, with two people."""
    said = {"subject": subject, "reason": "file 2026-114", "until": until and until.isoformat()}
    action = change("subjects.hold", said)
    return changed(action, employee("operations"), employee("compliance_officer"))


def let_go(hold):
    """End a legal hold, with two people."""
    action = change("subjects.release", {"hold": str(hold.decision_id), "reason": "file closed"})
    return changed(action, employee("operations"), employee("compliance_officer"))
