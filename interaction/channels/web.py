"""The web channel: what a browser sends, checked and cleaned before anything reads it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

TEXT_LENGTH_MAX = 4_000
ATTACHMENT_BYTES_MAX = 5 * 1024 * 1024
ATTACHMENTS_MAX = 3
NAME_LENGTH_MAX = 120
PDF = "application/pdf"
# A PDF reader looks for the mark within the first kilobyte, as the format allows.
_PDF_MARK, _PDF_MARK_WITHIN = b"%PDF-", 1024
_SENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_KEPT_CONTROLS = {"\n", "\t"}
# Marks that reorder what is displayed: "pay 100" could be shown as another sentence.
_REORDERING = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


class MessageRefused(ValueError):
    """A message cannot be taken; `words` tell the customer why. Nothing was read or stored."""

    code = "message_refused"
    is_retryable = False

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(reason, words)
        self.reason, self.words = reason, words


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it arrived; what it says about itself is not believed."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A customer's message, clean: NFC text without control characters, and real PDFs."""

    text: str
    uploads: tuple[Upload, ...]
    sent_id: str


def cleaned_message(*, text: str, uploads: Sequence[Upload], sent_id: str) -> Message:
    """Return what the customer sent, cleaned.

    Raises:
        MessageRefused: empty, too long, too many or too large files, no PDF, no usable id.
    """
    require_sent_id(sent_id)
    words = cleaned_text(text=text)
    files = tuple(_checked(upload) for upload in uploads)
    if len(files) > ATTACHMENTS_MAX:
        raise MessageRefused(
            "too_many_files", f"At most {ATTACHMENTS_MAX} files fit in one message."
        )
    if not (words or files):
        raise MessageRefused("empty", "Write something, or attach a PDF.")
    return Message(words, files, sent_id)


def require_sent_id(sent_id: str) -> None:
    """Refuse an id by which what is sent twice could not be told from what is sent once.

    Raises:
        MessageRefused: it is not an id as our pages make them.
    """
    if not _SENT_ID.fullmatch(sent_id):
        raise MessageRefused("sent_id", "Please reload the page and send that again.")


def cleaned_text(*, text: str) -> str:
    """Return text in NFC without control and reordering characters.

    Raises:
        MessageRefused: it is longer than a message may be.
    """
    # Before anything walks over it: a megabyte is refused by its length alone.
    if len(text) > TEXT_LENGTH_MAX:
        raise MessageRefused(
            "message_too_long",
            f"That message is too long: {len(text):,} characters, and {TEXT_LENGTH_MAX:,} fit."
            " Nothing was done. Please say it shorter, or attach a PDF.",
        )
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    kept = (letter for letter in composed if not _is_unwanted(letter))
    return "".join(kept).strip()


def _is_unwanted(letter: str) -> bool:
    is_control = unicodedata.category(letter) in {"Cc", "Cs"} and letter not in _KEPT_CONTROLS
    return is_control or letter in _REORDERING


def _checked(upload: Upload) -> Upload:
    if len(upload.content) > ATTACHMENT_BYTES_MAX:
        raise MessageRefused(
            "file_too_large", "That file is larger than 5 MB. Nothing was done with it."
        )
    if _PDF_MARK not in upload.content[:_PDF_MARK_WITHIN]:
        raise MessageRefused(
            "no_pdf", "That file is not a PDF. Only PDF documents can be read here."
        )
    name = "".join(
        letter for letter in unicodedata.normalize("NFC", upload.name) if not _is_unwanted(letter)
    )
    return Upload(name.strip()[-NAME_LENGTH_MAX:] or "document.pdf", upload.content)
