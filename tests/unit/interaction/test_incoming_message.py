"""What a browser sends is cleaned or refused before anything reads it."""

import pytest

from interaction.channels.web import (
    ATTACHMENT_BYTES_MAX,
    MessageRefused,
    Upload,
    cleaned_message,
    cleaned_text,
)

SENT = "0b9f7c1e-5b1d"
PDF = Upload("invoice.pdf", b"%PDF-1.7\n...")


def test_a_message_keeps_its_words_and_lines() -> None:
    message = cleaned_message(text=" pay Bob\r\n25 euro ", uploads=(), sent_id=SENT)

    assert message.text == "pay Bob\n25 euro"


def test_markup_is_kept_as_the_text_it_is() -> None:
    assert cleaned_text(text="<script>alert(1)</script>") == "<script>alert(1)</script>"


def test_text_is_composed_and_loses_control_and_reordering_characters() -> None:
    assert cleaned_text(text="Zoe\u0308\x00\x1b[31m pay\u202e 001\u2069") == "Zo\u00eb[31m pay 001"


@pytest.mark.parametrize("length", [4_001, 1_048_576])
def test_a_message_that_is_too_long_is_refused_with_words(length: int) -> None:
    with pytest.raises(MessageRefused) as refusal:
        cleaned_message(text="x" * length, uploads=(), sent_id=SENT)

    assert refusal.value.reason == "message_too_long"
    assert "Nothing was done" in refusal.value.words


def test_four_thousand_characters_fit() -> None:
    assert len(cleaned_text(text="x" * 4_000)) == 4_000


@pytest.mark.parametrize("text", ["", "   ", "\x00\x01"])
def test_an_empty_message_is_refused(text: str) -> None:
    with pytest.raises(MessageRefused) as refusal:
        cleaned_message(text=text, uploads=(), sent_id=SENT)

    assert refusal.value.reason == "empty"


def test_a_file_may_come_without_words() -> None:
    message = cleaned_message(text="", uploads=(PDF,), sent_id=SENT)

    assert [each.name for each in message.uploads] == ["invoice.pdf"]


@pytest.mark.parametrize(
    ("upload", "reason"),
    [
        (Upload("invoice.pdf", b"MZ\x90 not a document"), "no_pdf"),
        (Upload("invoice.pdf", b""), "no_pdf"),
        (Upload("invoice.pdf", b"x" * 2_000 + b"%PDF-1.7"), "no_pdf"),
        (Upload("invoice.pdf", b"%PDF-" + b"x" * ATTACHMENT_BYTES_MAX), "file_too_large"),
    ],
)
def test_what_is_no_small_pdf_is_refused_whatever_it_is_called(upload: Upload, reason: str) -> None:
    with pytest.raises(MessageRefused) as refusal:
        cleaned_message(text="pay this", uploads=(upload,), sent_id=SENT)

    assert refusal.value.reason == reason


def test_at_most_three_files_fit() -> None:
    with pytest.raises(MessageRefused) as refusal:
        cleaned_message(text="", uploads=(PDF,) * 4, sent_id=SENT)

    assert refusal.value.reason == "too_many_files"


def test_the_name_of_a_file_is_cleaned_and_cut() -> None:
    upload = Upload("\u202e" + "a" * 200 + "\n.pdf", PDF.content)

    message = cleaned_message(text="", uploads=(upload,), sent_id=SENT)

    assert len(message.uploads[0].name) == 120
    assert "\u202e" not in message.uploads[0].name


@pytest.mark.parametrize("sent_id", ["", "short", "x" * 65, "../../etc/passwd", "a b c d e f g"])
def test_a_message_without_a_usable_id_is_refused(sent_id: str) -> None:
    with pytest.raises(MessageRefused) as refusal:
        cleaned_message(text="hello", uploads=(), sent_id=sent_id)

    assert refusal.value.reason == "sent_id"
