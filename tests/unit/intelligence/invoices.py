"""Draw invoices in several layouts, as customers would receive them."""

import io

from reportlab.pdfgen import canvas

LETTER = (
    (50, 800, "Hendriks Vastgoed B.V."),
    (50, 785, "Keizersgracht 1, Amsterdam"),
    (50, 740, "INVOICE"),
    (50, 720, "Invoice number: 2026-0117"),
    (50, 705, "Invoice date: 15 November 2026"),
    (50, 690, "Due date: 1 December 2026"),
    (50, 650, "Rent December"),
    (450, 650, "850,00"),
    (50, 600, "Subtotal"),
    (450, 600, "702,48"),
    (50, 585, "VAT 21%"),
    (450, 585, "147,52"),
    (50, 570, "Total due"),
    (450, 570, "EUR 850,00"),
    (50, 520, "Please transfer to IBAN NL91 ABNA 0417 1643 00"),
    (50, 505, "Account holder: Hendriks Vastgoed B.V."),
)
_LABELS = ("INVOICE", "Beneficiary", "IBAN", "Invoice no.", "Payment due", "Amount due")
_VALUES = ("", "Garage Jansen", "BE68 5390 0754 7034", "INV-99/12", "2026-12-05", "€ 1.250,50")
# All labels are drawn before all values, so the order in the file is not the order on the page.
COLUMNS = tuple((50, 800 - 15 * i, label) for i, label in enumerate(_LABELS)) + tuple(
    (300, 800 - 15 * i, value) for i, value in enumerate(_VALUES)
)
# Values stand below their labels.
STACKED = (
    (50, 800, "Blue Water Ltd"),
    (50, 770, "Invoice number"),
    (50, 757, "BW-2026-7"),
    (50, 730, "Grand total"),
    (50, 717, "$1,250.50"),
    (50, 690, "Account name"),
    (50, 677, "Blue Water Ltd"),
    (50, 650, "GB29 NWBK 6016 1331 9268 19"),
)


def draw(items, pages=1, encryption=None):
    stream = io.BytesIO()
    page = canvas.Canvas(stream, encrypt=encryption)
    for _ in range(pages):
        for x, y, text in items:
            page.drawString(x, y, text)
        page.showPage()
    page.save()
    return stream.getvalue()


def changed(items, old, new):
    return tuple((x, y, text.replace(old, new)) for x, y, text in items)
