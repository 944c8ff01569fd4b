"""Draws the invoice of the story: from the landlord by name, with a number that is not his."""

from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from deploy.sample.story import INVOICE_IBAN, LANDLORD_NAME, RENT_MINOR_UNITS
from sentinel.vocabulary import Money

DAYS_TO_PAY = 14


def draw_invoice(*, path: Path, on: date) -> None:
    """Write the sample invoice of a day as a PDF; the same day draws the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(invoice_pdf(on=on))


def invoice_pdf(*, on: date, iban: str = INVOICE_IBAN) -> bytes:
    """Return the sample invoice of a day as a PDF."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=True)
    canvas.setTitle(f"Invoice {_number(on)}")
    canvas.setAuthor(LANDLORD_NAME)
    _head(canvas, on)
    _table(canvas, on)
    _payment(canvas, on, iban)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _head(canvas: Canvas, on: date) -> None:
    canvas.setFont("Helvetica-Bold", 20)
    canvas.drawString(25 * mm, 265 * mm, LANDLORD_NAME)
    canvas.setFont("Helvetica", 10)
    canvas.drawString(25 * mm, 258 * mm, "Havenkade 12, 3511 AB Utrecht")
    canvas.setFont("Helvetica-Bold", 14)
    canvas.drawString(25 * mm, 238 * mm, "Invoice")
    canvas.setFont("Helvetica", 10)
    for at, (label, value) in enumerate(
        (
            ("Invoice number", _number(on)),
            ("Invoice date", f"{on:%d-%m-%Y}"),
            ("Due date", f"{on + timedelta(days=DAYS_TO_PAY):%d-%m-%Y}"),
            ("Tenant", "A. de Vries"),
        )
    ):
        canvas.drawString(25 * mm, (228 - 6 * at) * mm, label)
        canvas.drawString(65 * mm, (228 - 6 * at) * mm, value)


def _table(canvas: Canvas, on: date) -> None:
    canvas.setFont("Helvetica-Bold", 10)
    canvas.drawString(25 * mm, 192 * mm, "Description")
    canvas.drawRightString(185 * mm, 192 * mm, "Amount")
    canvas.line(25 * mm, 190 * mm, 185 * mm, 190 * mm)
    canvas.setFont("Helvetica", 10)
    canvas.drawString(25 * mm, 184 * mm, f"Rent {on:%m-%Y}")
    canvas.drawRightString(185 * mm, 184 * mm, _amount())
    canvas.line(25 * mm, 180 * mm, 185 * mm, 180 * mm)
    canvas.setFont("Helvetica-Bold", 11)
    canvas.drawString(25 * mm, 173 * mm, "Total")
    canvas.drawRightString(185 * mm, 173 * mm, _amount())


def _payment(canvas: Canvas, on: date, iban: str) -> None:
    canvas.setFont("Helvetica", 10)
    spaced = " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
    for at, line in enumerate(
        (
            "Please note that our account number has changed.",
            f"Beneficiary: {LANDLORD_NAME}",
            f"IBAN: {spaced}",
            f"Reference: {_number(on)}",
        )
    ):
        canvas.drawString(25 * mm, (155 - 7 * at) * mm, line)


def _number(on: date) -> str:
    return f"HV-{on:%Y-%m}-0117"


def _amount() -> str:
    return f"EUR {Money(RENT_MINOR_UNITS, 'EUR').as_decimal()}"
