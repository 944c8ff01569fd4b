"""What a customer's data is used for, as they see it."""

from dataclasses import dataclass

import sentinel.public
from orchestration.public import ConsentRefused, say_consent
from sentinel.public import ConsentView, DataUse
from sentinel.vocabulary import Principal

__all__ = ["ConsentRefused", "OwnPrivacy", "own_privacy", "say_consent"]


@dataclass(frozen=True, slots=True)
class OwnPrivacy:
    """What rests on the customer's word, and what on the law or the contract."""

    asked: tuple[ConsentView, ...]
    others: tuple[DataUse, ...]


def own_privacy(*, principal: Principal) -> OwnPrivacy:
    """Return what a customer's data is used for, and what they have said to it."""
    asked = sentinel.public.consents_of(subject=principal.id)
    known = {(each.use.purpose, each.use.data_class) for each in asked}
    others = tuple(
        each
        for each in sentinel.public.data_uses()
        if each.is_permitted and (each.purpose, each.data_class) not in known
    )
    return OwnPrivacy(asked, others)
