"""Facts about what a person of the bank ordered: read from the work list, never from the flow."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import connection

import sentinel.public
from orchestration import act
from orchestration.step_results import Answered, StepContext
from sentinel.vocabulary import Fact

DESK = "fraud_analyst"
# What the desk says, for the status it wants the account to have.
_VERDICTS = {"blocked": "hold", "open": "release"}
_SET_STATUS = "accounts.set_status"

Standing = Literal["own", "shared", "joined", "other"]
_STANDING_WORDS: Mapping[Standing, str] = {
    "own": "Only this payment holds the account.",
    "shared": "Another unusual payment holds the account as well.",
    "joined": "Others have blocked the account as well since it was held for this payment.",
    "other": "The account was not held for this payment alone: it was blocked before, by others.",
}

# The last word of the desk in other runs of the same flow. A run that has ended counts if it was
# decided after this account was held here: it was open then, so what is older had been lifted.
_HELD_ELSEWHERE = """
SELECT EXISTS (
    SELECT FROM (
        SELECT DISTINCT ON (t.instance_id) t.instance_id, t.closed_at,
               t.answer::jsonb ->> 'verdict' AS verdict
          FROM orch_task t
         WHERE t.kind = 'work' AND t.state = 'done' AND %(desk)s = ANY(t.roles)
           AND t.instance_id <> %(instance)s
           AND t.inputs::jsonb ->> 'debtor_account_id' = %(account)s
         ORDER BY t.instance_id, t.closed_at DESC
    ) AS last
      JOIN orch_instance i ON i.id = last.instance_id
     WHERE i.process = (SELECT process FROM orch_instance WHERE id = %(instance)s)
       AND last.verdict IN ('hold', 'keep')
       AND (i.ended_at IS NULL OR last.closed_at >= (
            SELECT min(closed_at) FROM orch_task
             WHERE instance_id = %(instance)s AND kind = 'work' AND state = 'done'
               AND answer::jsonb ->> 'verdict' = 'hold'))
)
"""
_OTHER_HOLDERS = """
SELECT EXISTS (
    SELECT FROM unnest(%(cases)s::uuid[]) AS holder (case_id)
     WHERE NOT EXISTS (
        SELECT FROM orch_instance i
         WHERE i.case_id = holder.case_id
           AND i.process = (SELECT process FROM orch_instance WHERE id = %(instance)s)))
"""


@dataclass(frozen=True, slots=True)
class _Order:
    """What an employee of the desk decided on a task, about which account, and when."""

    verdict: str
    account_id: str
    given_at: datetime


def account_facts(
    parameters: Mapping[str, object], context: StepContext, inputs: Mapping[str, object]
) -> tuple[Fact, ...]:
    """Return what the fraud desk ordered for this account in this very run, and what it would lift.

    Inputs, of which only the references are believed: `order` is the answer to the desk's task;
    `hold`, needed to open the account, is what this run's own hold came to. An order is as old as
    the task's closing.
    """
    account, status = str(parameters.get("account_id")), str(parameters.get("status"))
    _wait_for(account)
    named = _named(inputs, "order", "reference")
    order = _order_of(named, context.instance_id)
    is_ordered = (
        order is not None and order.account_id == account and order.verdict == _VERDICTS.get(status)
    )
    given_at = order.given_at if order is not None else context.at
    task = f"orch_task:{named}" if named else f"orch_instance:{context.instance_id}"
    does_lift = status != "blocked" and _standing(account, context, inputs) != "own"
    hold = f"orch_instance:{context.instance_id}"
    return (
        Fact("ordered_by_fraud_desk", is_ordered, task, given_at),
        Fact("lifts_another_hold", does_lift, hold, context.at),
    )


def hold_standing(context: StepContext, inputs: Mapping[str, object]) -> Answered:
    """Tell whose the hold on an account is: this run's `own`, `shared`, or only of some `other`.

    It is `joined` where others have blocked the account after this run did. Inputs: `account_id`;
    `hold`, what this run's own hold came to.
    """
    whose = _standing(str(inputs.get("account_id")), context, inputs)
    return Answered({"whose": whose, "words": _STANDING_WORDS[whose]})


def _standing(account: str, context: StepContext, inputs: Mapping[str, object]) -> Standing:
    with connection.cursor() as cursor:
        cursor.execute(
            _HELD_ELSEWHERE,
            {"desk": DESK, "instance": context.instance_id, "account": account},
        )
        (is_shared,) = cursor.fetchone()
    if is_shared:
        return "shared"
    if not _did_hold(account, context, _named(inputs, "hold", "decision_id")):
        return "other"
    return "joined" if _do_others_hold(UUID(account), context.instance_id) else "own"


def _do_others_hold(account: UUID, instance_id: UUID) -> bool:
    """Tell whether the core names a holder of the account that is no run of this flow.

    What other runs of it have to say about their holds was asked before.
    """
    holders = [
        sentinel.public.explain(decision_id=token).decision.case_id
        for token in act.account_holds(account)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_HOLDERS, {"instance": instance_id, "cases": holders})
        (do_others_hold,) = cursor.fetchone()
    return bool(do_others_hold)


def _did_hold(account: str, context: StepContext, decision_id: str) -> bool:
    """Tell whether a decision of this run's case is the one that blocked the account.

    What found it blocked already has no outcome `changed`.
    """
    try:
        found = sentinel.public.explain(decision_id=UUID(decision_id))
    except (ValueError, sentinel.public.DecisionUnknown):
        return False
    statuses = [each.value for each in found.parameters if each.name == "status"]
    return (
        found.decision.action_kind == _SET_STATUS
        and found.decision.case_id == context.case_id
        and found.resource == f"account:{account}"
        and statuses == ["blocked"]
        and found.outcome is not None
        and found.outcome.code == "changed"
    )


def _wait_for(account: str) -> None:
    """Let one run at a time settle what an account's status is to be, until its commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(frontline_entity() || %s, 4714))",
            [account],
        )


def _order_of(task_id: str, instance_id: UUID) -> _Order | None:
    """Return what an employee decided on a task of the desk that belongs to this run."""
    try:
        key = UUID(task_id)
    except ValueError:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT answer, inputs, closed_at FROM orch_task WHERE id = %s AND instance_id = %s"
            " AND kind = 'work' AND state = 'done' AND %s = ANY(roles)"
            " AND starts_with(closed_by, 'employee:')",
            [key, instance_id, DESK],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    answer, given = json.loads(row[0]), json.loads(row[1])
    return _Order(str(answer.get("verdict")), str(given.get("debtor_account_id")), row[2])


def _named(inputs: Mapping[str, object], name: str, key: str) -> str:
    value = inputs.get(name)
    return str(value.get(key, "")) if isinstance(value, Mapping) else ""
