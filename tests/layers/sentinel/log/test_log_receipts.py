"""A receipt is checked by a stranger who holds one key, and nothing else."""

import base64
import json
from uuid import UUID

import pytest
from django.db import connection

from sentinel.key_views import public_keys
from sentinel.log.note import origin_of
from sentinel.log.proofs import NotSequencedYet, RecordNotFound
from sentinel.log.receipts import receipt, receipts_of
from sentinel.log.records import append
from sentinel.log.sequencer import log_key, log_signer
from sentinel.log.witness import run_witness_once
from sentinel.signing.keys import Purpose, signer_for
from sentinel.verify import frontline_verify
from tests.layers.sentinel.log.evidence import ENTITY, grow, held

pytestmark = pytest.mark.django_db(transaction=True)
ABSENT = UUID(int=7)


@pytest.fixture(autouse=True)
def places(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"
    settings.FRONTLINE_WITNESS_DIR = tmp_path / "witness"


@pytest.fixture
def vkey(entity):
    return log_key(ENTITY, log_signer(ENTITY)).encoded()


class Checked:
    """What the verifier's command says about a receipt."""

    def __init__(self, capsys, tmp_path, text, *words):
        path = tmp_path / "receipt.tlog-proof"
        path.write_text(text, encoding="utf-8")
        capsys.readouterr()
        self.status = frontline_verify.main([str(path), "--json", *words])
        said = capsys.readouterr().out
        self.report = json.loads(said) if said else {}
        frontline_verify.main([str(path), *words])
        self.words = capsys.readouterr().out

    @property
    def codes(self):
        return [finding["code"] for finding in self.report["findings"]]


def test_a_receipt_is_verified_with_the_log_s_key(entity, vkey, tmp_path, capsys):
    ids = grow(20)

    for record_id in ids[::7]:
        found = receipt(record_id=record_id)
        checked = Checked(capsys, tmp_path, found.text, "--key", vkey)
        assert (checked.status, checked.codes) == (0, [])
        assert str(record_id) in checked.words
        assert "Not proved: that others are shown the same log" in checked.words


def test_a_receipt_is_verified_with_a_checkpoint_kept_outside(entity, tmp_path, capsys):
    ids = grow(3)
    text, checkpoint = receipt(record_id=ids[1]).text, held()

    assert Checked(capsys, tmp_path, text, "--checkpoint", checkpoint).status == 0
    grow(1)
    assert Checked(capsys, tmp_path, text, "--checkpoint", held()).status == 3
    assert Checked(capsys, tmp_path, text).status == 3


def test_a_receipt_names_the_witness_who_saw_it(entity, vkey, tmp_path, capsys):
    ids = grow(3)
    run_witness_once()
    (witness,) = [each.verification_key for each in public_keys() if each.purpose == "witness"]

    found = receipt(record_id=ids[0])
    checked = Checked(capsys, tmp_path, found.text, "--key", witness)

    assert found.is_witnessed
    assert (checked.status, checked.report["witnessed_size"]) == (0, found.size)
    assert "Not proved: that others" not in checked.words


def changed(text, number, change):
    lines = text.split("\n")
    lines[number] = change(lines[number])
    return "\n".join(lines)


def entry_with(old, new):
    def change(line):
        entry = base64.b64decode(line.removeprefix("extra "))
        return "extra " + base64.b64encode(entry.replace(old, new)).decode()

    return change


def other_hash(_line):
    return base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (1, entry_with(b'"amount":"101.00"', b'"amount":"901.00"')),
        (2, lambda line: "index 4"),
        (2, lambda line: "index 99"),
        (3, other_hash),
        (4, other_hash),
    ],
)
def test_a_changed_receipt_is_caught(vkey, tmp_path, capsys, number, change):
    ids = grow(4)
    text = changed(receipt(record_id=ids[3]).text, number, change)

    checked = Checked(capsys, tmp_path, text, "--key", vkey)

    assert (checked.status, checked.codes) == (1, ["not_included"])


def test_a_receipt_under_another_root_or_key_is_caught(entity, vkey, tmp_path, capsys):
    ids = grow(4)
    text = receipt(record_id=ids[3]).text
    root = text.split("\n").index(origin_of(ENTITY)) + 2

    forged = Checked(capsys, tmp_path, changed(text, root, other_hash), "--key", vkey)
    stranger = signer_for(folder=tmp_path / "stranger", entity=ENTITY, purpose=Purpose.LOG)
    unknown = Checked(capsys, tmp_path, text, "--key", log_key(ENTITY, stranger).encoded())

    assert (forged.status, forged.codes) == (1, ["checkpoint_altered"])
    # Nobody whose key was given has signed it: that is said, and nothing more is claimed.
    assert unknown.status == 3


@pytest.mark.parametrize(
    "text",
    [
        "c2sp.org/tlog-proof@v1\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n\nx",
        "c2sp.org/tlog-proof@v2\n",
    ],
)
def test_what_is_no_receipt_is_not_read(entity, tmp_path, capsys, text):
    assert Checked(capsys, tmp_path, text).status == 2


def test_a_key_that_is_none_is_not_read(entity, tmp_path, capsys):
    ids = grow(1)

    assert Checked(capsys, tmp_path, receipt(record_id=ids[0]).text, "--key", "x+y").status == 2


def test_there_is_no_receipt_before_the_record_is_sealed(bank_record):
    with pytest.raises(NotSequencedYet):
        receipt(record_id=bank_record)


@pytest.fixture
def bank_record(entity):
    grow(1)
    with connection.cursor() as cursor:
        return append(cursor, kind="issued", body={})


def test_there_is_no_receipt_of_what_is_not_recorded(entity):
    grow(1)

    for missing in (lambda: receipt(record_id=ABSENT), lambda: receipts_of(decision_id=ABSENT)):
        with pytest.raises(RecordNotFound):
            missing()
