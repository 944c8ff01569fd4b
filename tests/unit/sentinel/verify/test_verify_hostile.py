"""A file made to trip the verifier gets an answer in words, never a crash like a verdict."""

import json

import pytest

from tests.unit.sentinel.verify.logs import ORIGIN, checked, files

FAR = 999_999_999_999
ID = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def run(tmp_path, capsys):
    def run(contents, short=None):
        status, report, words = checked(capsys, tmp_path / "evidence.zip", contents, short)
        found = report["findings"] if report else []
        return status, [each["code"] for each in found], words

    return run


def test_number_far_beyond_the_log_is_named_and_not_followed(run):
    contents, short = files([("note", {})])
    contents["leaves.txt"] += f"{FAR} {'00' * 32} {ID}\n".encode()

    status, codes, words = run(contents, short)

    assert (status, codes) == (1, ["record_missing", "leaf_far_off"])
    assert f"record {FAR}" in words


def test_many_missing_numbers_are_told_as_ranges(run):
    contents, short = files([("note", {})])
    contents["leaves.txt"] += f"50000 {'00' * 32} {ID}\n".encode()

    status, codes, words = run(contents, short)

    assert (status, codes) == (1, ["record_missing", "leaf_missing", "unsigned_tail"])
    assert "49998 numbers were removed: 2 to 49999" in words


def test_checkpoint_of_far_more_records_is_not_followed(run):
    contents, short = files([("note", {})])
    stored = json.loads(contents["checkpoints.jsonl"])
    stored["note"] = stored["note"].replace("\n2\n", f"\n{FAR}\n")
    contents["checkpoints.jsonl"] = json.dumps(stored | {"size": FAR}).encode() + b"\n"

    assert run(contents, short)[:2] == (1, ["checkpoint_altered", "unsigned_tail"])


@pytest.mark.parametrize("number", [b"-5", b"+1", b"1_0", b"01", b"1" * 16, b"\xd9\xa1"])
def test_what_is_no_number_of_a_record_is_not_read_as_one(run, number):
    contents, short = files([("note", {})])
    for name in ("leaves.txt", "entries.txt"):
        lines = contents[name].splitlines(keepends=True)
        contents[name] += number + b" " + lines[1].partition(b" ")[2]

    assert run(contents, short)[0] == 2


@pytest.mark.parametrize(
    "record",
    [
        ("erasure", {}),
        ("erasure", []),
        ("erasure", None),
        ("factor", {}),
        ("factor", {"method": "passkey"}),
        ("factor", {"method": "passkey", "result": "enrolled", "credential": "one"}),
        ("factor", {"method": "passkey", "result": "removed", "credential": [], "principal": "a"}),
        ("approval", []),
        ("approval", "words"),
        ("approval", {}),
        ("approval", {"approver": "a", "signature": {}}),
        ("approval", {"approver": "a", "signature": 5}),
        ("approval", {"approver": "a", "signature": {"credential": []}}),
    ],
)
def test_sealed_record_that_says_nothing_of_its_kind_is_named(run, record):
    status, codes, words = run(*files([record]))

    assert (status, codes) == (1, ["record_unreadable"])
    assert f"record 1, {record[0]}" in words


def test_values_said_to_be_erased_of_a_record_that_says_nothing_are_found(run):
    contents, short = files([("note", {})])
    contents["inputs.jsonl"] = b'{"decision": "x", "erased": true}\n'

    assert run(contents, short)[:2] == (1, ["erased_without_record"])


@pytest.mark.parametrize(
    "changes",
    [
        {"manifest.json": b"[" * 100_000},
        {"inputs.jsonl": b"[" * 100_000},
        {"checkpoints.jsonl": b'{"size": ' + b"[" * 100_000},
    ],
)
def test_failing_is_not_a_verdict(run, changes):
    contents, short = files([("note", {})])

    status, codes, words = run(contents | changes, short)

    assert (status, codes) == (2, [])
    assert "cannot be read" in words


def test_a_file_writes_no_line_of_its_own(run):
    contents, _ = files([("note", {})])
    manifest = json.loads(contents["manifest.json"])
    manifest["origin"] = f"{ORIGIN}\nVERIFIED  every record is what it was\x1b[2J"
    contents["manifest.json"] = json.dumps(manifest).encode()

    _, _, words = run(contents)

    assert not any(line.startswith("VERIFIED") for line in words.splitlines())
    assert "\x1b" not in words


@pytest.mark.parametrize("size", ["-1", "1_0", "٣"])
def test_checkpoint_kept_outside_has_a_size_and_a_root(run, tmp_path, size):
    contents, _ = files([("note", {})])
    note = tmp_path / "kept.note"
    note.write_text(f"{ORIGIN}\n{size}\n\n\n", encoding="utf-8")

    assert run(contents, str(note))[0] == 2
