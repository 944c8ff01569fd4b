"""The whole catalogue, asked for by one customer in the name of another: nothing may happen."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

import nexus.public
from deploy.sample.people import customers_of
from deploy.sample.story import LANDLORD_IBAN, MERIDIAN_NL
from orchestration import act
from orchestration.act import perform_action
from orchestration.actions import call_action, proposal_of, undecided
from orchestration.step_results import Answered, Parked, Refused, StepContext
from sentinel.public import action_kinds, kill_switches
from sentinel.vocabulary import Action, Principal, Provenance, Source
from tests.sample_bank import CUSTOMERS, SEED

BATCH = {"items_root": "0" * 64, "count": 1}
TYPED = {"provenance": "customer_typed", "reference": "turn:1"}
MONEY = {"minor_units": 100, "currency": "EUR"}
PAYEE = {"creditor_iban": LANDLORD_IBAN, "creditor_name": "Hendriks Vastgoed B.V."}
# What a customer can do at all, and only with what is their own.
REACHABLE = {
    "cards.block",
    "cards.stop",
    "consent.set",
    "payees.add",
    "payments.hold",
    "payments.transfer",
}
MOVED = (
    "ledger_transfer",
    "core_payee",
    "core_card WHERE status = 'blocked'",
    "gc_message",
    "sentinel_redemption",
    "sentinel_reservation",
    "sentinel_approval_request",
    "sentinel_challenge",
)


@dataclass(frozen=True)
class Holder:
    """A customer and what is theirs."""

    party: UUID
    account: UUID
    card: UUID


def holder_of(party: UUID) -> Holder:
    state = nexus.public.customer_state(customer_id=party)
    return Holder(party, state.accounts[0].account_id, state.cards[0].card_id)


BY_HAND = {"instance_id": "i", "reason": "because of it"}
PUT_RIGHT = {
    "flows.pass_over": ("instance:i", {**BY_HAND, "incident_id": "n", "output": "{}"}),
    "flows.change": ("instance:i", {**BY_HAND, "variables": "{}", "moves": "{}"}),
    "flows.release_held": ("instance:i", {**BY_HAND, "effects": "[]"}),
}


def parameters_about(whose: Holder) -> dict[str, tuple[str, dict[str, object]]]:
    """Every kind of action there is: its resource, and parameters that name this customer."""
    party, account = str(whose.party), str(whose.account)
    batch = {"batch_id": str(uuid4()), **BATCH}
    today = datetime.now(UTC).date().isoformat()
    paid = {"debtor_account_id": account, **PAYEE, "amount": MONEY, "remittance": "Rent"}
    return {
        "payments.transfer": (
            f"account:{account}",
            {
                **paid,
                "fee": {**MONEY, "minor_units": 0},
                "execution_date": today,
                "end_to_end_id": "E-1",
            },
        ),
        "payments.hold": (f"account:{account}", {**paid, "timeout_seconds": 60}),
        "payments.post_hold": (f"account:{account}", {"hold_id": str(uuid4()), "amount": MONEY}),
        "payments.void_hold": (f"account:{account}", {"hold_id": str(uuid4())}),
        "ledger.post_batch": (f"account:{account}", {**batch, "total": MONEY}),
        "parties.register": (f"party:{party}", batch),
        "accounts.open": (f"account:{account}", batch),
        "accounts.set_status": (f"account:{account}", {"account_id": account, "status": "blocked"}),
        **actions_about_card(str(whose.card), batch),
        **actions_about_letters(party),
        "payees.add": (f"party:{party}", {"party_id": party, "name": "H", "iban": LANDLORD_IBAN}),
        "payees.import": (f"party:{party}", batch),
        "messages.send": (
            f"party:{party}",
            {"recipient": f"customer:{party}", "template": "welcome", "case": None},
        ),
        "screening.load": (
            "screening_list:all",
            {"name": "sample", "version": "2", "count": 1, "digest": "0" * 64},
        ),
        **changes_about(party),
        **changes_of_authority(party),
        **changes_of_memory(party),
        **changes_of_flows(),
        "bank.open": (
            "bank:1",
            {
                "name": "Mine",
                "country": "NL",
                "bank_code": "MINE",
                "currency": "EUR",
                "business_date": today,
            },
        ),
    }


def actions_about_letters(party: str) -> dict[str, tuple[str, dict[str, object]]]:
    """What a print house outside does."""
    letter = {
        "recipient": f"customer:{party}",
        "document_id": str(uuid4()),
        "document_digest": "0" * 64,
        "pages": 1,
    }
    return {"letters.post": (f"party:{party}", letter)}


def actions_about_card(
    card: str, batch: dict[str, object]
) -> dict[str, tuple[str, dict[str, object]]]:
    """What is done with a card, here and at the card processor."""
    named = {
        "cards.issue": batch,
        "cards.block": {"card_id": card, "reason": "lost"},
        "cards.stop": {"card_id": card, "reason": "lost"},
        "cards.release": {"card_id": card, "reason": "undone"},
    }
    return {kind: (f"card:{card}", parameters) for kind, parameters in named.items()}


def changes_about(party: str) -> dict[str, tuple[str, dict[str, object]]]:
    """The changes of Sentinel itself, each about this customer."""
    return {
        "limits.set": (
            f"customer:{party}",
            {"name": "daily_outgoing", "holder": f"customer:{party}", "cap": MONEY},
        ),
        "kill_switch.throw": (
            f"customer:{party}",
            {"scope": f"actor:customer:{party}", "reason": "none of mine"},
        ),
        "kill_switch.release": (
            f"customer:{party}",
            {"scope": f"actor:customer:{party}", "reason": "none of mine"},
        ),
    }


def changes_of_authority(party: UUID) -> dict[str, tuple[str, dict[str, object]]]:
    """The changes of who may decide what, each in favour of this customer."""
    given = {
        "holder": f"customer:{party}",
        "holder_person": "p",
        "powers": "act",
        "kinds": ["payments.transfer"],
        "reason": "because of it",
    }
    until = {"valid_until": "2036-01-01T00:00:00Z"}
    asked = {
        "authority.grant": {**given, "kind": "mandate"},
        "authority.delegate": {**given, **until, "parent": str(uuid4())},
        "authority.revoke": {"authority": str(uuid4()), "reason": "because of it"},
        "authority.separate": {
            "first": "act:limits.set",
            "second": "approve:payments.transfer",
            "is_apart": False,
            "reason": "because of it",
        },
    }
    return {
        kind: (f"customer:{party}", parameters) for kind, parameters in asked.items()
    } | changes_of_emergencies(party)


def changes_of_memory(party: UUID) -> dict[str, tuple[str, dict[str, object]]]:
    """What is held or forgotten of this customer."""
    subject, why = {"subject": f"customer:{party}"}, {"reason": "because of it"}
    asked = {
        "subjects.hold": {**subject, **why, "until": None},
        "subjects.release": {"hold": str(uuid4()), **why},
        "subjects.forget": {**subject, **why},
    }
    return {kind: (f"customer:{party}", parameters) for kind, parameters in asked.items()}


def changes_of_emergencies(party: UUID) -> dict[str, tuple[str, dict[str, object]]]:
    """Breaking glass, and what data is used for, as a customer would."""
    use = {"purpose": "servicing", "data_class": "communication"}
    begun = {
        "kinds": ["accounts.set_status"],
        "minutes": 15,
        "breaker": f"employee:{party}",
        "breaker_person": "p",
        "reason": "because of it, and at once",
    }
    asked = {
        "emergency.begin": begun,
        "consent.set": {**use, "party": str(party), "is_given": False},
        "data_use.set": {**use, "ground": "contract", "is_permitted": True, "reason": "x"},
        "emergency.end": {"emergency": str(uuid4()), "reason": "because of it"},
        "emergency.review": {"emergency": str(uuid4())},
    }
    return {kind: (f"customer:{party}", parameters) for kind, parameters in asked.items()}


def changes_of_flows() -> dict[str, tuple[str, dict[str, object]]]:
    """The changes of how work runs; they name no customer, and are no customer's to make."""
    process = {"process": "send_money"}
    share = {"digest": "0" * 64, "share": 100, "team": None}
    report = {"report_hash": "2" * 64}
    publish = {"proposal_id": str(uuid4()), "base": "1" * 64, **share, **report}
    move = {
        "old_digest": "0" * 64,
        "new_digest": "1" * 64,
        "mapping": {},
        "instances": [str(uuid4())],
        **report,
    }
    return {
        **PUT_RIGHT,
        "flows.publish": ("flow:send_money", {**process, **publish}),
        "flows.roll_out": ("flow:send_money", {**process, **share}),
        "flows.migrate": ("flow:send_money", {**process, **move}),
        "queues.set": (
            "queue:default",
            {
                "queue": "default",
                "cap": 1,
                "share": 1,
                "old_cap": None,
                "old_share": 1,
                "reason": BY_HAND["reason"],
            },
        ),
    }


def speakers(anna: Principal) -> dict[str, Principal]:
    """Everybody who may act with a customer's authority, and the customer alone."""
    entity = anna.entity
    assistant = Principal("agent:assistant", "agent", "", entity, ("assistant",))
    journeys = Principal("system:journeys", "system", "", entity)
    return {
        "customer": anna,
        "assistant": replace(assistant, on_behalf_of=anna),
        "journeys": replace(journeys, on_behalf_of=anna),
    }


def asked(anna: Principal, principal: Principal, kind: str, about: Holder):
    resource, parameters = parameters_about(about)[kind]
    at = datetime.now(UTC)
    customer = UUID(anna.id.removeprefix("customer:"))
    context = StepContext(uuid4(), kind, 1, uuid4(), customer, principal, "payments", at)
    inputs = {
        "parameters": parameters,
        "resource": resource,
        "sources": dict.fromkeys(parameters, TYPED),
        "fraud": {
            "reference": "1",
            "scored_at": at.isoformat(),
            "score_permille": 20,
            "band": "low",
        },
    }
    if act.is_outside(kind):
        return begun_outside(kind, context, inputs)
    with transaction.atomic():
        return call_action(kind, context, inputs)


def begun_outside(kind: str, context: StepContext, inputs: dict[str, object]):
    """Ask Sentinel as the slow path does; nothing is sent."""
    action, facts = proposal_of(kind, context, inputs, context.key)
    acted = act.begin_outside(
        action=action,
        principal=context.principal,
        purpose=context.purpose,
        facts=facts,
        at=context.at,
        keep_token=lambda _decision: True,
    )
    return Answered({}) if acted.decision.token else undecided(acted, context)


def moved():
    with connection.cursor() as cursor:
        found = {}
        for table in MOVED:
            cursor.execute(f"SELECT count(*) FROM {table}")
            found[table] = cursor.fetchone()[0]
        return found


def refused_by_no_rule(results):
    """Return the kinds that were not judged at all, as what was asked made no sense."""
    unjudged = {"bad_parameters", "unknown_action", "bad_resource", "fact_missing"}
    return [
        kind
        for kind, result in results.items()
        if {reason["policy_id"] for reason in result.output["reasons"]} & unjudged
    ]


@pytest.fixture
def bert(bank) -> Holder:
    others = [each.party_id for each in customers_of(MERIDIAN_NL, CUSTOMERS, SEED)]
    return holder_of(next(each for each in others if each != bank.customer_id))


def test_every_kind_of_action_is_asked_for_here(bank):
    assert set(parameters_about(holder_of(bank.customer_id))) == {
        entry.kind for entry in action_kinds()
    }


@pytest.mark.parametrize("speaker", ["customer", "assistant", "journeys"])
def test_no_action_reaches_what_belongs_to_another_customer(bank, bert, speaker):
    principal, before = speakers(bank.anna)[speaker], moved()

    results = {kind: asked(bank.anna, principal, kind, bert) for kind in parameters_about(bert)}

    assert {kind: result.code for kind, result in results.items()} == dict.fromkeys(
        results, "denied"
    )
    assert refused_by_no_rule(results) == []
    assert moved() == before


def test_a_customer_reaches_with_their_own_only_what_is_meant_for_them(bank):
    own = holder_of(bank.customer_id)

    results = {kind: asked(bank.anna, bank.anna, kind, own) for kind in parameters_about(own)}

    reached = {kind for kind, result in results.items() if not isinstance(result, Refused)}
    assert reached == REACHABLE
    assert isinstance(results["payees.add"], Answered)
    assert isinstance(results["payments.transfer"], Parked | Answered)


def test_somebody_elses_list_of_payees_is_refused_in_words(bank, bert):
    before = moved()

    refused = asked(bank.anna, bank.anna, "payees.add", bert)

    (reason,) = refused.output["reasons"]
    assert reason["policy_id"] == "other-customers-affairs"
    assert refused.words == "This belongs to somebody else. Nothing has happened."
    assert moved() == before


def test_a_colleague_changes_sentinel_on_the_one_path_to_effects(bank):
    kind = "kill_switch.throw"
    parameters = {"scope": "action:cards.block", "reason": "A drill"}
    action = Action(
        kind=kind,
        parameters=parameters,
        resource="kill_switch:cards",
        case_id=uuid4(),
        idempotency_key=str(uuid4()),
        sources=dict.fromkeys(parameters, Source(Provenance.SYSTEM, "console:1")),
    )
    at = datetime.now(UTC)

    with transaction.atomic():
        acted = perform_action(
            action=action,
            principal=bank.employees["fatima"],
            purpose="operations",
            facts=(),
            at=at,
        )

    assert acted.outcome.code == "in_force"
    assert [switch.scope for switch in kill_switches()] == ["action:cards.block"]
    refused = asked(bank.anna, bank.anna, "cards.block", holder_of(bank.customer_id))
    assert [reason["policy_id"] for reason in refused.output["reasons"]] == ["stopped"]
