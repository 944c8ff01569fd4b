"""Who acts, and for whom: every link of the chain is checked, and authority only narrows. Pure."""

import re
from collections.abc import Sequence

from sentinel.vocabulary import Principal

CHAIN_LINKS_MAX = 4
KILL_SWITCH = "kill_switch."
# The same letters that a kill switch can name, so that nobody is out of its reach.
_ID = re.compile(r"(customer|employee|agent|system):[A-Za-z0-9_.-]{1,100}")


def chain_refusal(
    principal: Principal, *, entity: str, roles: frozenset[str], mandates: frozenset[str]
) -> tuple[str, str] | None:
    """Return the code and detail of what is wrong with a chain of principals, if anything."""
    chain = principal.chain()
    if len(chain) > CHAIN_LINKS_MAX:
        return "chain_too_long", str(len(chain))
    for link in chain:
        if not _ID.fullmatch(link.id) or not link.id.startswith(f"{link.kind}:"):
            return "principal_refused", link.kind
        if link.entity != entity:
            return "cross_entity", link.kind
        unknown = unregistered(link, roles, mandates)
        if unknown:
            return "unknown_role", unknown
    if len({link.id for link in chain}) != len(chain):
        return "principal_refused", "a circle"
    return None


def unregistered(link: Principal, roles: frozenset[str], mandates: frozenset[str]) -> str:
    """Return the first role or mandate of a link that nobody registered, or nothing."""
    if link.kind == "system":
        mandate = link.id.removeprefix("system:")
        return "" if mandate in mandates else mandate
    return next((role for role in link.roles if role not in roles), "")


def subject_of(principal: Principal, resource: str) -> str:
    """Return whose personal data an action holds: the customer's, the party's, or the actor's."""
    customer = customer_of(principal)
    if customer:
        return customer.id
    kind, _, key = resource.partition(":")
    return f"customer:{key}" if kind in {"party", "customer"} else principal.id


def customer_of(principal: Principal) -> Principal | None:
    """Return the customer on whose authority the chain rests, if there is one."""
    return next((link for link in principal.chain() if link.kind == "customer"), None)


def chain_ids(principal: Principal) -> list[str]:
    """Return the ids of a chain, nearest first."""
    return [link.id for link in principal.chain()]


def kill_switch_scopes(actors: Sequence[str], action_kind: str, kid: str) -> list[str]:
    """Return every scope whose kill switch would stop these actors from doing this.

    Turning a kill switch is stopped for an actor or a key only: what stops everything must not
    stop those who let it go on.
    """
    is_switch = action_kind.startswith(KILL_SWITCH)
    wide = [] if is_switch else ["all", f"action:{action_kind}"]
    return [*wide, f"kid:{kid}", *(f"actor:{actor}" for actor in actors)]
