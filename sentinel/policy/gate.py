"""The gate a set of bundles passes before it may be in force: confined, registered, valid. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import cedarpy

from sentinel.catalogue import ActionKind
from sentinel.facts import FactKind
from sentinel.policy.bundles import (
    BANK,
    Bundle,
    BundleRefused,
    Policy,
    confinement_problems,
    literals,
)


def set_problems(bundles: Sequence[Bundle], kinds: Sequence[ActionKind]) -> Iterator[str]:
    """Yield every reason why these bundles must not be in force together."""
    areas = [bundle.content.area for bundle in bundles]
    if areas.count(BANK) != 1 or len(set(areas)) != len(areas):
        yield "there must be one bank-wide bundle and one bundle for each area"
        return
    ordered = sorted(bundles, key=lambda bundle: bundle.content.area != BANK)
    for bundle in ordered:
        yield from confinement_problems(bundle)
    yield from _ownership_problems(ordered)
    yield from _fact_problems(ordered)
    yield from _literal_problems(ordered, frozenset(kind.kind for kind in kinds))


def require_valid(bundles: Sequence[Bundle], schema: str) -> None:
    """Accept only policies that Cedar's own validator finds sound against the schema.

    Raises:
        BundleRefused: one is not.
    """
    for bundle in bundles:
        for text in filter(None, (bundle.content.cedar, bundle.content.invariants)):
            result = cedarpy.validate_policies(text, schema)
            if not result.validation_passed:
                problems = tuple(str(error) for error in result.errors)
                raise BundleRefused(bundle.content.area, problems)


def _ownership_problems(bundles: Sequence[Bundle]) -> Iterator[str]:
    owners: dict[str, str] = {}
    ids: set[str] = set()
    for bundle in bundles:
        for action in bundle.content.actions:
            if owners.setdefault(action, bundle.content.area) != bundle.content.area:
                yield f"{action} belongs to {owners[action]} already"
        for policy in (*bundle.policies, *bundle.invariants):
            if policy.id in ids:
                yield f"{policy.id}: used twice"
            ids.add(policy.id)


def _fact_problems(bundles: Sequence[Bundle]) -> Iterator[str]:
    facts: dict[str, FactKind] = {}
    for bundle in bundles:
        for name, kind in bundle.content.facts.items():
            if facts.setdefault(name, kind) != kind:
                yield f"fact {name} is declared already, otherwise"
    for bundle in bundles:
        for names in bundle.content.required.values():
            for name in names:
                if name not in facts:
                    yield f"required fact {name} is not declared"


def _literal_problems(bundles: Sequence[Bundle], actions: frozenset[str]) -> Iterator[str]:
    """Yield every name that no registry knows (G4): a typing error would never match."""
    registry = bundles[0].content.registry
    known = {"Role": registry.roles, "Mandate": registry.mandates, "Action": actions}
    for bundle in bundles:
        for name in bundle.content.actions:
            if name not in actions:
                yield f"{bundle.content.area}: {name} is not in the catalogue"
        for policy in (*bundle.policies, *bundle.invariants):
            yield from _unregistered(policy, known)


def _unregistered(policy: Policy, known: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for kind, name in literals(dict(policy.body)):
        if name not in known.get(kind, frozenset()):
            yield f"{policy.id}: {kind}::{name} is not registered"
    role = policy.annotations.get("role")
    if role is not None and role not in known["Role"]:
        yield f"{policy.id}: @role {role} is not registered"
