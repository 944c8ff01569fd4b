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
    "data_read": "Set<String>",
    "earlier_actions": "Set<String>",
    "emergency": "Bool",
    "entity": "String",
    "has_unknown_source": "Bool",
    "human_only": "Bool",
    "is_stopped": "Bool",
    "on_behalf_of_customer": "Bool",
    "own_party?": "Bool",
    "purpose": "String",
    "risk": "String",
    "sca_exemption": "String",
    "sends_outside": "Bool",
    "step_up_done": "Bool",
}

_NEUTRAL: Mapping[str, str | int | bool | tuple[str, ...]] = {
    "Bool": False,
    "Long": 0,
    "Set<String>": (),
    "String": "",
}


def schema_text(
    kinds: Sequence[ActionKind],
    *,
    facts: Mapping[str, FactKind],
    required: Mapping[str, Sequence[str]],
    only: frozenset[str] | None = None,
) -> str:
    """Return the schema for these actions in Cedar's own language.

    With `only`, the context has no attributes but these.
    """
    actions = [_action(kind, facts, frozenset(required.get(kind.kind, ())), only) for kind in kinds]
    return _ENTITIES + "\n".join(actions)


def context_shape(
    kind: ActionKind, facts: Mapping[str, FactKind], required: frozenset[str]
) -> dict[str, str]:
    """Return what the context of an action holds, by type; a name ending in "?" may be absent."""
    attributes = dict(_ALWAYS)
    for name, fact in facts.items():
        attributes[name if name in required else f"{name}?"] = fact.type
    if kind.money_fields:
        attributes["amount_minor"] = "Long"
        attributes["currency"] = "String"
        attributes["approval_threshold_minor?"] = "Long"
    for name in kind.parameters.model_fields:
        attributes[f"source_{name}"] = "String"
    return attributes


def neutral_context(
    kind: ActionKind, *, entity: str
) -> dict[str, str | int | bool | tuple[str, ...]]:
    """Return a context in which nothing is out of the ordinary, without any fact."""
    neutral: dict[str, str | int | bool | tuple[str, ...]] = {
        name: _NEUTRAL[type_name]
        for name, type_name in context_shape(kind, {}, frozenset()).items()
        if not name.endswith("?")
    }
    neutral |= {"entity": entity, "human_only": kind.human_only, "risk": kind.risk}
    neutral |= {name: "system" for name in neutral if name.startswith("source_")}
    return neutral | ({"amount_minor": 100, "currency": "EUR"} if kind.money_fields else {})


def _action(
    kind: ActionKind,
    facts: Mapping[str, FactKind],
    required: frozenset[str],
    only: frozenset[str] | None,
) -> str:
    attributes = context_shape(kind, facts, required)
    context = ", ".join(
        _attribute(name, attributes[name])
        for name in sorted(attributes)
        if only is None or name.removesuffix("?") in only
    )
    principals = ", ".join(PRINCIPALS.values())
    return (
        f'action "{kind.kind}" appliesTo {{ principal: [{principals}],'
        f" resource: [Resource], context: {{ {context} }} }};"
    )


def _attribute(name: str, kind: str) -> str:
    if name.endswith("?"):
        return f'"{name[:-1]}"?: {kind}'
    return f'"{name}": {kind}'
