"""Policies as people read them: bundles in force, and the text of each policy."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import cedarpy

from sentinel.policy.bundles import Bundle, Policy
from sentinel.policy.publishing import bundles_in_force


@dataclass(frozen=True, slots=True)
class PolicyView:
    """One policy: what it does, its text, and its words for customers and staff."""

    policy_id: str
    effect: str
    text: str
    customer: str
    staff: str
    bundle_digest: str


@dataclass(frozen=True, slots=True)
class BundleView:
    """One bundle in force and its policies."""

    name: str
    digest: str
    actions: tuple[str, ...]
    policies: tuple[PolicyView, ...]


def bundles(*, at: datetime | None = None) -> tuple[BundleView, ...]:
    """Return the bundles in force at a moment, or now, the bank-wide one first.

    Raises:
        BundleRefused: one was altered or is not signed by the bank's policy key.
    """
    found = bundles_in_force(at)
    ordered = sorted(found, key=lambda item: (item.content.area != "bank", item.content.area))
    return tuple(_bundle_view(bundle) for bundle in ordered)


def policy_view(policy: Policy, bundle: Bundle) -> PolicyView:
    """Return a policy as people read it."""
    return PolicyView(
        policy_id=policy.id,
        effect=str(policy.body["effect"]),
        text=policy_text(json.dumps(policy.body)),
        customer=policy.annotations.get("customer", ""),
        staff=policy.annotations.get("staff", ""),
        bundle_digest=bundle.digest,
    )


def policy_views(found: Bundle) -> Iterator[PolicyView]:
    """Yield the policies of a bundle as people read them."""
    for policy in found.policies:
        yield policy_view(policy, found)


@lru_cache(maxsize=512)
def policy_text(body: str) -> str:
    """Return the Cedar text of a policy without its annotations, which are shown as words."""
    plain = {**json.loads(body), "annotations": {}}
    text = {"staticPolicies": {"policy": plain}, "templates": {}, "templateLinks": []}
    return cedarpy.format_policies(cedarpy.policies_from_json_str(json.dumps(text))).strip()


def _bundle_view(found: Bundle) -> BundleView:
    return BundleView(
        found.content.area, found.digest, found.content.actions, tuple(policy_views(found))
    )
