"""The intents of the bank, and how the labels of public data sets map to them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

MAPPING_PATH: Final = Path(__file__).with_name("label_mapping.json")
OWN_PREFIX: Final = "own."


class Intent(StrEnum):
    """What a message asks for; confirm, cancel and correct depend on what went before."""

    PAY = "pay"
    PAY_DOCUMENT = "pay_document"
    BALANCE = "balance"
    SPENDING = "spending"
    CARD_BLOCK = "card_block"
    PAYMENT_STATUS = "payment_status"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    CORRECT = "correct"
    TALK_TO_PERSON = "talk_to_person"
    OTHER = "other"


# The intents a model learns; the rest is decided by rule from the dialogue.
LEARNED: Final = (
    Intent.PAY,
    Intent.BALANCE,
    Intent.SPENDING,
    Intent.CARD_BLOCK,
    Intent.PAYMENT_STATUS,
    Intent.CONFIRM,
    Intent.CANCEL,
    Intent.TALK_TO_PERSON,
    Intent.OTHER,
)


@dataclass(frozen=True, slots=True)
class LabelMapping:
    """Which intent each fine label stands for; a label that is not named means `other`."""

    intent_by_label: dict[str, str]
    left_out: frozenset[str]

    def intent_of(self, label: str) -> str:
        """Return our intent for a fine label such as `banking77.card_arrival` or `own.pay`."""
        if label.startswith(OWN_PREFIX):
            return label.removeprefix(OWN_PREFIX).partition(".")[0]
        return self.intent_by_label.get(label, Intent.OTHER.value)

    def intents_of(self, labels: Sequence[str]) -> list[str]:
        """Return our intent for each fine label."""
        return [self.intent_of(label) for label in labels]


def load_mapping(path: Path = MAPPING_PATH) -> LabelMapping:
    """Return the declared mapping.

    Raises:
        ValueError: the file names an intent the bank does not have.
    """
    declared = json.loads(path.read_text(encoding="utf-8"))
    known = {intent.value for intent in LEARNED}
    unknown = set(declared["intents"]) - known
    if unknown:
        msg = f"intents the bank does not have: {sorted(unknown)}"
        raise ValueError(msg)
    by_label = {label: intent for intent, labels in declared["intents"].items() for label in labels}
    return LabelMapping(by_label, frozenset(declared["left_out"]))
