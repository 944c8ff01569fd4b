"""The Cedar schema: derived from the catalogue and the declared facts, so it cannot lag. Pure."""

from collections.abc import Mapping, Sequence

from sentinel.catalogue import ActionKind
from sentinel.facts import FactKind

PRINCIPALS = {"customer": "Customer", "employee": "Employee", "agent": "Agent", "system": "System"}
_ENTITIES = """
entity Role;
entity Mandate;
entity Customer in [Role] = {"entity": String};
entity Employee in [Role] = {"entity": String};
entity Agent in [Role] = {"entity": String};
entity System in [Role, Mandate] = {"entity": String};
entity Resource = {"entity": String, "kind": String};
"""
_ALWAYS = {
    "approved_roles": "Set<String>",
    "entity": "String",
    "has_unknown_source": "Bool",
    "human_only": "Bool",
    "is_stopped": "Bool",
    "on_behalf_of_customer": "Bool",
    "purpose": "String",
    "risk": "String",
    "sca_exemption": "String",
    "step_up_done": "Bool",
}


def schema_text(
    kinds: Sequence[ActionKind],
    *,
    facts: Mapping[str, FactKind],
    required: Mapping[str, Sequence[str]],
) -> str:
    """Return the schema for these actions in Cedar's own language."""
    actions = [_action(kind, facts, frozenset(required.get(kind.kind, ()))) for kind in kinds]
    return _ENTITIES + "\n".join(actions)


def _action(kind: ActionKind, facts: Mapping[str, FactKind], required: frozenset[str]) -> str:
    attributes = dict(_ALWAYS)
    for name, fact in facts.items():
        attributes[name if name in required else f"{name}?"] = fact.type
    if kind.money_fields:
        attributes["amount_minor"] = "Long"
        attributes["currency"] = "String"
        attributes["approval_threshold_minor?"] = "Long"
    for name in kind.parameters.model_fields:
        attributes[f"source_{name}"] = "String"
    context = ", ".join(_attribute(name, attributes[name]) for name in sorted(attributes))
    principals = ", ".join(PRINCIPALS.values())
    return (
        f'action "{kind.kind}" appliesTo {{ principal: [{principals}],'
        f" resource: [Resource], context: {{ {context} }} }};"
    )


def _attribute(name: str, kind: str) -> str:
    if name.endswith("?"):
        return f'"{name[:-1]}"?: {kind}'
    return f'"{name}": {kind}'
