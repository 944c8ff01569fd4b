import hashlib
import io
import json
import zipfile
from uuid import uuid4

import pytest
from django.db import connection

from sentinel.bundle import NothingToExport, export_evidence, write_evidence
from sentinel.entities import legal_entity
from sentinel.log.proofs import latest_checkpoint
from sentinel.log.records import append
from sentinel.log.sequencer import run_sequencer_once
from sentinel.log.witness import run_witness_once
from tests.layers.sentinel.log.evidence import Verdict, export, grow, held


@pytest.fixture(autouse=True)
def places(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"
    settings.FRONTLINE_WITNESS_DIR = tmp_path / "witness"


def files(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def add(kind: str, **words) -> None:
    with connection.cursor() as cursor:
        append(cursor, kind=kind, body={"amount": "1.00"}, **words)


def test_empty_log_has_nothing_to_export(entity):
    with pytest.raises(NothingToExport):
        export_evidence()


@pytest.mark.parametrize("scope", ["case_id", "decision_id"])
def test_case_or_decision_without_a_sealed_record_has_nothing_to_export(entity, scope):
    grow(1)
    waiting = uuid4()
    add("issued", **{scope: waiting})

    for nothing in (waiting, uuid4()):
        with pytest.raises(NothingToExport) as refused:
            export_evidence(**{scope: nothing})
        assert refused.value.scope.endswith(str(nothing))


def test_case_and_decision_together_are_refused(entity):
    grow(1)

    with pytest.raises(ValueError, match="a case, a decision, or a customer"):
        export_evidence(case_id=uuid4(), decision_id=uuid4())


def test_same_log_gives_the_same_bytes(entity):
    grow(3)

    assert hashlib.sha256(export_evidence()).digest() == hashlib.sha256(export_evidence()).digest()


def test_case_holds_its_own_records_and_every_leaf(entity, tmp_path, capsys):
    case = uuid4()
    grow(2)
    grow(3, case_id=case)
    decision = uuid4()
    add("issued", decision_id=decision, case_id=case)
    add("outcome", decision_id=decision)  # names the decision only
    while run_sequencer_once():
        pass

    found = files(export_evidence(case_id=case))
    verdict = Verdict(capsys, export(tmp_path / "case.zip", case_id=case), held())

    entries = found["entries.txt"].decode().splitlines()
    kinds = [json.loads(line.split(" ", 2)[2])["kind"] for line in entries]
    assert sorted(set(kinds)) == ["executed", "issued", "key", "outcome"]
    assert len(entries) == 1 + 6 + 2
    assert len(found["leaves.txt"].splitlines()) == latest_checkpoint().size == 13
    assert json.loads(found["manifest.json"])["scope"] == {
        "kind": "case",
        "id": str(case),
        "from": None,
        "until": None,
    }
    assert (verdict.status, verdict.codes) == (0, [])


def test_decision_holds_only_its_own_records(entity, tmp_path, capsys):
    decision = uuid4()
    grow(2)
    add("issued", decision_id=decision)
    add("executed", decision_id=decision)
    run_sequencer_once()

    entries = files(export_evidence(decision_id=decision))["entries.txt"].decode().splitlines()
    path = export(tmp_path / "decision.zip", decision_id=decision)

    assert [json.loads(line.split(" ", 2)[2])["kind"] for line in entries] == [
        "key",
        "issued",
        "executed",
    ]
    assert Verdict(capsys, path, held()).status == 0


def test_published_rules_go_with_every_export_and_an_edited_one_is_named(entity, tmp_path, capsys):
    grow(1)
    text = '{"area":"payments"}'
    name = hashlib.sha256(b"frontline/policy-bundle/v1\0" + text.encode()).hexdigest()
    path = export(tmp_path / "evidence.zip")
    for content, codes in ((text, []), (text + " ", ["policy_altered"])):
        with zipfile.ZipFile(path) as archive:
            kept = {item: archive.read(item) for item in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for item, data in {**kept, f"policies/{name}": content.encode()}.items():
                archive.writestr(item, data)

        assert Verdict(capsys, path, held()).codes == codes


def test_report_counts_decisions_still_open_and_names_effects_nobody_allowed(
    entity, tmp_path, capsys
):
    waiting, unallowed = uuid4(), uuid4()
    add("issued", decision_id=waiting)
    run_sequencer_once()
    first = Verdict(capsys, export(tmp_path / "first.zip"), held())
    add("executed", decision_id=unallowed)
    run_sequencer_once()
    second = Verdict(capsys, export(tmp_path / "second.zip"), held())

    assert (first.status, first.report["open_decisions"]) == (0, [str(waiting)])
    assert (second.status, second.codes) == (1, ["effect_without_decision"])
    assert str(unallowed) in second.words


def test_witnessed_size_is_reported(entity, tmp_path, capsys):
    grow(1)
    run_witness_once()
    run_sequencer_once()

    verdict = Verdict(capsys, export(tmp_path / "evidence.zip"), held())

    assert verdict.status == 0
    assert verdict.report["witnessed_size"] == 3


def test_whole_note_serves_as_well_as_the_short_form(entity, tmp_path, capsys):
    grow(2)
    note = tmp_path / "checkpoint.note"
    note.write_text(latest_checkpoint().note)
    grow(1)

    verdict = Verdict(capsys, export(tmp_path / "evidence.zip"), str(note))

    assert (verdict.status, verdict.report["given_size"]) == (0, 5)


def test_export_streams_to_a_file(entity, tmp_path):
    grow(2)

    with (tmp_path / "evidence.zip").open("wb") as target:
        evidence = write_evidence(target=target)

    assert (evidence.scope, evidence.size, evidence.records) == ("log", 5, 5)
    assert evidence.short_checkpoint == held()
    assert (tmp_path / "evidence.zip").read_bytes() == export_evidence()


def test_invariant_13_export_holds_no_record_of_another_entity(entity):
    own = grow(1)
    with legal_entity(entity="meridian-be"):
        other = grow(2)
        assert set(map(str, other)) <= told(files(export_evidence()), other)
    here = files(export_evidence())

    assert told(here, own) == set(map(str, own))
    assert told(here, other) == set()
    assert b"meridian-be" not in b"".join(here.values())


def told(exported, ids) -> set[str]:
    """Return which records an export names anywhere."""
    whole = b"".join(exported.values())
    return {str(each) for each in ids if str(each).encode() in whole}
