"""Words and files that the bank's people add to a case while they work on it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

import sentinel.public
from orchestration import cases, documents
from orchestration.documents import Attachment, Origin
from orchestration.worklist import readers
from orchestration.worklist.acting import require_comment
from orchestration.worklist.case_views import CaseForEmployees
from sentinel.vocabulary import Principal

MEDIA_TYPES = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "text/plain": b"",
}
FILES_OF_A_CASE_MAX = 50


class AttachmentRefused(ValueError):
    """The file cannot be put into the case; `reason` says why in a word."""

    code = "attachment_refused"
    is_retryable = False

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason


def comment(*, case_id: UUID, principal: Principal, words: str, at: datetime) -> None:
    """Say something about a case to the colleagues who work on it; the customer does not see it.

    Raises:
        NotForYourRole: there is none with this id, or it is not theirs to read.
        CaseForEmployees: the principal is not of the bank.
        AnswerRefused: there are no words, or too many.
    """
    case = _case_for(case_id, principal, at)
    require_comment(words)
    with transaction.atomic():
        cases.add_note(case_id, cases.Note(at, principal.id, "comment", words.strip(), ""))
        cases.changed(case_id, case.customer_id, at)


def attach(*, case_id: UUID, principal: Principal, file: Attachment, at: datetime) -> None:
    """Put a file into a case, sealed; the same file id again changes nothing.

    Raises:
        NotForYourRole: there is none with this id, or it is not theirs to read.
        CaseForEmployees: the principal is not of the bank.
        AttachmentRefused: it is empty, too big, of another type than it says, or one too many.
    """
    case = _case_for(case_id, principal, at)
    _check(file)
    with transaction.atomic():
        # Held until the file is in: of many at once, the one too many is refused.
        cases.hold(case_id)
        kept = documents.documents_of(case_id)
        if any(each.id == file.id for each in kept):
            return
        if len(kept) >= FILES_OF_A_CASE_MAX:
            raise AttachmentRefused(file.name, "too_many")
        # Not the customer's: what colleagues put into a case opens to colleagues alone.
        origin = Origin(None, case_id=case_id, added_by=principal.id, about=case.customer_id)
        try:
            documents.keep(file, origin=origin, reading={}, at=at)
        except sentinel.public.SubjectForgotten as error:
            raise AttachmentRefused(file.name, "customer_forgotten") from error
        words = f"A file was added: {file.name}"
        cases.add_note(case_id, cases.Note(at, principal.id, "attached", words, str(file.id)))
        cases.changed(case_id, case.customer_id, at)


def _case_for(case_id: UUID, principal: Principal, at: datetime) -> cases.CaseRecord:
    if principal.kind != "employee":
        raise CaseForEmployees(principal.id)
    readers.require_case(case_id, principal, at=at)
    return cases.read_case(case_id)


def _check(file: Attachment) -> None:
    if not file.content:
        raise AttachmentRefused(file.name, "empty")
    if len(file.content) > documents.SIZE_MAX_BYTES:
        raise AttachmentRefused(file.name, "too_big")
    begin = MEDIA_TYPES.get(file.media_type)
    if begin is None:
        raise AttachmentRefused(file.name, "type_not_taken")
    if not file.content.startswith(begin):
        raise AttachmentRefused(file.name, "not_what_it_says")
    if file.media_type == "text/plain" and not _is_text(file.content):
        raise AttachmentRefused(file.name, "not_what_it_says")


def _is_text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode()
    except UnicodeDecodeError:
        return False
