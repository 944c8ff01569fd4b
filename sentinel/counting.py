"""What a permit counts against: whose caps it uses up, in which unit and over which time. Pure.

Money counts for the customer (or whoever acts without one), the account, every agent of the chain
and the purpose; a step counts for every agent and for the case. Only caps that are in force cost
anything: what has none is neither reserved nor locked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sentinel.catalogue import ActionKind
from sentinel.principals import customer_of
from sentinel.vocabulary import Action, Fact, Money, Principal

DAILY_OUTGOING = "daily_outgoing"
MONTHLY_OUTGOING = "monthly_outgoing"
ACCOUNT_DAILY = "account_daily"
AGENT_DAILY = "agent_daily"
PURPOSE_DAILY = "purpose_daily"
AGENT_STEPS, CASE_STEPS = "agent_steps", "case_steps"
STEP = "STEP"
STEP_BUDGETS = frozenset({AGENT_STEPS, CASE_STEPS})
# What model calls use up: counted by `spending`, looked at here before an agent's next step.
UNITS = {
    "agent_cost": "MICRO",
    "agent_time": "MSEC",
    "agent_tokens": "TOKEN",
    "case_cost": "MICRO",
    "case_time": "MSEC",
    "case_tokens": "TOKEN",
}
SPENT = frozenset(UNITS)
_WHOLE = date(1970, 1, 1)
_UNNAMEABLE = re.compile(r"[^A-Za-z0-9:._-]")


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing that a permit may use up. `general` is whose cap counts if the holder has none.

    What is shared can be used up by several subjects at once.
    """

    name: str
    holder: str
    general: str
    unit: str
    period: date
    amount: int
    is_shared: bool

    @property
    def refusal(self) -> str:
        """The code with which it is refused when its cap is reached."""
        if self.name in STEP_BUDGETS | SPENT:
            return "budget_exhausted"
        return "limit_exceeded" if self.name == DAILY_OUTGOING else "shared_limit_exceeded"

    def asked(self) -> str:
        """Return the text by which its cap and use are looked up; no part holds a bar or space."""
        parts = (self.name, self.holder, self.general, self.unit, self.period.isoformat())
        return "|".join((*parts, "shared" if self.is_shared else "own"))

    def reserved(self) -> str:
        """Return the text by which it is reserved."""
        parts = (self.name, self.holder, self.unit, self.period.isoformat(), str(self.amount))
        return "|".join(parts)


@dataclass(frozen=True, slots=True)
class Standing:
    """A cap that is in force for a dimension, and how much of it is used or reserved."""

    name: str
    holder: str
    cap: int
    used: int


Standings = tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class _Counted:
    """Who wants to do what, as far as it matters for what is counted."""

    principal: Principal
    customer: Principal | None
    resource: str
    purpose: str
    case_id: UUID
    at: date

    @property
    def holder(self) -> str:
        """Whose own limits count: the customer's, or else those of whoever acts."""
        return self.customer.id if self.customer else self.principal.id


def period_of(name: str, at: date) -> date:
    """Return the first day of the time over which a limit or budget of this name counts."""
    if name == MONTHLY_OUTGOING:
        return at.replace(day=1)
    return _WHOLE if name.startswith("case_") else at


def dimensions_of(  # noqa: PLR0913 - what counts depends on all of these
    *,
    action: Action,
    entry: ActionKind,
    amount: Money | None,
    principal: Principal,
    facts: Sequence[Fact],
    purpose: str,
    at: datetime,
) -> tuple[Dimension, ...]:
    """Return everything an action may use up: money that leaves for a payee, and agents' steps."""
    customer = customer_of(principal)
    day = at.date()
    counted = _Counted(principal, customer, action.resource, purpose, action.case_id, day)
    agents = [link.id for link in principal.chain() if link.kind == "agent"]
    found: list[Dimension] = []
    if amount is not None and _is_outgoing(entry, counted, facts):
        found += _money(counted, amount, agents)
    if agents:
        found += (_dimension(counted, AGENT_STEPS, holder, STEP, 1) for holder in agents)
        found.append(_dimension(counted, CASE_STEPS, f"case:{action.case_id}", STEP, 1))
        found += (
            _dimension(counted, name, holder, unit, 0)
            for name, unit in UNITS.items()
            for holder in holders_of(name, action.case_id, agents)
        )
    return tuple(found)


def holders_of(name: str, case_id: UUID, agents: Sequence[str]) -> tuple[str, ...]:
    """Return whose budget of this name something counts against: the case's, or each agent's."""
    if name.startswith("case_"):
        return (f"case:{case_id}",)
    return tuple(_UNNAMEABLE.sub("?", agent) for agent in dict.fromkeys(agents))


def standing_dimensions(
    dimensions: Sequence[Dimension], standings: Standings
) -> tuple[Dimension, ...]:
    """Return the dimensions with a cap in force, in the order in which they are written."""
    known = {(each.name, each.holder) for each in standings}
    capped = (each for each in dimensions if (each.name, each.holder) in known)
    return tuple(sorted(capped, key=lambda each: (each.holder, each.period, each.name)))


def overrun(dimensions: Sequence[Dimension], standings: Standings) -> Dimension | None:
    """Return the first dimension whose cap this would exceed, if any."""
    known = {(each.name, each.holder): each for each in standings}
    for each in dimensions:
        standing = known.get((each.name, each.holder))
        if standing is None:
            continue
        # Of what later calls use up, something must be left.
        if standing.used + max(each.amount, int(each.name in SPENT)) > standing.cap:
            return each
    return None


def _is_outgoing(entry: ActionKind, counted: _Counted, facts: Sequence[Fact]) -> bool:
    """Return whether an action sends money to a payee, by anybody but a mandate.

    A transfer between a customer's own accounts uses up nothing.
    """
    is_mandate = counted.customer is None and counted.principal.kind == "system"
    is_own = any(fact.name == "creditor_own_account" and fact.value is True for fact in facts)
    return bool(entry.money_fields and entry.payee_fields) and not is_mandate and not is_own


def _money(counted: _Counted, outgoing: Money, agents: Sequence[str]) -> list[Dimension]:
    holder, unit, amount = counted.holder, outgoing.currency, outgoing.minor_units
    purpose = f"purpose:{counted.purpose}"
    found = [
        _dimension(counted, DAILY_OUTGOING, holder, unit, amount),
        _dimension(counted, MONTHLY_OUTGOING, holder, unit, amount),
        _dimension(counted, PURPOSE_DAILY, f"{purpose}:{holder}", unit, amount, general=purpose),
    ]
    if counted.resource.startswith("account:"):
        found.append(_dimension(counted, ACCOUNT_DAILY, counted.resource, unit, amount))
    return [*found, *(_dimension(counted, AGENT_DAILY, agent, unit, amount) for agent in agents)]


def _dimension(
    counted: _Counted, name: str, holder: str, unit: str, amount: int, *, general: str = "*"
) -> Dimension:
    # Whoever asks holds the lock of the customer already; everything else is used side by side.
    is_own = counted.customer is not None and holder.endswith(counted.holder)
    return Dimension(
        name=name,
        # Who is named otherwise is refused anyway; here it must only not split the text.
        holder=_UNNAMEABLE.sub("?", holder),
        general="*" if general == "*" else _UNNAMEABLE.sub("?", general),
        unit=_UNNAMEABLE.sub("?", unit),
        period=period_of(name, counted.at),
        amount=amount,
        is_shared=not is_own,
    )
