"""Rules that ask Cedar once about what is the same to it, for judging many decisions at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from sentinel.policy.classes import Classes, classes_of
from sentinel.policy.engine import ContextValue, Evaluation, Rules
from sentinel.policy.remembered_proofs import speaking_of
from sentinel.vocabulary import Principal

ANSWERS_KEPT = 200_000


@dataclass(frozen=True)
class RememberingRules(Rules):
    """Rules that remember their answers: no policy may name a person or a thing (G4)."""

    answers: dict[tuple[object, ...], Evaluation] = field(default_factory=dict)
    classes: dict[str, Classes | None] = field(default_factory=dict)

    def evaluate(
        self, kind: str, principal: Principal, resource: str, context: Mapping[str, ContextValue]
    ) -> Evaluation:
        """Return what the policies say, or said before if nothing they can tell differs."""
        classes = self._classes(kind)
        if classes is None or self.slice(kind).misshapen(context):
            return super().evaluate(kind, principal, resource, context)
        anything = resource.partition(":")[0]
        mandate = principal.id if principal.kind == "system" else ""
        who = (principal.kind, mandate, principal.roles, principal.entity)
        key = (kind, who, anything, classes.of(context))
        found = self.answers.get(key)
        if found is None:
            anybody = principal if mandate else replace(principal, id=f"{principal.kind}:1")
            found = super().evaluate(kind, anybody, f"{anything}:1", context)
            if len(self.answers) < ANSWERS_KEPT:
                self.answers[key] = found
        return found

    def _classes(self, kind: str) -> Classes | None:
        if kind not in self.classes:
            bodies = [policy.body for policy in speaking_of(self, kind)]
            try:
                self.classes[kind] = classes_of(bodies, self.slice(kind).attributes)
            except LookupError:
                self.classes[kind] = None
        return self.classes[kind]


def remembering(rules: Rules) -> RememberingRules:
    """Return rules that remember their answers for as long as they are kept."""
    return RememberingRules(**{each.name: getattr(rules, each.name) for each in fields(Rules)})
