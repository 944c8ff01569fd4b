"""Answers of the solver, remembered under what they rest on, so that none is proved twice. Pure.

An answer rests on the policies that speak of one action, on what their requests may hold, on the
invariant asked about and on z3 itself. None of that is missing from its name, so that a remembered
answer is never one about other rules. "No answer in time" is not remembered: it may be next time.
"""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Any, Generic, TypeVar

from sentinel.policy.bundles import Policy
from sentinel.policy.engine import Rules
from sentinel.policy.questions import shape_of, solver_module

PROOFS_KEPT = 8_192
Found = TypeVar("Found")


@dataclass(frozen=True)
class RememberedProofs(Generic[Found]):
    """What was found, by the name of the question; the one not asked for longest is forgotten."""

    size: int = PROOFS_KEPT
    _found: OrderedDict[str, Found] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def found(self, name: str, prove: Callable[[], Found]) -> Found:
        """Return what was found before under a name, or prove it now.

        Raises:
            NotAnalysable: `prove` says so; that is not remembered.
        """
        with self._lock:
            if name in self._found:
                self._found.move_to_end(name)
                return self._found[name]
        proved = prove()
        with self._lock:
            self._found[name] = proved
            while len(self._found) > self.size:
                self._found.popitem(last=False)
        return proved

    def forget(self) -> None:
        """Forget every answer."""
        with self._lock:
            self._found.clear()


def question_name(asked: str, action: str, *sides: Rules, invariant: Policy | None = None) -> str:
    """Return the name of a question: equal only if nothing that its answer rests on differs.

    Raises:
        NotAnalysable: z3 is not installed.
    """
    said = {
        "action": action,
        "asked": asked,
        "invariant": _policy(invariant) if invariant else None,
        "sides": [_side(rules, action) for rules in sides],
        "solver": solver_module().get_version_string(),
    }
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _side(rules: Rules, action: str) -> dict[str, Any]:
    entry = rules.kinds[action]
    return {
        "entry": [entry.risk, entry.human_only, shape_of(rules, action)],
        "mandates": sorted(rules.mandates),
        "policies": sorted(_policy(policy) for policy in speaking_of(rules, action)),
        "purposes": sorted(rules.purposes),
        "roles": sorted(rules.roles),
    }


def speaking_of(rules: Rules, action: str) -> list[Policy]:
    """Return the policies that decide about one kind of action."""
    return [
        policy
        for policy in rules.policies.values()
        if policy.actions is None or action in policy.actions
    ]


def _policy(policy: Policy) -> list[str]:
    return [policy.id, policy.logic]
