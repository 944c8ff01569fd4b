"""The one door to Intelligence: what is likely, what is meant, and which model says so."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from intelligence import records, registry, router
from intelligence.artefact_files import ArtefactRefused
from intelligence.capabilities.dialogue import NO_DIALOGUE, DialogueContext
from intelligence.capabilities.documents import invoice
from intelligence.capabilities.documents.invoice import (
    AmountField,
    DateField,
    IbanField,
    InvoiceReading,
    Place,
    TextField,
)
from intelligence.capabilities.fraud.features import PaymentFeatures
from intelligence.capabilities.fraud.model import AdditiveModel, FraudReason, Scored
from intelligence.capabilities.intent.labels import Intent
from intelligence.capabilities.intent.model import IntentModel
from intelligence.capabilities.language import detect
from intelligence.capabilities.letters.grounding import ungrounded
from intelligence.capabilities.letters.reader import LetterReader, Reading
from intelligence.capabilities.letters.writer import Draft, LetterWriter
from intelligence.capabilities.slots.values import (
    AmountSlot,
    CardSlot,
    DateSlot,
    IbanSlot,
    KnownPayee,
    PayeeCandidate,
    PayeeSlot,
    PeriodSlot,
    Refusal,
    Slots,
    Span,
    TextSlot,
)
from intelligence.capabilities.understanding import (
    Advice,
    Alternative,
    Meaning,
)
from intelligence.capabilities.understanding import understand as _understand
from intelligence.records import CursorNotUnderstood, ModelCall, NewCall
from intelligence.registry import RegisteredModel
from intelligence.router import NoModelAnswered, Said

__all__ = [
    "Advice",
    "Alternative",
    "AmountField",
    "AmountSlot",
    "ArtefactRefused",
    "CardSlot",
    "CursorNotUnderstood",
    "DateField",
    "DateSlot",
    "DialogueContext",
    "FraudReason",
    "FraudScore",
    "IbanField",
    "IbanSlot",
    "Intent",
    "InvoiceReading",
    "KnownPayee",
    "LetterReading",
    "ModelCall",
    "NewCall",
    "NoModelAnswered",
    "PayeeCandidate",
    "PayeeSlot",
    "PaymentFeatures",
    "PeriodSlot",
    "Place",
    "Refusal",
    "RegisteredModel",
    "ReplyDraft",
    "Slots",
    "Span",
    "TextField",
    "TextSlot",
    "Understanding",
    "calls_of",
    "draft_reply",
    "events_after",
    "read_invoice",
    "read_letter",
    "register_shipped_models",
    "registered_models",
    "score_payment",
    "understand",
]


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a message means, who says so, and under which record.

    `advice` says what the confidence is good for; `topic` is the finest label known for it.
    """

    intent: Intent
    confidence: float
    advice: Advice
    alternatives: tuple[Alternative, ...]
    slots: Slots
    refusals: tuple[Refusal, ...]
    language: str
    topic: str
    decided_by: str
    model: str
    version: str
    call_id: UUID | None


@dataclass(frozen=True, slots=True)
class FraudScore:
    """A probability of fraud, 0 to 1, its band (low, medium, high) and why, strongest reason first.

    The log-odds of `value` are exactly `baseline` plus all `contributions`.
    """

    value: float
    band: str
    reasons: tuple[FraudReason, ...]
    contributions: tuple[tuple[str, float], ...]
    baseline: float
    model: str
    version: str
    call_id: UUID | None


@dataclass(frozen=True, slots=True)
class LetterReading:
    """What a letter names, every value with its place and the provenance `document`."""

    slots: Slots
    refusals: tuple[Refusal, ...]
    model: str
    version: str
    call_id: UUID | None


@dataclass(frozen=True, slots=True)
class ReplyDraft:
    """A drafted answer to a letter; empty when facts or prepared words were `missing`.

    `ungrounded` lists amounts, dates, numbers, links and addresses in it that no fact holds.
    """

    text: str
    language: str
    used: tuple[str, ...]
    missing: tuple[str, ...]
    ungrounded: tuple[str, ...]
    model: str
    version: str
    call_id: UUID | None


def _local_day(at: datetime) -> date:
    zone = getattr(settings, "DISPLAY_TIME_ZONE", settings.TIME_ZONE)
    return at.astimezone(ZoneInfo(zone)).date()


def _describe(meaning: Meaning) -> Said:
    codes = tuple(refusal.code for refusal in meaning.refusals)
    return Said(meaning.intent.value, meaning.confidence, (meaning.decided_by, *codes))


def understand(
    *,
    text: str,
    at: datetime,
    payees: Sequence[KnownPayee] = (),
    dialogue: DialogueContext | None = None,
    case_id: UUID | None = None,
    record: bool = True,
) -> Understanding:
    """Return what a customer's message means: intent, slots with their places, and refusals.

    Dates are read relative to `at` in the bank's time zone. Nothing in the text is followed.

    Raises:
        NoModelAnswered: no registered model could be loaded; hand over to a person.
        sentinel.public.EntityNotSet: no legal entity is set.
    """
    need = router.Need(
        capability="intent.understand",
        input_digest=records.digest_of(text.encode("utf-8", "surrogatepass")),
        purpose="conversation",
        at=at,
        case_id=case_id,
    )

    def work(model: IntentModel) -> Meaning:
        return _understand(
            text=text,
            today=_local_day(at),
            payees=payees,
            dialogue=dialogue or NO_DIALOGUE,
            model=model,
        )

    answer = router.ask(need=need, work=work, describe=_describe, is_recorded=record)
    meaning = answer.value
    return Understanding(
        intent=meaning.intent,
        confidence=meaning.confidence,
        advice=meaning.advice,
        alternatives=meaning.alternatives,
        slots=meaning.slots,
        refusals=meaning.refusals,
        language=meaning.language,
        topic=meaning.topic,
        decided_by=meaning.decided_by,
        model=answer.model.capability,
        version=answer.model.version,
        call_id=answer.call_id,
    )


def read_invoice(*, data: bytes, at: datetime) -> InvoiceReading:
    """Return what a PDF invoice says, each field with its page, box and confidence.

    A document that cannot be read is not an error: `refusals` says why, in the customer's words.
    """
    return invoice.read(data, today=_local_day(at))


def read_letter(*, text: str, at: datetime, case_id: UUID | None = None) -> LetterReading:
    """Return what a letter names; nothing in it is followed, and nothing counts as typed.

    Raises:
        NoModelAnswered: no registered model could be loaded; a person has to read it.
        sentinel.public.EntityNotSet: no legal entity is set.
    """

    def work(model: LetterReader) -> Reading:
        return model.read(text, today=_local_day(at))

    def describe(reading: Reading) -> Said:
        codes = tuple(refusal.code for refusal in reading.refusals)
        return Said(",".join(reading.slots.names()), 1.0, codes)

    need = _letter_need("letters.read", text, at, case_id)
    answer = router.ask(need=need, work=work, describe=describe)
    return LetterReading(
        slots=answer.value.slots,
        refusals=answer.value.refusals,
        model=answer.model.capability,
        version=answer.model.version,
        call_id=answer.call_id,
    )


def draft_reply(
    *,
    label: str,
    language: str,
    facts: Mapping[str, str],
    at: datetime,
    case_id: UUID | None = None,
) -> ReplyDraft:
    """Return a draft that answers a letter about `label` with given facts, for a person to approve.

    Raises:
        NoModelAnswered: no registered model could be loaded; a person has to write.
        sentinel.public.EntityNotSet: no legal entity is set.
    """

    def work(model: LetterWriter) -> Draft:
        return model.draft(label=label, language=language, facts=facts)

    def describe(draft: Draft) -> Said:
        return Said(label if draft.text else "", 1.0, draft.missing)

    given = json.dumps([label, language, dict(facts)], sort_keys=True)
    need = _letter_need("letters.reply", given, at, case_id)
    answer = router.ask(need=need, work=work, describe=describe)
    draft = answer.value
    return ReplyDraft(
        text=draft.text,
        language=detect(draft.text) if draft.text else "und",
        used=draft.used,
        missing=draft.missing,
        ungrounded=ungrounded(draft.text, facts=facts.values()),
        model=answer.model.capability,
        version=answer.model.version,
        call_id=answer.call_id,
    )


def _letter_need(capability: str, content: str, at: datetime, case_id: UUID | None) -> router.Need:
    digest = records.digest_of(content.encode("utf-8", "surrogatepass"))
    return router.Need(capability, digest, "correspondence", at, case_id)


def score_payment(
    *, features: PaymentFeatures, at: datetime, case_id: UUID | None = None, record: bool = True
) -> FraudScore:
    """Return the probability that a payment is fraud, with exact reasons.

    Raises:
        NoModelAnswered: no registered model could be loaded; let a person judge.
        sentinel.public.EntityNotSet: no legal entity is set.
    """
    content = json.dumps(asdict(features), sort_keys=True).encode()
    need = router.Need(
        capability="fraud.payments",
        input_digest=records.digest_of(hashlib.sha256(content).digest()),
        purpose="fraud_prevention",
        at=at,
        case_id=case_id,
    )

    def work(model: AdditiveModel) -> Scored:
        return model.score(features)

    def describe(scored: Scored) -> Said:
        return Said(scored.band, scored.value, tuple(reason.code for reason in scored.reasons))

    answer = router.ask(need=need, work=work, describe=describe, is_recorded=record)
    scored = answer.value
    return FraudScore(
        value=scored.value,
        band=scored.band,
        reasons=scored.reasons,
        contributions=scored.contributions,
        baseline=scored.baseline,
        model=answer.model.capability,
        version=answer.model.version,
        call_id=answer.call_id,
    )


def register_shipped_models(*, at: datetime) -> None:
    """Enter the models that ship with this release; aliases already set are left as they are.

    Raises:
        sentinel.public.EntityNotSet: no legal entity is set.
    """
    registry.enter_shipped(at=at)


def registered_models() -> tuple[RegisteredModel, ...]:
    """Return every model version of the legal entity: where it serves, since when, by whose word.

    Raises:
        sentinel.public.EntityNotSet: no legal entity is set.
    """
    return registry.registered_models()


def calls_of(*, case_id: UUID) -> tuple[ModelCall, ...]:
    """Return the recorded model calls of a case, oldest first; none are ever removed.

    Raises:
        sentinel.public.EntityNotSet: no legal entity is set.
    """
    return records.calls_of(case_id=case_id)


def events_after(*, cursor: str, limit: int) -> tuple[ModelCall, ...]:
    """Return recorded model calls behind a cursor, oldest first; '' is the start.

    Raises:
        CursorNotUnderstood: the cursor is not one of ours.
    """
    return records.calls_after(cursor=cursor, limit=limit)
