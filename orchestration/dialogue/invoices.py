"""A PDF in the chat: read as data, every value marked as coming from the document."""

from collections.abc import Mapping
from uuid import UUID

import intelligence.public
import nexus.public
from orchestration import documents
from orchestration.dialogue.drafts import Draft
from orchestration.dialogue.filling import REMITTANCE_LENGTH_MAX, printable
from orchestration.dialogue.requests import go_on
from orchestration.dialogue.turns import Turn
from orchestration.documents import Attachment
from sentinel.vocabulary import Provenance, Source


def pay_document(turn: Turn, attachment: Attachment, named: intelligence.public.Slots) -> None:
    """Read an invoice and put the payment together; what the customer typed wins."""
    reading = intelligence.public.read_invoice(data=attachment.content, at=turn.at)
    documents.keep(
        attachment,
        origin=documents.Origin(turn.customer_id, turn.conversation_id),
        reading=reading_as_values(reading),
        at=turn.at,
    )
    if not reading.pages:
        for refused in reading.refusals:
            turn.voice.say(refused.customer)
        return
    source = Source(Provenance.DOCUMENT, f"document:{attachment.id}")
    turn.draft = _drafted(turn, reading, source, attachment.id)
    for refused in reading.refusals:
        turn.voice.say(refused.customer)
    missing = _missing(reading)
    if missing:
        turn.say("document_incomplete", {"missing": missing})
    go_on(turn, "pay", named)


def _drafted(
    turn: Turn,
    reading: intelligence.public.InvoiceReading,
    source: Source,
    document_id: UUID,
) -> Draft:
    draft = Draft(intent="pay", document_id=str(document_id))
    if reading.amount is not None:
        currency = reading.amount.currency or "EUR"
        value = {"minor_units": reading.amount.minor_units, "currency": currency}
        draft = draft.with_value("amount", value, source)
    if reading.iban is not None and reading.iban.is_valid:
        draft = draft.with_value("creditor_iban", reading.iban.value, source)
    if reading.creditor_name is not None:
        name = printable(reading.creditor_name.value)[:70]
        draft = draft.with_value("creditor_name", _known_spelling(turn, name), source)
    if reading.invoice_number is not None:
        text = f"Invoice {printable(reading.invoice_number.value)}"[:REMITTANCE_LENGTH_MAX]
        draft = draft.with_value("remittance", text, source)
    return draft


def _known_spelling(turn: Turn, name: str) -> str:
    """Return the name as the customer's own payees write it, if it is one of theirs."""
    payees = nexus.public.payees_of(customer_id=turn.customer_id)
    return next((each.name for each in payees if each.name.casefold() == name.casefold()), name)


def _missing(reading: intelligence.public.InvoiceReading) -> str:
    fields = {
        "the amount": reading.amount,
        "the account number": reading.iban,
        "the name of the payee": reading.creditor_name,
    }
    return ", ".join(name for name, field in fields.items() if field is None)


def reading_as_values(reading: intelligence.public.InvoiceReading) -> Mapping[str, object]:
    """Return what was read as plain values, each with its page and box, for the case page."""
    found: dict[str, object] = {"sha256": reading.sha256, "pages": reading.pages}
    for name in ("creditor_name", "iban", "amount", "due_date", "invoice_number"):
        field = getattr(reading, name)
        if field is None:
            continue
        value = field.minor_units if name == "amount" else field.value
        found[name] = {
            "value": value if isinstance(value, str | int) else value.isoformat(),
            "confidence_permille": round(field.confidence * 1000),
            "page": field.place.page,
            "box": [round(number, 1) for number in field.place.box],
            "text": field.place.text[:200],
        }
        if name == "amount":
            found[name] = {**found[name], "currency": field.currency}  # type: ignore[dict-item]  # JSON
    return found
