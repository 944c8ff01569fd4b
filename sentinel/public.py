"""The one door to Sentinel: whether this may be done, by whom, under which rule, and its proof."""

from sentinel.entities import (
    EntityNameRefused,
    EntityNotSet,
    LegalEntity,
    current_entity,
    legal_entities,
    legal_entity,
)

__all__ = [
    "EntityNameRefused",
    "EntityNotSet",
    "LegalEntity",
    "current_entity",
    "legal_entities",
    "legal_entity",
]
