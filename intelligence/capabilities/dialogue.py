"""Dialogue acts that depend on what was asked: yes, no, never mind, "no, 300", "pay this"."""

import re
from dataclasses import dataclass
from typing import Final

from intelligence.capabilities.intent.labels import Intent
from intelligence.capabilities.slots.values import Slots

CONFIRMATION: Final = "confirmation"
SLOT_NAMES: Final = frozenset(name for name in Slots.__slots__ if name != "ibans")
_POLITE: Final = r"(?:\s*,?\s*(?:please|pls|plz|thanks|thank you|thx|then|now|it))*\s*[.!]*"
_YES: Final = re.compile(
    r"(?:(?:yes|yep|yeah|yup|ya|y|ok|okay|okey|k|sure|correct|confirm(?:ed)?|i confirm|i agree|"
    r"agreed|"
    r"right|exactly|perfect|great|fine|good|do it|go ahead|please do|approve[d]?|send it|pay it|"
    r"that'?s (?:right|correct|it|fine|good|ok|okay)|that is (?:right|correct|fine)|"
    r"(?:looks|sounds) (?:good|right|fine)|all good|absolutely|definitely|of course|certainly|"
    r"yes of course|go for it|make it so|proceed|continue)[\s,.!]*)+" + _POLITE,
    re.IGNORECASE,
)
_NO: Final = re.compile(
    r"(?:(?:no|nope|nah|n|cancel|stop|abort|never ?mind|forget (?:it|about it|that)|leave it|"
    r"scrap (?:it|that)|don'?t|do not|not now|(?:don'?t|do not) (?:do it|pay|send|pay it|"
    r"send it|do that)|"
    r"i changed my mind|cancel (?:it|that|this|the payment|this payment|the transfer|"
    r"this transfer)|"
    r"stop (?:it|that|this)|no thanks|no thank you|i don'?t want (?:this|that|to)|start over|"
    r"quit|exit|"
    r"go back|not anymore|no way)[\s,.!]*)+" + _POLITE,
    re.IGNORECASE,
)
_CORRECTION: Final = re.compile(
    r"^\s*(?:no\b|nope\b|not\b|wait\b|sorry\b|oops\b|actually\b|i (?:mean|meant)\b|make (?:it|"
    r"that)\b|"
    r"change\b|rather\b|instead\b|correction\b|it should be\b|should be\b|it'?s\b|use\b|"
    r"yes,? but\b|ok(?:ay)?,? but\b|but\b|can you (?:make|change)\b|please (?:make|change)\b|"
    r"let'?s make\b)|"
    r"\binstead\s*[.!]*$|\b(?:i meant|i mean|make it)\b",
    re.IGNORECASE,
)
_PERSON: Final = re.compile(
    r"\b(?:talk|speak|chat|connected|connect me|put me through|transfer me|get me|give me|"
    r"call)\b.{0,20}\b"
    r"(?:someone|somebody|person|human|humans|agent|employee|advis[eo]r|colleague|"
    r"representative|manager|"
    r"operator|people|support|customer (?:service|support))\b|"
    r"\b(?:real|actual|live) (?:person|human|agent)\b|^\W*(?:human|agent|person|representative|"
    r"operator)\W*$",
    re.IGNORECASE,
)
_DOCUMENT: Final = re.compile(
    r"\b(?:pay|settle|transfer|take care of|handle|process|deal with)\b.{0,24}?"
    r"\b(?:this|it|that|these|attached|attachment|enclosed|invoice|bill|document|pdf|file)\b|"
    r"\b(?:attached|this|the) (?:invoice|bill|pdf|document)\b",
    re.IGNORECASE,
)
_THIS_DOCUMENT: Final = re.compile(
    r"\b(?:this|the|that) (?:attached |enclosed )?(?:invoice|bill|pdf|document|"
    r"attachment)\b(?! from)|\battached\b",
    re.IGNORECASE,
)
_WORDS_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class DialogueContext:
    """What the conversation is about: the open intent, what was asked, whether a file came along.

    `awaiting` is the name of a slot, `confirmation`, or nothing.
    """

    intent: str | None = None
    awaiting: str | None = None
    has_document: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """A dialogue act decided by rule; `rule` names the rule."""

    intent: str
    rule: str


NO_DIALOGUE: Final = DialogueContext()


def act_of(text: str, slots: Slots, dialogue: DialogueContext, *, has_refusal: bool) -> Act | None:
    """Return the dialogue act of a message, or nothing when a model has to judge it."""
    words = text.strip()
    if _PERSON.search(words):
        return Act(Intent.TALK_TO_PERSON, "asks_for_a_person")
    if _NO.fullmatch(words):
        return Act(Intent.CANCEL, "says_no")
    if _YES.fullmatch(words):
        return Act(Intent.CONFIRM, "says_yes")
    if dialogue.intent:
        act = _in_dialogue(words, slots, dialogue, has_refusal=has_refusal)
        if act:
            return act
    return _about_document(words, slots, dialogue)


def _in_dialogue(
    words: str, slots: Slots, dialogue: DialogueContext, *, has_refusal: bool
) -> Act | None:
    """Return a correction, or the answer to the question asked, when the message is one."""
    named = set(slots.names())
    says_something = bool(named) or has_refusal
    if says_something and _CORRECTION.search(words):
        return Act(Intent.CORRECT, "corrects")
    if len(words.split()) > _WORDS_MAX or not says_something:
        return None
    assert dialogue.intent is not None
    if dialogue.awaiting == CONFIRMATION and _is_bare(words):
        return Act(Intent.CORRECT, "changes_before_confirming")
    if dialogue.awaiting in named and _is_bare(words):
        return Act(dialogue.intent, "answers")
    if dialogue.awaiting in SLOT_NAMES and has_refusal and _is_bare(words):
        return Act(dialogue.intent, "answers_badly")
    return None


_NEW_REQUEST: Final = re.compile(
    r"\b(?:pay|send|transfer|wire|block|freeze|lock|balance|how much|spent|spend|where|status|"
    r"what|why|who|"
    r"when|lost|stolen|show|list)\b",
    re.IGNORECASE,
)


def _is_bare(words: str) -> bool:
    """Say whether a message is an answer and asks for nothing new itself."""
    return _NEW_REQUEST.search(words) is None


def _about_document(words: str, slots: Slots, dialogue: DialogueContext) -> Act | None:
    if dialogue.has_document and (not words or _DOCUMENT.search(words)):
        return Act(Intent.PAY_DOCUMENT, "pays_the_document")
    is_empty_of_values = slots.amount is None and slots.iban is None
    if is_empty_of_values and _DOCUMENT.search(words) and _THIS_DOCUMENT.search(words):
        return Act(Intent.PAY_DOCUMENT, "speaks_of_a_document")
    return None
