"""Open a PDF within limits and return its lines of text with their places; nothing is run."""

import ctypes
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import pypdfium2
from pypdfium2 import raw

BYTES_MAX: Final = 5 * 1024 * 1024
PAGES_MAX: Final = 20
CHARACTERS_MAX: Final = 200_000
SECONDS_MAX: Final = 5.0
_HEADER_WITHIN_BYTES: Final = 1_024
_COLUMN_GAP: Final = "   "
# PDFium keeps global state, so one document is open at a time.
_PDFIUM: Final = threading.Lock()

Box = tuple[float, float, float, float]


class DocumentRefused(Exception):
    """The document is not read; `code` is stable and `customer` says why in plain words."""

    code = "document_refused"
    is_retryable = False

    def __init__(self, reason: str, customer: str) -> None:
        super().__init__(reason, customer)
        self.reason, self.customer = reason, customer


WORDS: Final = {
    "document_not_a_pdf": "That file is not a PDF I can read.",
    "document_encrypted": "That PDF is protected with a password. Please send one without.",
    "document_too_large": "That PDF is larger than 5 MB.",
    "document_too_many_pages": "That PDF has more than 20 pages. Please send only the invoice.",
    "document_too_much_text": "That PDF holds too much text. Please send only the invoice.",
    "document_without_text": "That PDF is a picture without text. Please type the details.",
    "document_takes_too_long": "Reading that PDF takes too long. Please type the details.",
}


def _refuse(reason: str) -> DocumentRefused:
    return DocumentRefused(reason, WORDS[reason])


@dataclass(frozen=True, slots=True)
class Letter:
    """One character and its box in points: left, bottom, right, top."""

    text: str
    box: Box

    @property
    def middle(self) -> float:
        """Return the height of the middle of the character."""
        return (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page from left to right; `letters` has one entry for each character of `text`."""

    page: int
    text: str
    letters: tuple[Letter, ...]

    def box_of(self, start: int, end: int) -> Box:
        """Return the box around some characters of the line."""
        boxes = [letter.box for letter in self.letters[start:end] if letter.text.strip()]
        return (
            min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            max(box[2] for box in boxes),
            max(box[3] for box in boxes),
        )


def read_lines(data: bytes) -> tuple[Line, ...]:
    """Return the lines of a PDF, page by page from top to bottom.

    Raises:
        DocumentRefused: it is no PDF, encrypted, too large, too long, or has no text.
    """
    if len(data) > BYTES_MAX:
        raise _refuse("document_too_large")
    if b"%PDF-" not in data[:_HEADER_WITHIN_BYTES]:
        raise _refuse("document_not_a_pdf")
    with _PDFIUM:
        lines = tuple(_lines_of(data))
    if not any(line.text.strip() for line in lines):
        raise _refuse("document_without_text")
    return lines


def _lines_of(data: bytes) -> Iterator[Line]:
    document = _open(data)
    try:
        if raw.FPDF_GetSecurityHandlerRevision(document.raw) != -1:
            raise _refuse("document_encrypted")
        if len(document) > PAGES_MAX:
            raise _refuse("document_too_many_pages")
        yield from _pages(document)
    finally:
        document.close()


def _open(data: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        is_locked = (
            raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD or "password" in str(error).lower()
        )
        raise _refuse("document_encrypted" if is_locked else "document_not_a_pdf") from error


def _pages(document: pypdfium2.PdfDocument) -> Iterator[Line]:
    started, characters = time.perf_counter(), 0
    for number in range(len(document)):
        try:
            page = document[number]
        except pypdfium2.PdfiumError as error:
            raise _refuse("document_not_a_pdf") from error
        letters = list(_letters(page))
        page.close()
        characters += len(letters)
        if characters > CHARACTERS_MAX:
            raise _refuse("document_too_much_text")
        if time.perf_counter() - started > SECONDS_MAX:
            raise _refuse("document_takes_too_long")
        yield from _as_lines(letters, number + 1)


def _letters(page: pypdfium2.PdfPage) -> Iterator[Letter]:
    textpage = page.get_textpage()
    count = textpage.count_chars()
    if count > CHARACTERS_MAX:
        raise _refuse("document_too_much_text")
    for index in range(count):
        code = raw.FPDFText_GetUnicode(textpage.raw, index)
        text = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""
        if text.strip() and text.isprintable():
            yield Letter(text, _box(textpage, index))
    textpage.close()


def _box(textpage: pypdfium2.PdfTextPage, index: int) -> Box:
    """Return the box of a character as its font has it, so that words hang together."""
    found = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(textpage.raw, index, ctypes.byref(found))
    return found.left, found.bottom, found.right, found.top


def _as_lines(letters: Sequence[Letter], page: int) -> Iterator[Line]:
    """Yield the lines of a page, put together by place and not by the order they were drawn in."""
    rows: list[list[Letter]] = []
    for letter in sorted(letters, key=lambda one: -one.middle):
        height = max(4.0, letter.box[3] - letter.box[1])
        if rows and abs(_middle(rows[-1]) - letter.middle) < height * 0.6:
            rows[-1].append(letter)
        else:
            rows.append([letter])
    for row in rows:
        yield _spaced(sorted(row, key=lambda one: one.box[0]), page)


def _middle(row: Sequence[Letter]) -> float:
    return sum(letter.middle for letter in row) / len(row)


def _spaced(row: Sequence[Letter], page: int) -> Line:
    """Return a line with one space between words and three between columns."""
    widths = sorted(letter.box[2] - letter.box[0] for letter in row)
    width = max(1.0, widths[len(widths) // 2])
    spaced: list[Letter] = [row[0]]
    for before, letter in pairwise(row):
        gap = letter.box[0] - before.box[2]
        if gap > 3.0 * width:
            spaced += [Letter(" ", letter.box)] * len(_COLUMN_GAP)
        elif gap > 0.22 * width:
            spaced.append(Letter(" ", letter.box))
        spaced.append(letter)
    return Line(page, "".join(letter.text for letter in spaced), tuple(spaced))
