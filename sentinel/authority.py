"""Decision authority, weighed: who may decide what, up to what, on whose behalf, until when. Pure.

A mandate narrows what the policies permit: it caps an amount. A role held by authority counts
like one of record, within its kinds, its cap and its time. Once a mandate for a kind of action is
written down for somebody, they act within one that stands or not at all: an ended mandate does
not give back what it took away. Where nobody wrote anything, the policies alone decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sentinel.vocabulary import Money, Principal

DEPTH_MAX = 2
_PERSONS = {"customer", "employee"}


@dataclass(frozen=True, slots=True)
class AuthorityOnFile:
    """One row that speaks of somebody in a chain and of this kind of action."""

    id: UUID
    kind: str
    holder: str
    person: str
    role: str
    powers: str
    cap: Money | None
    on_behalf_of: str
    is_standing: bool

    def covers(self, amount: Money | None) -> bool:
        """Return whether an amount is within the cap; another currency is not."""
        if self.cap is None or amount is None:
            return True
        same = amount.currency == self.cap.currency
        return same and amount.minor_units <= self.cap.minor_units


@dataclass(frozen=True, slots=True)
class Weighed:
    """A chain with the roles its links bear, which rows that rests on, and what they refuse.

    `beyond` names the cap of a role that could not be used because the amount is above it.
    """

    principal: Principal
    used: tuple[UUID, ...] = ()
    beyond: str = ""
    refusal: tuple[str, str] | None = None


def weigh(
    principal: Principal, amount: Money | None, rows: Sequence[AuthorityOnFile], *, power: str
) -> Weighed:
    """Return what the rows make of a chain: every link of it is looked at, nearest first."""
    above = principal.on_behalf_of
    rest = weigh(above, amount, rows, power=power) if above else None
    usable = [row for row in rows if row.powers in {power, "both"}]
    mine = [row for row in usable if row.holder == principal.id and _is_of(row, principal)]
    borne = _borne(principal, amount, mine)
    bearer = replace(principal, roles=borne.principal.roles)
    mandate = _mandate(bearer, amount, [*mine, *_of_roles(bearer, usable)])
    return Weighed(
        principal=replace(bearer, on_behalf_of=rest.principal if rest else None),
        used=(*borne.used, *mandate.used, *(rest.used if rest else ())),
        beyond=borne.beyond or (rest.beyond if rest else ""),
        refusal=mandate.refusal or (rest.refusal if rest else None),
    )


def _is_of(row: AuthorityOnFile, principal: Principal) -> bool:
    """Return whether a row was written for the person of record behind these sign-ins."""
    return row.person == (principal.person_id if principal.kind in _PERSONS else "")


def _of_roles(bearer: Principal, rows: Sequence[AuthorityOnFile]) -> list[AuthorityOnFile]:
    named = {f"role:{role}" for role in bearer.roles}
    return [row for row in rows if row.holder in named]


def _borne(principal: Principal, amount: Money | None, mine: Sequence[AuthorityOnFile]) -> Weighed:
    """Return the link with the roles it holds by authority, as far as they reach this amount."""
    had = set(principal.roles)
    standing = [row for row in mine if row.role and row.role not in had and row.is_standing]
    gained = [row for row in standing if row.covers(amount)]
    short = [row for row in standing if not row.covers(amount)]
    roles = dict.fromkeys([*principal.roles, *(row.role for row in gained)])
    beyond = _widest(short) if short and not gained else ""
    return Weighed(replace(principal, roles=tuple(roles)), tuple(row.id for row in gained), beyond)


def _mandate(bearer: Principal, amount: Money | None, rows: Sequence[AuthorityOnFile]) -> Weighed:
    """Return the mandate that one link acts under, or why there is none."""
    above = bearer.on_behalf_of
    behalf = above.id if above else ""
    fitting = [row for row in rows if not row.role and row.on_behalf_of in {"", behalf}]
    exact = [row for row in fitting if behalf and row.on_behalf_of == behalf]
    is_owed = above is not None and _needs_mandate(bearer, above)
    # What is said about acting for exactly this one goes before what is said in general.
    speaking = exact if is_owed or _grants(exact) else fitting
    grants = _grants(speaking)
    binding = [row for row in grants if row.holder == bearer.id] or grants
    if not binding and not is_owed:
        # A delegation adds to what somebody may do; alone it takes nothing from them.
        return Weighed(bearer)
    added = [row for row in speaking if row.kind == "delegation"]
    standing = [row for row in (*binding, *added) if row.is_standing]
    if not standing:
        return Weighed(bearer, refusal=("no_mandate", bearer.id))
    enough = next((row for row in standing if row.covers(amount)), None)
    if enough is None:
        return Weighed(bearer, refusal=("beyond_mandate", _widest(standing)))
    return Weighed(bearer, (enough.id,))


def _grants(rows: Sequence[AuthorityOnFile]) -> list[AuthorityOnFile]:
    return [row for row in rows if row.kind == "mandate"]


def _needs_mandate(bearer: Principal, above: Principal) -> bool:
    """Return whether acting for this needs a mandate: one customer, or colleague, for another.

    Colleagues who serve a customer, assistants and the bank's own mandates are bound by policies.
    """
    return bearer.kind in _PERSONS and bearer.kind == above.kind


def _widest(rows: Sequence[AuthorityOnFile]) -> str:
    """Return the widest cap in words."""
    caps = sorted((row.cap for row in rows if row.cap), key=lambda cap: cap.minor_units)
    return f"{caps[-1].as_decimal()} {caps[-1].currency}" if caps else ""
