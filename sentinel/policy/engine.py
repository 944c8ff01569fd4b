"""Cedar behind four guards, because Cedar alone fails open.

G1 the schema is always passed, and no decision means no. G2 any evaluation error means no: Cedar
skips a forbid that errs. G3 everything a policy may look up must be supplied: a missing entity is
silently a member of nothing. G4, at publication, every literal name must be registered.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version

import cedarpy

from sentinel.catalogue import ActionKind
from sentinel.facts import FactKind
from sentinel.policy.bundles import BANK, Bundle, BundleRefused, Policy, context_attributes
from sentinel.policy.gate import require_valid, set_problems
from sentinel.policy.schema import PRINCIPALS, context_shape, schema_text
from sentinel.refusals import reason
from sentinel.vocabulary import Principal, Reason

ENGINE = f"cedarpy-{version('cedarpy')}"
ContextValue = str | int | bool | list[str]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the policies say about one principal; `refusal` is set when they could not be asked."""

    is_permitted: bool
    policies: tuple[str, ...]
    refusal: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Slice:
    """The policies that speak of one kind of action, and the schema of what they look at.

    What no policy looks at cannot change the answer, so it is neither handed over nor parsed.
    """

    policies: cedarpy.PolicySet
    schema: cedarpy.Schema
    attributes: frozenset[str] | None
    needed: frozenset[str]
    known: frozenset[str]

    def misshapen(self, context: Mapping[str, ContextValue]) -> str:
        """Return the attributes that are missing or that nobody declared (G1), or nothing."""
        names = context.keys()
        if self.needed <= names <= self.known:
            return ""
        return ", ".join(sorted((self.needed - names) | (names - self.known)))

    def look(self, context: Mapping[str, ContextValue]) -> Mapping[str, ContextValue]:
        """Return the part of a context that the policies look at."""
        if self.attributes is None:
            return context
        return {name: context[name] for name in self.attributes & context.keys()}


@dataclass(frozen=True)
class Rules:
    """All policies in force for one legal entity, parsed once."""

    digest: str
    policies: Mapping[str, Policy]
    roles: frozenset[str]
    mandates: frozenset[str]
    purposes: frozenset[str]
    facts: Mapping[str, FactKind]
    required: Mapping[str, frozenset[str]]
    kinds: Mapping[str, ActionKind]
    base: cedarpy.Entities
    _slices: dict[str, Slice] = field(default_factory=dict)

    def evaluate(
        self,
        kind: str,
        principal: Principal,
        resource: str,
        context: Mapping[str, ContextValue],
    ) -> Evaluation:
        """Return whether the policies permit this principal this action, and which decided."""
        missing = self._missing(principal)
        if missing:
            return _not_asked("policy_incomplete", missing)
        chosen = self.slice(kind)
        misshapen = chosen.misshapen(context)
        if misshapen:
            return _not_asked("policy_error", misshapen)
        request = {
            "principal": {"type": PRINCIPALS[principal.kind], "id": principal.id},
            "action": {"type": "Action", "id": kind},
            "resource": {"type": "Resource", "id": resource},
            "context": chosen.look(context),
        }
        entities = self.supplied(principal, resource)
        answer = cedarpy.is_authorized(request, chosen.policies, entities, chosen.schema)
        return _guarded(answer)

    def supplied(self, principal: Principal, resource: str) -> cedarpy.Entities:
        """Return everything a policy may look up about this principal and this resource (G3)."""
        person = {"type": PRINCIPALS[principal.kind], "id": principal.id}
        thing = {"type": "Resource", "id": resource}
        delta = _delta_text(person, thing, principal.entity, tuple(_parents(principal)))
        return _with_delta(self.base, delta)

    def slice(self, kind: str) -> Slice:
        """Return the parsed policies that speak of one kind of action, and their schema."""
        found = self._slices.get(kind)
        if found is None:
            found = self._slices[kind] = self._sliced(kind)
        return found

    def _sliced(self, kind: str) -> Slice:
        chosen = {
            policy.id: policy.body
            for policy in self.policies.values()
            if policy.actions is None or kind in policy.actions
        }
        entry, required = self.kinds[kind], self.required.get(kind, frozenset())
        attributes = context_attributes(list(chosen.values()))
        text = schema_text(
            [entry], facts=self.facts, required={kind: sorted(required)}, only=attributes
        )
        shape = context_shape(entry, self.facts, required)
        return Slice(
            policies=_policy_set(chosen),
            schema=cedarpy.Schema.from_str(text),
            attributes=attributes,
            needed=frozenset(name for name in shape if not name.endswith("?")),
            known=frozenset(name.removesuffix("?") for name in shape),
        )

    def reason(self, policy_id: str) -> Reason:
        """Return the words of one policy."""
        policy = self.policies.get(policy_id)
        if policy is None:
            return reason(policy_id)
        words = policy.annotations
        return Reason(policy_id, words.get("customer", ""), words.get("staff", ""))

    def _missing(self, principal: Principal) -> str:
        """Return the first parent of a principal that is not among the supplied entities (G3)."""
        for kind, name in _parents(principal):
            if name not in (self.roles if kind == "Role" else self.mandates):
                return f"{kind}::{name}"
        return "" if principal.kind in PRINCIPALS else principal.kind


def compile_rules(bundles: Sequence[Bundle], kinds: Sequence[ActionKind]) -> Rules:
    """Return the rules that a bank-wide bundle and journeys' bundles make together.

    Raises:
        BundleRefused: a policy is not confined, not valid, or names something unregistered (G4).
    """
    problems = list(set_problems(bundles, kinds))
    if problems:
        raise BundleRefused("+".join(bundle.content.area for bundle in bundles), tuple(problems))
    bank = next(bundle for bundle in bundles if bundle.content.area == BANK)
    registry = bank.content.registry
    facts = {name: kind for item in bundles for name, kind in item.content.facts.items()}
    required = {
        action: frozenset(names)
        for item in bundles
        for action, names in item.content.required.items()
    }
    text = schema_text(kinds, facts=facts, required={k: sorted(v) for k, v in required.items()})
    require_valid(bundles, text)
    return Rules(
        digest=set_digest(bundles),
        policies={policy.id: policy for item in bundles for policy in item.policies},
        roles=registry.roles,
        mandates=registry.mandates,
        purposes=registry.purposes,
        facts=facts,
        required=required,
        kinds={kind.kind: kind for kind in kinds},
        base=cedarpy.Entities.from_json_str(json.dumps(_base(registry.roles, registry.mandates))),
    )


def set_digest(bundles: Sequence[Bundle]) -> str:
    """Return a name for a set of bundles: their areas and the start of each digest."""
    ordered = sorted(bundles, key=lambda item: (item.content.area != BANK, item.content.area))
    return " ".join(f"{item.content.area}@{item.digest[:16]}" for item in ordered)


def _not_asked(refusal: str, detail: str) -> Evaluation:
    return Evaluation(is_permitted=False, policies=(), refusal=refusal, detail=detail)


def _guarded(answer: cedarpy.AuthzResult) -> Evaluation:
    policies = tuple(sorted(answer.diagnostics.reasons))
    if answer.diagnostics.errors or answer.decision is cedarpy.Decision.NoDecision:
        detail = "; ".join(str(error) for error in answer.diagnostics.errors)[:200]
        return _not_asked("policy_error", detail)
    return Evaluation(answer.decision is cedarpy.Decision.Allow, policies)


def _parents(principal: Principal) -> Iterator[tuple[str, str]]:
    yield "Role", principal.kind
    for role in principal.roles:
        if role != principal.kind:
            yield "Role", role
    if principal.kind == "system":
        yield "Mandate", principal.id.removeprefix("system:")


def _base(roles: frozenset[str], mandates: frozenset[str]) -> list[dict[str, object]]:
    named = [("Role", name) for name in sorted(roles)]
    named += [("Mandate", name) for name in sorted(mandates)]
    return [{"uid": {"type": t, "id": n}, "attrs": {}, "parents": []} for t, n in named]


def _delta_text(
    person: Mapping[str, str],
    thing: Mapping[str, str],
    entity: str,
    parents: tuple[tuple[str, str], ...],
) -> str:
    kind = thing["id"].partition(":")[0]
    return json.dumps(
        [
            {
                "uid": person,
                "attrs": {"entity": entity},
                "parents": [{"type": t, "id": n} for t, n in parents],
            },
            {"uid": thing, "attrs": {"entity": entity, "kind": kind}, "parents": []},
        ]
    )


def _policy_set(policies: Mapping[str, Mapping[str, object]]) -> cedarpy.PolicySet:
    text = {"staticPolicies": policies, "templates": {}, "templateLinks": []}
    return cedarpy.PolicySet.from_json_str(json.dumps(text))


@lru_cache(maxsize=2048)
def _with_delta(base: cedarpy.Entities, delta: str) -> cedarpy.Entities:
    return base.with_added_json_str(delta)
