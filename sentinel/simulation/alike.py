"""Old decisions that a change of rules cannot have changed, told without judging them again.

A decision follows from what was recorded with it and from the rules. Where the changed rules say
the same of its kind of action as the rules it was taken under, it comes out the same. Where they
say something else, it is enough to ask both what they make of what the policies were shown then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sentinel.asking import Asked, Judgement, Obligations, asked_of_policies
from sentinel.entities import current_entity
from sentinel.inputs import InputsUnreadable
from sentinel.policy.bundles import BundleRefused
from sentinel.policy.classes import Classes, classes_of
from sentinel.policy.engine import ContextValue, Rules
from sentinel.policy.remembered_proofs import speaking_of
from sentinel.replaying import rules_then
from sentinel.vocabulary import Principal

_STOPPED = "stopped"
Links = Sequence[Mapping[str, Any]]
# A kind of principal, its mandate if it is a system, and its roles.
_Link = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Pair:
    """The rules of then beside the changed ones, for one kind of action."""

    then: Rules
    is_same: bool
    classes: Classes | None
    answers: dict[tuple[object, ...], bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Alike:
    """What the changed rules have in common with those under which decisions were taken."""

    changed: Rules
    _pairs: dict[tuple[str, str], _Pair | None] = field(default_factory=dict)

    def is_untouched(self, bundle: str, kind: str, policies: Sequence[str]) -> bool:
        """Return whether the changed rules say the same of this kind of action as those of then."""
        pair = self._pair(bundle, kind)
        return pair is not None and pair.is_same and _STOPPED not in policies

    def can_compare(self, bundle: str, kind: str, policies: Sequence[str]) -> bool:
        """Return whether it is enough to ask both rules, because all around them is the same."""
        pair = self._pair(bundle, kind)
        return pair is not None and pair.classes is not None and _STOPPED not in policies

    def is_answered_alike(
        self, row: Mapping[str, Any], values: Mapping[str, Any], links: Links
    ) -> bool:
        """Return whether both rules make the same of what the policies were shown."""
        if not values.get("context"):
            # Refused before any policy was asked, by what has not changed.
            return "context" in values
        pair = self._pair(row["bundle"], row["action_kind"])
        if pair is None or pair.classes is None or len(values["roles"]) != len(links):
            return False
        kind, context = values["resource"].partition(":")[0], values["context"]
        borne = zip(links, values["roles"], strict=True)
        chain = tuple(_link(link, roles) for link, roles in borne)
        key = (kind, chain, pair.classes.of(context))
        found = pair.answers.get(key)
        if found is None:
            asked = _asked(row["action_kind"], kind, chain, context)
            found = pair.answers[key] = self._is_same(pair.then, asked)
        return found

    def _is_same(self, then: Rules, asked: Asked) -> bool:
        one, other = (asked_of_policies(asked, rules) for rules in (then, self.changed))
        return _said(one) == _said(other)

    def _pair(self, bundle: str, kind: str) -> _Pair | None:
        named = (bundle, kind)
        if named not in self._pairs:
            self._pairs[named] = self._paired(bundle, kind)
        return self._pairs[named]

    def _paired(self, bundle: str, kind: str) -> _Pair | None:
        """Return both rules, or None where anything but policies differs: then all is judged."""
        try:
            then = rules_then(bundle)
        except (InputsUnreadable, BundleRefused):
            return None
        known = kind in then.kinds and kind in self.changed.kinds
        if not known or _around(then, kind) != _around(self.changed, kind):
            return None
        same = _policies(then, kind) == _policies(self.changed, kind)
        return _Pair(then, same, _both_classes(then, self.changed, kind))


def _asked(
    action: str, kind: str, chain: Sequence[_Link], context: Mapping[str, ContextValue]
) -> Asked:
    """Return the question as it was put, but for who and what exactly: no policy names those."""
    given = context["approved_roles"]
    roles = tuple(given) if isinstance(given, list) else ()
    return Asked(
        kind=action,
        resource=f"{kind}:1",
        chain=tuple(_principal(link) for link in chain),
        context=context,
        met=Obligations(roles, is_stepped_up=context["step_up_done"] is True),
    )


def _link(link: Mapping[str, Any], roles: Sequence[str]) -> _Link:
    kind = link["kind"]
    return kind, link["id"] if kind == "system" else "", tuple(roles)


def _principal(link: _Link) -> Principal:
    kind, mandate, roles = link
    return Principal(mandate or f"{kind}:1", kind, "person-1", current_entity(), roles)  # type: ignore[arg-type]  # as recorded


def _around(rules: Rules, kind: str) -> object:
    """Return what of the rules counts before and beside the policies."""
    required = rules.required.get(kind, frozenset())
    return rules.roles, rules.mandates, rules.purposes, rules.facts, required


def _policies(rules: Rules, kind: str) -> dict[str, object]:
    return {
        policy.id: (policy.area, policy.logic, dict(policy.annotations))
        for policy in speaking_of(rules, kind)
    }


def _both_classes(then: Rules, now: Rules, kind: str) -> Classes | None:
    one, other = then.slice(kind).attributes, now.slice(kind).attributes
    bodies = [policy.body for rules in (then, now) for policy in speaking_of(rules, kind)]
    try:
        return classes_of(bodies, None if one is None or other is None else one | other)
    except LookupError:
        return None


def _said(judgement: Judgement) -> object:
    return (
        judgement.verdict,
        judgement.policies,
        judgement.remedy,
        judgement.role,
        judgement.exemption,
        judgement.obligations,
    )
