"""What the bank's people add to a case: words for each other, and files, sealed."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection

from orchestration.public import (
    AnswerRefused,
    Attachment,
    AttachmentRefused,
    CaseForEmployees,
    NotForYourRole,
    TaskFilters,
    attach,
    case,
    comment,
    document_content,
    tasks,
)
from orchestration.worklist.discussing import FILES_OF_A_CASE_MAX
from tests.layers.orchestration.flows import AT, SCRIPTS

PDF = b"%PDF-1.7 letter"


@pytest.fixture
def case_id(flows, employee):
    flows.started(flows.published(SCRIPTS), amount=21)
    return tasks(principal=employee, filters=TaskFilters())[0].case_id


def file(content: bytes = PDF, media_type: str = "application/pdf") -> Attachment:
    return Attachment(uuid4(), "letter.pdf", media_type, content)


def test_a_comment_stands_in_the_history(case_id, employee):
    comment(case_id=case_id, principal=employee, words=" They call back at three. ", at=AT)

    line = case(case_id=case_id, principal=employee, at=AT).history[-1]
    assert (line.words, line.at) == ("They call back at three.", AT)


@pytest.mark.parametrize("words", ["", "  ", "x" * 2_001])
def test_no_words_or_too_many_are_refused(case_id, employee, words):
    before = case(case_id=case_id, principal=employee, at=AT).history

    with pytest.raises(AnswerRefused):
        comment(case_id=case_id, principal=employee, words=words, at=AT)

    assert case(case_id=case_id, principal=employee, at=AT).history == before


def test_a_file_is_kept_sealed_and_opens_again(case_id, employee):
    letter = file()

    attach(case_id=case_id, principal=employee, file=letter, at=AT)
    attach(case_id=case_id, principal=employee, file=letter, at=AT)

    (kept,) = case(case_id=case_id, principal=employee, at=AT).documents
    assert (kept.name, kept.size) == ("letter.pdf", len(PDF))
    opened = document_content(document_id=kept.id, principal=employee, at=AT)
    assert opened == ("letter.pdf", "application/pdf", PDF)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sealed_content, added_by FROM orch_document WHERE id = %s", [kept.id]
        )
        sealed, added_by = cursor.fetchone()
    assert b"letter" not in bytes(sealed)
    assert added_by == employee.id


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (file(b""), "empty"),
        (file(b"%PDF-" + b"x" * 5 * 1024 * 1024), "too_big"),
        (file(b"<html>"), "not_what_it_says"),
        (file(b"MZ", "application/x-msdownload"), "type_not_taken"),
        (file(b"<svg/>", "image/svg+xml"), "type_not_taken"),
        (file(b"\xff\xfe", "text/plain"), "not_what_it_says"),
        (file(b"a\x00b", "text/plain"), "not_what_it_says"),
    ],
)
def test_a_file_that_is_none_is_refused(case_id, employee, bad, reason):
    with pytest.raises(AttachmentRefused) as refused:
        attach(case_id=case_id, principal=employee, file=bad, at=AT)

    assert refused.value.reason == reason
    assert case(case_id=case_id, principal=employee, at=AT).documents == ()


def test_a_case_takes_so_many_files_and_no_more(case_id, employee):
    for _ in range(FILES_OF_A_CASE_MAX):
        attach(case_id=case_id, principal=employee, file=file(), at=AT)

    with pytest.raises(AttachmentRefused) as refused:
        attach(case_id=case_id, principal=employee, file=file(), at=AT)

    assert refused.value.reason == "too_many"
    kept = case(case_id=case_id, principal=employee, at=AT).documents
    assert len(kept) == FILES_OF_A_CASE_MAX


def test_customers_and_unknown_cases_are_refused(case_id, employee):
    customer = replace(employee, id="customer:x", kind="customer")

    with pytest.raises(CaseForEmployees):
        comment(case_id=case_id, principal=customer, words="Hello", at=AT)
    with pytest.raises(CaseForEmployees):
        attach(case_id=case_id, principal=customer, file=file(), at=AT)
    with pytest.raises(NotForYourRole):
        comment(case_id=uuid4(), principal=employee, words="Hello", at=AT)

    assert case(case_id=case_id, principal=employee, at=AT).documents == ()
