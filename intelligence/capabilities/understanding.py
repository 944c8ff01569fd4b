"""From a message to intent and slots: rules for dialogue acts, the model for the rest."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final, Protocol

from intelligence.capabilities.dialogue import Act, DialogueContext, act_of
from intelligence.capabilities.intent.labels import Intent
from intelligence.capabilities.intent.model import IntentScore
from intelligence.capabilities.language import detect
from intelligence.capabilities.slots.extract import Extraction, extract
from intelligence.capabilities.slots.refusals import refusal
from intelligence.capabilities.slots.values import (
    KnownPayee,
    PayeeSlot,
    Refusal,
    Slots,
    Span,
    TextSlot,
)

MESSAGE_CHARACTERS_MAX: Final = 4_000
RULE_CONFIDENCE: Final = 0.99
BY_MODEL: Final = "model"
_NAME: Final = re.compile(r"[^\W\d_][\w'\u2019.& -]{1,69}")
_ANSWER_WORDS_MAX: Final = 6
_PARTICLE_LETTERS_MAX: Final = 3


class Advice(StrEnum):
    """What a confidence is good for: go on, ask first, or say that it was not understood."""

    PROCEED = "proceed"
    ASK = "ask"
    NOT_UNDERSTOOD = "not_understood"


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another intent the message may have."""

    intent: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a message means; `topic` is the finest label known, to say what cannot be done yet."""

    intent: Intent
    confidence: float
    advice: Advice
    alternatives: tuple[Alternative, ...]
    slots: Slots
    refusals: tuple[Refusal, ...]
    language: str
    topic: str
    decided_by: str


class Scorer(Protocol):
    """What judges a message that no rule decides."""

    @property
    def bars(self) -> Mapping[str, float]:
        """Return the confidence from which to `proceed` and from which to `ask`."""

    def score(self, text: str) -> IntentScore:
        """Return the likeliest intent with a calibrated confidence."""


def refuse_unread(text: str, *, has_document: bool) -> Meaning | None:
    """Return the refusal of a message that is not read at all: empty or too long."""
    if len(text) > MESSAGE_CHARACTERS_MAX:
        return _nothing(refusal("message_too_long"), "und", "too_long")
    if not text.strip() and not has_document:
        return _nothing(refusal("message_empty"), "und", "empty")
    return None


def understand(
    *,
    text: str,
    today: date,
    payees: Sequence[KnownPayee],
    dialogue: DialogueContext,
    model: Scorer,
) -> Meaning:
    """Return what a message means; text is data, and nothing in it changes how it is read."""
    unread = refuse_unread(text, has_document=dialogue.has_document)
    if unread:
        return unread
    extraction = extract(text=text, today=today, payees=payees)
    language = _language(text, extraction, payees)
    if language != "en" and not _is_a_name_asked_for(text, dialogue):
        span = Span(0, len(text), text)
        return _nothing(refusal("language_not_supported", span), language, "language")
    slots = extraction.slots
    refusals = extraction.refusals
    act = act_of(text, slots, dialogue, has_refusal=bool(refusals))
    if act is None:
        act, slots = _free_answer(text, slots, dialogue, model)
    if act:
        return _by_rule(act, slots, refusals, "en")
    score = model.score(_masked(text, extraction))
    if dialogue.has_document and score.intent == Intent.PAY:
        score = replace(score, intent=Intent.PAY_DOCUMENT)
    return _by_model(score, slots, refusals, "en", model)


def _nothing(why: Refusal, language: str, rule: str) -> Meaning:
    return Meaning(
        Intent.OTHER, 1.0, Advice.NOT_UNDERSTOOD, (), Slots(), (why,), language, "", f"rule:{rule}"
    )


def _language(text: str, extraction: Extraction, payees: Sequence[KnownPayee]) -> str:
    """Return the language of the words that are the customer's own: no names, purposes or IBANs."""
    slots = extraction.slots
    spans = [slot.span for slot in (*slots.ibans, slots.purpose) if slot]
    if slots.payee:
        spans.append(slots.payee.span)
    characters = list(text)
    for span in spans:
        characters[span.start : span.end] = " " * (span.end - span.start)
    names = [name for payee in payees for name in (payee.name, *payee.aliases)]
    return detect("".join(characters), names=names)


def _is_a_name_asked_for(text: str, dialogue: DialogueContext) -> bool:
    """Say whether a message answers "to whom?" with nothing but a name, in whatever language."""
    words = text.strip().strip(".!").split()
    is_short = 0 < len(words) <= _ANSWER_WORDS_MAX
    return (
        dialogue.awaiting == "payee"
        and is_short
        and words[0][0].isupper()
        and all(word[0].isupper() or len(word) <= _PARTICLE_LETTERS_MAX for word in words)
    )


def _masked(text: str, extraction: Extraction) -> str:
    """Return the text with known payees replaced by one word, as in training."""
    masked = text
    for span in sorted(extraction.payee_spans, key=lambda s: -s.start):
        masked = f"{masked[: span.start]} _payee_ {masked[span.end :]}"
    return masked


def _by_rule(act: Act, slots: Slots, refusals: tuple[Refusal, ...], language: str) -> Meaning:
    return Meaning(
        intent=Intent(act.intent),
        confidence=RULE_CONFIDENCE,
        advice=Advice.PROCEED,
        alternatives=(),
        slots=slots,
        refusals=refusals,
        language=language,
        topic="",
        decided_by=f"rule:{act.rule}",
    )


def _advice(score: IntentScore, model: Scorer) -> Advice:
    if score.intent == Intent.OTHER:
        return Advice.NOT_UNDERSTOOD
    if score.confidence >= model.bars["proceed"]:
        return Advice.PROCEED
    return Advice.ASK if score.confidence >= model.bars["ask"] else Advice.NOT_UNDERSTOOD


def _by_model(
    score: IntentScore, slots: Slots, refusals: tuple[Refusal, ...], language: str, model: Scorer
) -> Meaning:
    advice = _advice(score, model)
    intent = Intent(score.intent) if advice != Advice.NOT_UNDERSTOOD else Intent.OTHER
    others = tuple(Alternative(name, confidence) for name, confidence in score.alternatives)
    if intent.value != score.intent:
        others = (Alternative(score.intent, score.confidence), *others)
    return Meaning(
        intent=intent,
        confidence=score.confidence,
        advice=advice,
        alternatives=others,
        slots=slots,
        refusals=refusals,
        language=language,
        topic=score.topic,
        decided_by=BY_MODEL,
    )


def _free_answer(
    text: str, slots: Slots, dialogue: DialogueContext, model: Scorer
) -> tuple[Act | None, Slots]:
    """Read the whole message as the name or purpose that was asked for, unless it asks for more."""
    words = text.strip().strip(".!")
    is_asked = dialogue.intent is not None and dialogue.awaiting in {"payee", "purpose"}
    if not is_asked or len(words.split()) > _ANSWER_WORDS_MAX or not _NAME.fullmatch(words):
        return None, slots
    score = model.score(text)
    if score.intent != Intent.OTHER and score.confidence >= model.bars["proceed"]:
        return None, slots
    start = text.index(words)
    span = Span(start, start + len(words), words)
    assert dialogue.intent is not None
    if dialogue.awaiting == "payee":
        return Act(dialogue.intent, "answers"), replace(slots, payee=PayeeSlot((), span))
    return Act(dialogue.intent, "answers"), replace(slots, purpose=TextSlot(words, span))
