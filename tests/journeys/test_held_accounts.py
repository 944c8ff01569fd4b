"""What the fraud desk orders holds for its account and its run only, and lifts no other hold."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.db import transaction

import grand_central.public
import nexus.public
from orchestration import act, orders
from orchestration.plain import plain_mapping
from orchestration.step_results import StepContext
from sentinel.vocabulary import Action, Fact, Principal, Provenance, Source
from tests.journeys.test_flagged_transaction import (
    WHY,
    account_status,
    alerts,
    answer,
    follow,
    nodes,
    pay,
    runs,
    suspicious,
)


def two_held(bank):
    """Hold one account for two payments; return the tasks that decide on it, in that order."""
    chat, first = suspicious(bank)
    pay(bank, chat, 120)
    follow(bank)
    (second,) = [each for each in alerts(bank) if each.id != first.id]
    decided = []
    for task in (first, second):
        answer(bank, task, verdict="hold", why=WHY)
        known = {first.id, second.id, *(each.id for each in decided)}
        decided += [each for each in alerts(bank) if each.id not in known]
    return decided


def test_released_the_account_stays_held_while_another_payment_holds_it(bank):
    first, second = two_held(bank)

    answer(bank, first, verdict="release", why=WHY)

    assert account_status(bank) == "blocked"
    assert nodes(runs()[-2])[-1] == "end_still_held"
    answer(bank, second, verdict="release", why=WHY)
    assert account_status(bank) == "blocked"
    (by_hand,) = alerts(bank, "omar")
    assert by_hand.title == "Hold or release an account by hand"
    assert "blocked before" in by_hand.summary


def test_an_account_that_a_decided_payment_keeps_is_not_opened_by_another(bank):
    first, second = two_held(bank)

    answer(bank, second, verdict="keep", why=WHY)
    answer(bank, first, verdict="release", why=WHY)

    assert account_status(bank) == "blocked"
    assert [nodes(each)[-1] for each in runs()[-2:]] == ["end_still_held", "end_held"]


def set_status(account, status, **asked_by):
    """Propose a status for an account; return the code of what came of it, None if refused."""
    named = ("account_id", "status")
    with transaction.atomic():
        acted = act.perform_action(
            action=Action(
                kind="accounts.set_status",
                parameters={"account_id": account, "status": status},
                resource=f"account:{account}",
                case_id=uuid4(),
                idempotency_key=str(uuid4()),
                sources=dict.fromkeys(named, Source(Provenance.EMPLOYEE_CONFIRMED, "test")),
            ),
            **asked_by,
        )
    return acted.outcome.code if acted.outcome else None


def test_a_block_of_operations_is_not_lifted_by_the_desk(bank):
    _chat, task = suspicious(bank)
    omar = {"principal": bank.employees["omar"], "purpose": "operations", "facts": ()}
    done = set_status(account_of(runs()[-1]), "blocked", at=bank.clock.now(), **omar)
    assert done == "changed"
    answer(bank, task, verdict="hold", why=WHY)
    (after,) = alerts(bank)

    answer(bank, after, verdict="release", why=WHY)

    assert account_status(bank) == "blocked"
    told = nodes(runs()[-1])
    assert "let_go" not in told
    assert [each.title for each in alerts(bank, "omar")] == ["Hold or release an account by hand"]


def test_a_block_of_operations_after_the_desks_own_is_not_lifted_by_the_desk(bank):
    _chat, task = suspicious(bank)
    answer(bank, task, verdict="hold", why=WHY)
    account = account_of(runs()[-1])
    omar = {"principal": bank.employees["omar"], "purpose": "operations", "facts": ()}
    assert set_status(account, "blocked", at=bank.clock.now(), **omar) == "exists"
    (after,) = alerts(bank)

    answer(bank, after, verdict="release", why=WHY)

    assert account_status(bank) == "blocked"
    assert "let_go" not in nodes(runs()[-1])
    (by_hand,) = alerts(bank, "omar")
    assert "Others have blocked the account as well" in by_hand.summary


def test_what_operations_lifted_themselves_does_not_keep_the_desk_from_releasing_later(bank):
    _chat, task = suspicious(bank)
    account = account_of(runs()[-1])
    omar = {"principal": bank.employees["omar"], "purpose": "operations", "facts": ()}
    assert set_status(account, "blocked", at=bank.clock.now(), **omar) == "changed"
    assert set_status(account, "open", at=bank.clock.now(), **omar) == "changed"
    assert grand_central.public.account_holds(account_id=UUID(account)) == ()
    answer(bank, task, verdict="hold", why=WHY)
    assert len(grand_central.public.account_holds(account_id=UUID(account))) == 1
    (after,) = alerts(bank)

    answer(bank, after, verdict="release", why=WHY)

    assert account_status(bank) == "open"
    assert grand_central.public.account_holds(account_id=UUID(account)) == ()


def test_the_rules_refuse_to_open_what_operations_have_blocked_since(bank):
    _chat, task = suspicious(bank)
    answer(bank, task, verdict="hold", why=WHY)
    run, at = runs()[-1], bank.clock.now()
    held = plain_mapping(run.state.variables)["held"]
    alone = ordered(run, account_of(run), "open", at, hold=held)["lifts_another_hold"]
    omar = {"principal": bank.employees["omar"], "purpose": "operations", "facts": ()}
    set_status(account_of(run), "blocked", at=at, **omar)

    joined = ordered(run, account_of(run), "open", at, hold=held)["lifts_another_hold"]

    assert (alone.value, joined.value) == (False, True)


def account_of(run):
    return str(plain_mapping(run.state.variables)["debtor_account_id"])


def at_step(run, node, at):
    mandate = "system:triggers_flagged_transaction"
    return StepContext(
        instance_id=run.id,
        node=node,
        visit=9,
        case_id=run.case_id,
        customer_id=run.customer_id,
        principal=Principal(mandate, "system", mandate, "meridian-nl"),
        purpose="fraud_prevention",
        at=at,
    )


def ordered(run, account, status, at, **inputs):
    """Return the facts on which this run could ask for this status."""
    facts = orders.account_facts(
        {"account_id": account, "status": status}, at_step(run, "hold", at), inputs
    )
    return {each.name: each for each in facts}


def other_account(bank, account):
    state = nexus.public.customer_state(customer_id=bank.customer_id)
    return next(str(each.account_id) for each in state.accounts if str(each.account_id) != account)


def test_an_order_is_for_the_account_it_was_given_on_and_as_old_as_the_task(bank):
    _chat, task = suspicious(bank)
    before = bank.clock.now()
    answer(bank, task, verdict="hold", why=WHY)
    after = bank.clock.now()
    run, order = runs()[-1], {"reference": str(task.id)}
    account, later = account_of(run), after + timedelta(minutes=4)

    right = ordered(run, account, "blocked", later, order=order)["ordered_by_fraud_desk"]
    wrong = ordered(run, other_account(bank, account), "blocked", later, order=order)
    opposite = ordered(run, account, "open", later, order=order)

    assert right.value is True
    assert before <= right.observed_at <= after
    assert wrong["ordered_by_fraud_desk"].value is False
    assert opposite["ordered_by_fraud_desk"].value is False


def test_the_rules_refuse_an_order_that_is_old_shared_or_of_another_flow(bank):
    _chat, task = suspicious(bank)
    answer(bank, task, verdict="hold", why=WHY)
    run, at = runs()[-1], bank.clock.now()
    context = at_step(run, "let_go", at)
    common = Principal("system:triggers", "system", "system:triggers", "meridian-nl")

    def opened(principal=context.principal, *, is_shared=False, minutes=0, without=""):
        given_at = at - timedelta(minutes=minutes)
        facts = (
            Fact("ordered_by_fraud_desk", value=True, source="orch_task:t", observed_at=given_at),
            Fact("lifts_another_hold", value=is_shared, source="orch_task:t", observed_at=at),
        )
        known = tuple(each for each in facts if each.name != without)
        asked_by = {"principal": principal, "purpose": context.purpose, "at": at}
        return set_status(account_of(run), "open", facts=known, **asked_by)

    assert opened(minutes=6) is None
    assert opened(is_shared=True) is None
    assert opened(without="lifts_another_hold") is None
    assert opened(common) is None
    assert account_status(bank) == "blocked"
    assert opened(minutes=4) == "changed"
    assert account_status(bank) == "open"


def test_a_hold_of_another_run_does_not_open_the_account(bank):
    first, _second = two_held(bank)
    answer(bank, first, verdict="release", why=WHY)
    holder, other = runs()[-2:]
    held = plain_mapping(holder.state.variables)["held"]

    facts = ordered(other, account_of(other), "open", bank.clock.now(), hold=held)

    assert facts["lifts_another_hold"].value is True
