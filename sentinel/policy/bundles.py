"""What a bundle of policies is, and the proof that it keeps to its own actions. Pure.

A bundle is content: Cedar text, the facts it may rest on, and the actions it owns. Its name is
the digest of its content.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cedarpy
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sentinel.facts import FactKind
from sentinel.policy.cases import PolicyCases
from sentinel.refusals import SentinelError
from sentinel.signing.canonical import NotCanonical, canonical_json, digest, parse_canonical

BANK = "bank"
_CONTEXT = {"Var": "context"}
NEEDS = frozenset({"approval", "step_up"})
# A bank-wide bundle without one of these is refused, so that no edit can open the door silently.
MANDATORY = frozenset(
    {
        "cross-entity",
        "kill-switch",
        "human-only",
        "unknown-provenance",
        "sanctions-hit",
        "screening-needs-review",
        "screening-stale",
        "iban-from-document-needs-call-back",
        "payee-name-differs",
        "customer-not-active",
        "account-not-open",
        "approval-above-threshold",
        "payment-needs-second-factor",
    }
)


class BundleRefused(SentinelError):
    """The bundle must not be published or used; `problems` says why, one line each."""

    code = "bundle_refused"

    def __init__(self, area: str, problems: tuple[str, ...]) -> None:
        super().__init__(area, problems)
        self.area, self.problems = area, problems


class Registry(BaseModel):
    """Every name a policy may speak of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: frozenset[str] = frozenset()
    mandates: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()


class ShadowRule(BaseModel):
    """How long a proposal must have run in shadow before it may be published."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    shadow_hours: int = Field(default=0, ge=0, le=8760)
    shadow_decisions: int = Field(default=0, ge=0)


class BundleContent(BaseModel):
    """The content of one bundle, as it is hashed, signed and stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    area: str = Field(pattern=r"^[a-z][a-z_]{0,39}$")
    actions: tuple[str, ...]
    cedar: str
    facts: dict[str, FactKind]
    required: dict[str, tuple[str, ...]]
    registry: Registry = Registry()
    tests: PolicyCases = PolicyCases()
    invariants: str = ""
    gate: ShadowRule = ShadowRule()


@dataclass(frozen=True)
class Policy:
    """One Cedar policy in its JSON form."""

    id: str
    area: str
    body: Mapping[str, Any]

    @property
    def is_permit(self) -> bool:
        """Whether the policy permits rather than forbids."""
        return bool(self.body["effect"] == "permit")

    @cached_property
    def annotations(self) -> Mapping[str, str]:
        """The words and marks written above the policy."""
        return MappingProxyType(self.body.get("annotations", {}))

    @cached_property
    def logic(self) -> str:
        """Everything of the policy that decides, as text: all but the words above it."""
        decides = {key: part for key, part in self.body.items() if key != "annotations"}
        return json.dumps(decides, sort_keys=True)

    @cached_property
    def actions(self) -> frozenset[str] | None:
        """The actions the policy speaks of, or None if it speaks of all."""
        scope = self.body["action"]
        named = [scope["entity"]] if "entity" in scope else scope.get("entities", [])
        return frozenset(entity["id"] for entity in named) if named else None


@dataclass(frozen=True)
class Bundle:
    """One bundle of policies, named by its content."""

    content: BundleContent

    @cached_property
    def text(self) -> str:
        """The canonical text that is hashed, signed and stored."""
        return canonical_json(self._plain()).decode()

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the content, in hexadecimal."""
        return digest("policy-bundle", self._plain()).hex()

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """The policies, parsed.

        Raises:
            BundleRefused: the text is no Cedar, holds a template, or lacks an @id.
        """
        return bundle_policies(self.content.area, self.content.cedar)

    @cached_property
    def invariants(self) -> tuple[Policy, ...]:
        """What must never be permitted, whichever rules are in force, as forbidding policies.

        Raises:
            BundleRefused: the text is no Cedar, holds a template, or lacks an @id.
        """
        return bundle_policies(self.content.area, self.content.invariants)

    def _plain(self) -> dict[str, object]:
        plain: dict[str, object] = self.content.model_dump(mode="json")
        registry = self.content.registry
        plain["actions"] = sorted(self.content.actions)
        plain["registry"] = {
            "mandates": sorted(registry.mandates),
            "purposes": sorted(registry.purposes),
            "roles": sorted(registry.roles),
        }
        # A bundle from before there were cases keeps the name it was signed under.
        later = {
            "gate": self.content.gate.model_dump(exclude_defaults=True),
            "invariants": self.content.invariants,
            "tests": self.content.tests.plain(),
        }
        known = {name: value for name, value in plain.items() if name not in later}
        return known | {name: value for name, value in later.items() if value}


def bundle_policies(area: str, text: str) -> tuple[Policy, ...]:
    """Return the policies of a Cedar text.

    Raises:
        BundleRefused: the text is no Cedar, or holds a template.
    """
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise BundleRefused(area, (f"not Cedar: {error}",)) from error
    if parsed.get("templates") or parsed.get("templateLinks"):
        raise BundleRefused(area, ("templates are not allowed",))
    return tuple(
        Policy(body.get("annotations", {}).get("id") or f"?{key}", area, body)
        for key, body in parsed["staticPolicies"].items()
    )


def bundle_from_text(text: str) -> Bundle:
    """Return a stored bundle.

    Raises:
        BundleRefused: the text is not a bundle in canonical form.
    """
    try:
        return Bundle(BundleContent.model_validate(parse_canonical(text.encode())))
    except (NotCanonical, ValidationError) as error:
        raise BundleRefused("?", ("the stored content is not a bundle",)) from error


def bundle_from_folder(folder: Path, *, area: str | None = None) -> Bundle:
    """Return the bundle in a folder: `policy.cedar` and `policy.json`, with what goes with them.

    Raises:
        BundleRefused: one of the files is not what it should be.
    """
    area = area or folder.name
    try:
        settings = json.loads((folder / "policy.json").read_text(encoding="utf-8"))
        cedar = (folder / "policy.cedar").read_text(encoding="utf-8")
        tests, invariants = folder / "tests.json", folder / "invariants.cedar"
        if tests.exists():
            settings["tests"] = json.loads(tests.read_text(encoding="utf-8"))
        if invariants.exists():
            settings["invariants"] = invariants.read_text(encoding="utf-8")
        return Bundle(BundleContent.model_validate({**settings, "area": area, "cedar": cedar}))
    except (ValueError, OSError) as error:
        raise BundleRefused(area, (str(error),)) from error


def journey_bundle(*, folder: Path) -> Bundle:
    """Return the bundle of a journey's folder; its area is the folder's name.

    Raises:
        BundleRefused: `policy.cedar` or `policy.json` is missing or not what it should be.
    """
    return bundle_from_folder(folder)


def bank_bundle() -> Bundle:
    """Return the bank-wide bundle that ships with Sentinel."""
    return bundle_from_folder(Path(__file__).parent / "bank", area=BANK)


def confinement_problems(bundle: Bundle) -> Iterator[str]:
    """Yield every way in which a bundle speaks of what is not its own.

    Cedar's permits add up, so a journey's permit for another journey's action would widen it.
    """
    own = frozenset(bundle.content.actions)
    is_bank = bundle.content.area == BANK
    if not is_bank and not own:
        yield "a journey's bundle must own actions"
    if is_bank and MANDATORY - {policy.id for policy in bundle.policies}:
        missing = sorted(MANDATORY - {policy.id for policy in bundle.policies})
        yield f"bank-wide rules are missing: {', '.join(missing)}"
    for action in bundle.content.required:
        if action not in own:
            yield f"requires facts for {action}, which is not its own"
    for policy in bundle.policies:
        yield from _policy_problems(policy, own, is_bank)
    for invariant in bundle.invariants:
        yield from _invariant_problems(invariant, is_bank)


def _policy_problems(policy: Policy, own: frozenset[str], is_bank: bool) -> Iterator[str]:  # noqa: FBT001
    yield from _wording_problems(policy)
    yield from _needs_problems(policy)
    if not is_bank:
        yield from _scope_problems(policy, own)
    elif policy.is_permit:
        yield f"{policy.id}: the bank-wide bundle may only forbid"


def _invariant_problems(invariant: Policy, is_bank: bool) -> Iterator[str]:  # noqa: FBT001
    if not is_bank:
        yield f"{invariant.id}: only the bank-wide bundle says what must never be permitted"
    if invariant.id.startswith("?") or not invariant.annotations.get("staff", "").strip():
        yield f"{invariant.id}: an invariant has an @id and says @staff what it means"
    if invariant.is_permit:
        yield f"{invariant.id}: an invariant says what is never permitted"


def _wording_problems(policy: Policy) -> Iterator[str]:
    if policy.id.startswith("?"):
        yield "a policy has no @id"
    for words in ("customer", "staff"):
        if not policy.annotations.get(words, "").strip():
            yield f"{policy.id}: no @{words} wording"


def _scope_problems(policy: Policy, own: frozenset[str]) -> Iterator[str]:
    if policy.actions is None:
        yield f"{policy.id}: names no action"
    elif policy.body["action"]["op"] == "in" and "entity" in policy.body["action"]:
        yield f"{policy.id}: names a group of actions"
    elif policy.actions - own:
        yield f"{policy.id}: speaks of {', '.join(sorted(policy.actions - own))}"
    for kind, name in literals(policy.body["conditions"]):
        if kind == "Action" and name not in own:
            yield f"{policy.id}: mentions {name}"


def _needs_problems(policy: Policy) -> Iterator[str]:
    needs = policy.annotations.get("needs")
    if needs is None:
        return
    if needs not in NEEDS or policy.is_permit:
        yield f"{policy.id}: @needs is for a forbid and is approval or step_up"
    if needs == "approval" and not policy.annotations.get("role"):
        yield f"{policy.id}: @needs approval names no @role"


def literals(value: object) -> Iterator[tuple[str, str]]:
    """Yield the type and id of every entity written out in a Cedar JSON expression."""
    if isinstance(value, dict):
        entity = value.get("__entity", value)
        if isinstance(entity, dict) and set(entity) == {"type", "id"}:
            yield entity["type"], entity["id"]
            return
        for item in value.values():
            yield from literals(item)
    elif isinstance(value, list):
        for item in value:
            yield from literals(item)


def context_attributes(value: object) -> frozenset[str] | None:
    """Return the attributes of the context that Cedar JSON expressions look at.

    None if one of them uses the context as a whole: then every attribute counts.
    """
    names: set[str] = set()
    return frozenset(names) if _adds_attributes(value, names) else None


def _adds_attributes(value: object, names: set[str]) -> bool:
    """Add the attributes an expression looks at; return False if it uses the whole context."""
    if isinstance(value, list):
        return all(_adds_attributes(item, names) for item in value)
    if not isinstance(value, dict):
        return True
    if value == _CONTEXT:
        return False
    if value.get("left") == _CONTEXT and isinstance(value.get("attr"), str):
        names.add(value["attr"])
        return True
    return all(_adds_attributes(item, names) for item in value.values())
