"""What model calls use up: tokens, money and time, against budgets of cases and of agents.

What a call may take is reserved before it is made, in one statement under locks, and settled with
what it took, so that two calls at once cannot both use the last of a budget. Money is counted in
millionths of the bank's currency, time in milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sentinel.counting import SPENT, UNITS, Dimension, holders_of, period_of
from sentinel.refusals import SentinelError
from sentinel.store import require_transaction, run_one

_RESERVE = "SELECT sentinel_reserve_spend(%s, %s)"
_SETTLE = "SELECT sentinel_settle_spend(%s, %s)"
NOTHING = "nothing"


class BudgetExhausted(SentinelError):
    """Too little of a budget is left for this; nothing was reserved. A person has to go on."""

    code = "budget_exhausted"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Spend:
    """What a call takes: tokens of a model, millionths of the currency, and milliseconds."""

    tokens: int = 0
    cost_micros: int = 0
    milliseconds: int = 0

    def of(self, name: str) -> int:
        """Return how much of it counts against a budget of this name."""
        by_unit = {"TOKEN": self.tokens, "MICRO": self.cost_micros, "MSEC": self.milliseconds}
        return by_unit[UNITS[name]]


@dataclass(frozen=True, slots=True)
class Reserved:
    """What is reserved of budgets, to be settled; `id` is None where none is in force."""

    id: UUID | None
    case_id: UUID
    agents: tuple[str, ...]
    at: datetime


def reserve_spend(
    *, case_id: UUID, agents: Sequence[str], estimate: Spend, at: datetime
) -> Reserved:
    """Reserve what a call may take of every budget of its case and agents, in this transaction.

    A budget of which nothing is left refuses even what would take nothing of it.

    Raises:
        NotInTransaction: the caller has opened no transaction.
        BudgetExhausted: it is more than is left; `name` says of what.
    """
    require_transaction()
    reservation = uuid4()
    asked = _asked(case_id, agents, estimate, at)
    ((answer,),) = run_one(_RESERVE, [reservation, asked])
    if answer not in {"", NOTHING}:
        raise BudgetExhausted(str(answer))
    return Reserved(None if answer == NOTHING else reservation, case_id, tuple(agents), at)


def settle_spend(*, reserved: Reserved, actual: Spend) -> None:
    """Put what a call took in the place of what was reserved for it, once.

    Raises:
        NotInTransaction: the caller has opened no transaction.
    """
    require_transaction()
    if reserved.id is not None:
        asked = _asked(reserved.case_id, reserved.agents, actual, reserved.at)
        run_one(_SETTLE, [reserved.id, asked])


def _asked(case_id: UUID, agents: Sequence[str], spend: Spend, at: datetime) -> str:
    """Return the budgets as text: each as it is looked up, and how much counts against it."""
    found = [
        Dimension(
            name=name,
            holder=holder,
            general="*",
            unit=UNITS[name],
            period=period_of(name, at.date()),
            amount=spend.of(name),
            is_shared=True,
        )
        for name in sorted(SPENT)
        for holder in holders_of(name, case_id, agents)
    ]
    return " ".join(f"{each.asked()}|{each.amount}" for each in found)
