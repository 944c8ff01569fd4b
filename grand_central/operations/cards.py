"""Cards at the card processor: the system outside the bank that says yes or no at a till."""

from typing import Literal

from grand_central.operations.fields import Id, Parameters, effect
from grand_central.operations.registers import BlockReason

ReleaseReason = Literal["undone", "stopped_in_error"]


class StopCard(Parameters):
    """Have the card processor refuse every payment with a card."""

    card_id: Id
    reason: BlockReason


class ReleaseCard(Parameters):
    """Have the card processor accept payments with a card again."""

    card_id: Id
    reason: ReleaseReason


def stop_card_effect(parameters: StopCard) -> bytes:
    """Return the effect digest of stopping a card."""
    return effect("card_stop/v1", parameters.card_id, parameters.reason)


def release_card_effect(parameters: ReleaseCard) -> bytes:
    """Return the effect digest of releasing a card."""
    return effect("card_release/v1", parameters.card_id, parameters.reason)
