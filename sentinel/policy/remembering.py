"""Rules that ask Cedar once about what is the same to it, for judging many decisions at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from sentinel.policy.engine import ContextValue, Evaluation, Rules
from sentinel.vocabulary import Principal

ANSWERS_KEPT = 200_000


@dataclass(frozen=True)
class RememberingRules(Rules):
    """Rules that remember their answers: no policy may name a person or a thing (G4)."""

    answers: dict[tuple[object, ...], Evaluation] = field(default_factory=dict)

    def evaluate(
        self, kind: str, principal: Principal, resource: str, context: Mapping[str, ContextValue]
    ) -> Evaluation:
        """Return what the policies say, or said before if nothing they look at differs."""
        chosen = self.slice(kind)
        if chosen.misshapen(context):
            return super().evaluate(kind, principal, resource, context)
        anything = resource.partition(":")[0]
        mandate = principal.id if principal.kind == "system" else ""
        key = (
            *(kind, principal.kind, mandate, principal.roles, principal.entity, anything),
            *_looked_at(chosen.look(context)),
        )
        found = self.answers.get(key)
        if found is None:
            anybody = principal if mandate else replace(principal, id=f"{principal.kind}:1")
            found = super().evaluate(kind, anybody, f"{anything}:1", context)
            if len(self.answers) < ANSWERS_KEPT:
                self.answers[key] = found
        return found


def remembering(rules: Rules) -> RememberingRules:
    """Return rules that remember their answers for as long as they are kept."""
    return RememberingRules(**{each.name: getattr(rules, each.name) for each in fields(Rules)})


def _looked_at(context: Mapping[str, ContextValue]) -> list[tuple[object, ...]]:
    """Return a context so that equal ones are the same to Cedar; True is not 1 there."""
    return [
        (name, type(value), tuple(value) if isinstance(value, list) else value)
        for name, value in sorted(context.items())
    ]
