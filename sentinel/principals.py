"""Who acts, and for whom: every link of the chain is checked, and authority only narrows. Pure."""

import re
from collections.abc import Sequence

from sentinel.vocabulary import Principal

CHAIN_LINKS_MAX = 4
PEOPLE = frozenset({"customer", "employee"})
KILL_SWITCH = "kill_switch."
AGENTS = "agents"
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
        refusal = _link_refusal(link, entity)
        if refusal:
            return refusal, link.kind
        unknown = unregistered(link, roles, mandates)
        if unknown:
            return "unknown_role", unknown
    if len({link.id for link in chain}) != len(chain):
        return "principal_refused", "a circle"
    return None


def _link_refusal(link: Principal, entity: str) -> str:
    """Return the code of what is wrong with who a link names, or nothing."""
    if not _ID.fullmatch(link.id) or not link.id.startswith(f"{link.kind}:"):
        return "principal_refused"
    if link.entity != entity:
        return "cross_entity"
    return "no_person_of_record" if link.kind in PEOPLE and not link.person_id else ""


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


def authority_holders(principal: Principal) -> list[str]:
    """Return every name under which authority may be written down for a chain."""
    chain = principal.chain()
    named = [link.id for link in chain]
    return [*named, *dict.fromkeys(f"role:{role}" for link in chain for role in link.roles)]


def kill_switch_scopes(actors: Sequence[str], action_kind: str, kid: str) -> list[str]:
    """Return every scope whose kill switch would stop these actors from doing this.

    Turning a kill switch is stopped for an actor or a key only: what stops everything must not
    stop those who let it go on.
    """
    wide = [] if is_switch(action_kind) else ["all", f"action:{action_kind}"]
    agents = [actor for actor in actors if actor.startswith("agent:")]
    named = [AGENTS, *agents] if agents else []
    return [*wide, f"kid:{kid}", *(f"actor:{actor}" for actor in actors), *named]


def rule_scopes(action_kind: str, policies: Sequence[str], bundle: str) -> list[str]:
    """Return every scope whose kill switch would stop a permit that rests on these rules.

    Turning a kill switch is not stopped by a rule: else nobody could let that rule go on.
    """
    if is_switch(action_kind):
        return []
    rules = (f"policy:{policy}" for policy in policies)
    return [*rules, *(f"bundle:{part}" for part in bundle.split())]


def is_switch(action_kind: str) -> bool:
    """Return whether an action turns a kill switch."""
    return action_kind.startswith(KILL_SWITCH)
