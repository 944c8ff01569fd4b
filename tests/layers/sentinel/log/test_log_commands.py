import io
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from sentinel.entities import legal_entity
from sentinel.log.note import parse_short
from sentinel.log.proofs import latest_checkpoint
from sentinel.log.records import append
from sentinel.verify import frontline_verify
from tests.layers.sentinel.log.evidence import ENTITY, Verdict, grow, held

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def keys(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"


def run(*words, **options) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def contents():
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, body, leaf FROM sentinel_record ORDER BY id")
        records = cursor.fetchall()
        cursor.execute("SELECT idx, leaf FROM sentinel_leaf ORDER BY idx")
        return records, cursor.fetchall()


def test_checkpoint_seals_what_waits_and_prints_the_short_form(entity):
    with connection.cursor() as cursor:
        append(cursor, kind="genesis", body={})

    printed = run("checkpoint")

    name, short = printed.split()
    assert name == ENTITY
    assert parse_short(short).names(latest_checkpoint().checkpoint)


def test_checkpoint_prints_the_whole_note_on_request(entity):
    grow(1)

    assert latest_checkpoint().note in run("checkpoint", "--note", "--entity", ENTITY)


def test_command_for_a_legal_entity_without_a_log_is_refused(entity):
    grow(1)

    with pytest.raises(CommandError, match="meridian-be has no log"):
        run("checkpoint", "--entity", "meridian-be")


def test_export_of_an_empty_log_is_refused_and_leaves_no_file(entity, tmp_path):
    with pytest.raises(CommandError):
        run("export_evidence", "--out", str(tmp_path / "evidence.zip"))

    assert not (tmp_path / "evidence.zip").exists()


def test_export_of_an_unknown_case_is_refused_and_leaves_no_file(entity, tmp_path):
    grow(1)

    with pytest.raises(CommandError, match="Nothing is recorded yet for the case"):
        run("export_evidence", "--out", str(tmp_path / "evidence.zip"), "--case", str(uuid4()))

    assert list(tmp_path.glob("evidence*")) == []


def test_export_to_a_folder_that_is_not_there_is_told(entity, tmp_path):
    grow(1)

    with pytest.raises(CommandError, match="cannot be written"):
        run("export_evidence", "--out", str(tmp_path / "absent" / "evidence.zip"))


def test_export_of_a_case_and_a_decision_at_once_is_refused(entity):
    with pytest.raises(CommandError, match="not both"):
        run("export_evidence", "--case", str(uuid4()), "--decision", str(uuid4()))


@pytest.mark.parametrize("rewrite", [[], ["--rewrite-leaf"]])
def test_invariant_06_outsider_names_the_record_a_superuser_edited(
    entity, tmp_path, capsys, rewrite
):
    ids = grow(3)
    checkpoint = held()
    grow(2)
    path = tmp_path / "evidence.zip"

    said = run("tamper", "--yes", "--record", str(ids[1]), *rewrite)
    run("export_evidence", "--out", str(path))
    verdict = Verdict(capsys, path, checkpoint)

    assert "Record 1 now says" in said
    assert verdict.status == 1
    assert f"record 1, executed, {ids[1]}" in verdict.words


def test_tamper_takes_the_last_permit_by_itself(entity, tmp_path, capsys):
    grow(3)
    path = tmp_path / "evidence.zip"

    run("tamper", "--yes")
    run("export_evidence", "--out", str(path))

    assert Verdict(capsys, path, held()).indexes("record_altered") == [4]


def test_commands_take_the_log_that_began_first_unless_told(entity, tmp_path):
    with connection.cursor() as cursor:
        append(cursor, kind="issued", body={"amount": "1.00"})
        with legal_entity(entity="meridian-be"):
            append(cursor, kind="issued", body={"amount": "1.00"})
    run("checkpoint")

    assert "meridian-nl" in run("tamper", "--yes")
    assert "meridian-be" in run("tamper", "--yes", "--entity", "meridian-be")
    assert "log/meridian-nl" in run("export_evidence", "--out", str(tmp_path / "evidence.zip"))


def test_tamper_changes_one_digit_only(entity):
    ids = grow(2)
    before, _ = contents()

    run("tamper", "--yes", "--record", str(ids[1]))

    after, _ = contents()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    (_, old, old_leaf), (_, new, new_leaf) = changed[0]
    assert sum(a != b for a, b in zip(bytes(old), bytes(new), strict=True)) == 1
    assert old_leaf == new_leaf


@pytest.mark.parametrize("answer", ["no\n", "", "\n"])
def test_tamper_without_a_yes_changes_nothing(entity, monkeypatch, answer):
    grow(2)
    before = contents()
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))

    with pytest.raises(CommandError, match="Nothing was changed"):
        run("tamper")

    assert contents() == before


def test_tamper_refuses_a_bank_that_is_no_sample(entity, settings):
    grow(2)
    before = contents()
    settings.FRONTLINE_SAMPLE_BANK = False

    with pytest.raises(CommandError, match="not a sample bank"):
        run("tamper", "--yes")

    assert contents() == before


def test_tamper_refuses_a_record_that_is_not_there(entity):
    grow(1)

    with pytest.raises(CommandError, match="no such record"):
        run("tamper", "--yes", "--record", "00000000-0000-4000-8000-000000000000")


def test_verifier_runs_alone_from_a_folder_with_nothing_else_of_ours(entity, tmp_path):
    grow(2)
    checkpoint = held()
    run("export_evidence", "--out", str(tmp_path / "evidence.zip"))
    verifier = shutil.copy(frontline_verify.__file__, tmp_path)

    done = subprocess.run(
        [sys.executable, "-I", verifier, "evidence.zip", "--checkpoint", checkpoint],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "VERIFIED" in done.stdout


def test_verifier_imports_only_the_standard_library_and_cryptography():
    lines = Path(frontline_verify.__file__).read_text().splitlines()
    imported = {
        line.split()[1].split(".")[0] for line in lines if line.startswith(("import", "from"))
    }

    assert imported - sys.stdlib_module_names == {"cryptography"}
    assert not imported & {"socket", "http", "urllib", "ssl", "sqlite3", "subprocess"}
