"""The evidence of a case: each value with where it came from, beside what the bank knew before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestration.documents import Document
from orchestration.wording import date_words, found, iban_words, money_words

_LABELS = {
    "creditor_name": "Payee",
    "creditor_iban": "Account number (IBAN)",
    "amount": "Amount",
    "remittance": "Description",
    "purpose": "Purpose",
    "execution_date": "Date",
    "debtor_account_id": "From account",
}
_SOURCES = {
    "customer_typed": "Typed by the customer",
    "customer_selected": "Chosen by the customer",
    "system_of_record": "From the bank's records",
    "document": "Read from the document",
    "model": "Produced by a model",
    "employee_confirmed": "Confirmed by a colleague",
    "system": "Set by the bank",
    "unknown": "Of unknown origin",
}
_IN_DOCUMENT = {"creditor_iban": "iban", "creditor_name": "creditor_name", "amount": "amount"}


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One value; `differs_from` is what the bank's own records say instead."""

    name: str
    label: str
    value: str
    source_words: str
    provenance: str
    observed_at: datetime | None
    differs_from: str | None
    confidence: float | None
    document_id: UUID | None


def evidence_of(values: Mapping[str, object], kept: Sequence[Document]) -> tuple[EvidenceItem, ...]:
    """Return the values of a request in the order people read them."""
    sources = values.get("sources")
    given = sources if isinstance(sources, Mapping) else {}
    items = [
        _item(name, label, values, given.get(name), kept)
        for name, label in _LABELS.items()
        if values.get(name) not in (None, "")
    ]
    return (*items, *_findings(values), *_listed(values))


def compared(values: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return both account numbers side by side, when the bank knew another one.

    Ours comes with the payee's phone number on record, which is empty when there is none.
    """
    known = found(values, "preview.known_iban")
    asked = found(values, "denial.reasons") and _asked_iban(values)
    if not known or not asked or known == asked:
        return None
    return {
        "label": "IBAN",
        "ours": {
            "value": iban_words(str(known)),
            "source": "From the bank's records",
            "phone": str(found(values, "preview.known_phone") or ""),
        },
        "theirs": {"value": iban_words(str(asked)), "source": _SOURCES["document"]},
    }


def _asked_iban(values: Mapping[str, object]) -> object:
    """Return the number as it was asked for, also after it was corrected."""
    return found(values, "confirmation.card.creditor_iban") or values.get("creditor_iban")


def _item(
    name: str,
    label: str,
    values: Mapping[str, object],
    source: object,
    kept: Sequence[Document],
) -> EvidenceItem:
    given = source if isinstance(source, Mapping) else {}
    provenance = str(given.get("provenance", "unknown"))
    reference = str(given.get("reference", ""))
    document = next((each for each in kept if reference == f"document:{each.id}"), None)
    known = found(values, "preview.known_iban") if name == "creditor_iban" else None
    differs = iban_words(str(known)) if known and known != values[name] else None
    return EvidenceItem(
        name=name,
        label=label,
        value=_shown(name, values),
        source_words=_SOURCES.get(provenance, _SOURCES["unknown"]),
        provenance=provenance,
        observed_at=document.received_at if document else None,
        differs_from=differs,
        confidence=_confidence(name, document),
        document_id=document.id if document else None,
    )


def _shown(name: str, values: Mapping[str, object]) -> str:
    value = values[name]
    if isinstance(value, Mapping):
        return money_words(int(str(value["minor_units"])), str(value["currency"]))
    if name == "creditor_iban":
        return iban_words(str(value))
    if name == "debtor_account_id":
        iban = found(values, "preview.debtor_iban")
        return iban_words(str(iban)) if iban else str(value)
    return date_words(str(value)) if name == "execution_date" else str(value)


def _confidence(name: str, document: Document | None) -> float | None:
    field = _IN_DOCUMENT.get(name)
    if document is None or field is None or field not in document.reading:
        return None
    return float(document.reading[field]["confidence_permille"]) / 1000


def _findings(values: Mapping[str, object]) -> tuple[EvidenceItem, ...]:
    """Return what the bank found out: name check, screening, fraud score."""
    found_out = (
        ("name_check", "Name check", "preview.name_check.words", "Name check"),
        ("screening", "Sanctions screening", "screening.status", "Screening"),
        ("fraud", "Risk of fraud", "fraud.band", "Fraud model"),
    )
    return tuple(
        EvidenceItem(
            name=name,
            label=label,
            value=_finding_words(name, values, str(found(values, path))),
            source_words=source,
            provenance="model" if name == "fraud" else "system_of_record",
            observed_at=None,
            differs_from=None,
            confidence=None,
            document_id=None,
        )
        for name, label, path, source in found_out
        if found(values, path)
    )


def _listed(values: Mapping[str, object]) -> tuple[EvidenceItem, ...]:
    """Return what a flow itself put together for whoever looks at its case."""
    listed = values.get("findings")
    return tuple(
        EvidenceItem(
            name=str(each.get("name", "")),
            label=str(each.get("label", "")),
            value=str(each.get("value", "")),
            source_words=str(each.get("source", "")),
            provenance="system_of_record",
            observed_at=None,
            differs_from=None,
            confidence=None,
            document_id=None,
        )
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, Mapping)
    )


def _finding_words(name: str, values: Mapping[str, object], value: str) -> str:
    if name == "screening":
        listed = found(values, "screening.list_name")
        version = found(values, "screening.list_version")
        return f"{value} ({listed}, {version})"
    reasons = found(values, "fraud.reasons") if name == "fraud" else None
    if isinstance(reasons, list) and reasons:
        return f"{value}: " + "; ".join(str(each["staff"]) for each in reasons)
    return value
