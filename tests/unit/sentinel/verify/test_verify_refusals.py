import json
import zipfile

import pytest

from sentinel.log.note import Checkpoint, origin_of
from sentinel.verify import frontline_verify

ORIGIN = origin_of("meridian-nl")
EMPTY = {
    "manifest.json": json.dumps(
        {"format": "frontline-evidence/v1", "origin": ORIGIN, "scope": {"kind": "log"}}
    ),
    "leaves.txt": "",
    "entries.txt": "",
    "checkpoints.jsonl": "",
}
CHECKPOINT = Checkpoint(ORIGIN, 7, bytes(32))


def bundle(tmp_path, **changes):
    path = tmp_path / "evidence.zip"
    contents = {**EMPTY, **{name.replace("__", "."): text for name, text in changes.items()}}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in contents.items():
            if text is not None:
                archive.writestr(name, text)
    return path


def run(capsys, *words):
    status = frontline_verify.main([str(word) for word in words])
    return status, capsys.readouterr()


@pytest.mark.parametrize(
    "changes",
    [
        {"manifest__json": None},
        {"manifest__json": "{}"},
        {"manifest__json": "not json"},
        {"manifest__json": json.dumps({"format": "frontline-evidence/v2"})},
        {"manifest__json": "[]"},
        {"leaves__txt": None},
        {"leaves__txt": "0 zz id\n"},
        {"leaves__txt": "0\n"},
        {"entries__txt": "0 soon {}\n"},
        {"entries__txt": "0 99999999999999999999 {}\n"},
        {"entries__txt": "0\n"},
        {"entries__txt": "0 1 base64:A\n"},
        {"checkpoints__jsonl": "{\n"},
        {"checkpoints__jsonl": "5\n"},
    ],
)
def test_bundle_that_cannot_be_read_is_not_called_tampered_with(tmp_path, capsys, changes):
    status, printed = run(capsys, bundle(tmp_path, **changes))

    assert status == 2
    assert printed.out == ""
    assert "cannot be read" in printed.err or "format" in printed.err


@pytest.mark.parametrize("content", [b"", b"PK", b"%PDF-1.7 no zip"])
def test_file_that_is_no_bundle_is_unreadable(tmp_path, capsys, content):
    path = tmp_path / "evidence.zip"
    path.write_bytes(content)

    assert run(capsys, path)[0] == 2


def test_missing_file_is_unreadable(tmp_path, capsys):
    assert run(capsys, tmp_path / "absent.zip")[0] == 2


def test_wrong_usage_ends_with_the_same_status():
    with pytest.raises(SystemExit) as ended:
        frontline_verify.main([])

    assert ended.value.code == 2


def test_slip_in_the_copied_checkpoint_is_told_and_nothing_is_called_tampered(tmp_path, capsys):
    short = CHECKPOINT.short()
    slip = short[:-1] + ("A" if short[-1] != "A" else "B")

    status, printed = run(capsys, bundle(tmp_path), "--checkpoint", slip)

    assert status == 2
    assert "slip" in printed.err


@pytest.mark.parametrize("text", ["", "7", "no-such-file", "0-" + "0" * 21, "7-" + "U" * 21])
def test_text_that_is_no_checkpoint_is_told(tmp_path, capsys, text):
    assert run(capsys, bundle(tmp_path), "--checkpoint", text)[0] == 2


def test_checkpoint_of_another_log_is_told_and_nothing_is_called_tampered(tmp_path, capsys):
    note = tmp_path / "other.note"
    body = Checkpoint(origin_of("meridian-be"), 7, bytes(32)).body().decode()
    note.write_text(f"{body}\n\u2014 x AAAAAAAA\n")

    status, printed = run(capsys, bundle(tmp_path), "--checkpoint", note)

    assert status == 2
    assert "another log" in printed.err


def test_checkpoint_larger_than_the_log_means_it_was_cut(tmp_path, capsys):
    status, printed = run(capsys, bundle(tmp_path), "--checkpoint", CHECKPOINT.short())

    assert status == 1
    assert "the log ends at 0; your checkpoint says 7" in printed.out


def test_short_forms_of_the_log_and_of_the_verifier_are_the_same():
    for size in (1, 9, 255, 1042, 10**9):
        checkpoint = Checkpoint(ORIGIN, size, size.to_bytes(32, "big"))
        digits = frontline_verify.short_digits(ORIGIN, size, checkpoint.root)

        assert frontline_verify.read_given(checkpoint.short(), ORIGIN) == (size, digits)
        assert frontline_verify.read_given(checkpoint.short().lower(), ORIGIN) == (size, digits)
