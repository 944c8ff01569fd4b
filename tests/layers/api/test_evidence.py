"""Programs read the log, check proofs by themselves, and keep receipts."""

import base64
import hashlib
from uuid import UUID

import pytest
from django.test import Client

from orchestration.public import make_caller, revoke_caller
from sentinel.public import legal_entity, records_of, run_sequencer_once
from sentinel.vocabulary import Verdict
from tests import authority
from tests.layers.sentinel.log import tile_reader

LOG = "/api/v1/meridian-nl/log"


@pytest.fixture(autouse=True)
def bank(settings, tmp_path, request):
    settings.KEYS_DIR = tmp_path / "keys"
    return request.getfixturevalue("rules_in_force")


@pytest.fixture
def decision():
    action, anna = authority.payment(), authority.customer()
    decision = authority.confirmed(action, anna)
    assert decision.verdict is Verdict.PERMIT
    authority.spent(decision, action)
    authority.done(decision)
    while run_sequencer_once():
        pass
    return decision


@pytest.fixture
def key():
    return make_caller(name="regulator", triggers=("log:read",), made_by="employee:1")


class Answers:
    """What the addresses say to a program with a key."""

    def __init__(self, key: str) -> None:
        self.key = key

    def get(self, path: str, **asked: object):
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "text/plain"}
        return Client().get(f"{LOG}/{path}", asked, headers=headers)

    def fetch(self, path: str) -> bytes:
        answer = self.get(path)
        assert answer.status_code == 200, path
        return answer.content


def root_from(proof: dict[str, object], leaf: bytes) -> bytes:
    """RFC 9162 section 2.1.3.2, word for word, without this package."""
    index, last, result = int(proof["index"]), int(proof["size"]) - 1, leaf
    for text in proof["hashes"]:
        sibling = base64.b64decode(text)
        if index & 1 or index == last:
            result = hashlib.sha256(b"\1" + sibling + result).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            result = hashlib.sha256(b"\1" + result + sibling).digest()
        index, last = index >> 1, last >> 1
    assert last == 0
    return result


def test_a_program_audits_the_whole_log_by_its_tiles(decision, key):
    size, entries = tile_reader.audit(Answers(key).fetch)

    assert size == len(entries)
    assert any(str(decision.id).encode() in entry for entry in entries)


def test_tiles_are_kept_for_ever_and_the_checkpoint_never(decision, key):
    answers = Answers(key)

    _, size, _ = tile_reader.checkpoint(answers.fetch)
    tile, checkpoint = answers.get(f"tile/0/000.p/{size}"), answers.get("checkpoint")

    assert "immutable" in tile.headers["Cache-Control"]
    assert tile.headers["Content-Type"] == "application/octet-stream"
    assert checkpoint.headers["Cache-Control"] == "no-store"
    assert checkpoint.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_inclusion_is_proved_to_a_program_that_computes_it_itself(decision, key):
    answers = Answers(key)

    for record in records_of(decision_id=decision.id):
        proof = answers.get(f"inclusion/{record.id}").json()
        root = base64.b64decode(proof["checkpoint"].split("\n")[2])
        assert root_from(proof, base64.b64decode(proof["leaf"])) == root


def test_consistency_is_proved_between_two_sizes(decision, key):
    answers = Answers(key)
    _, first, _ = tile_reader.checkpoint(answers.fetch)
    leaves = tile_reader.hashes(answers.fetch, 0, first)

    proof = answers.get("consistency", first=4, second=first).json()

    # The tree of four leaves is one complete subtree, so the proof begins beside it.
    assert (proof["first"], proof["second"]) == (4, first)
    assert base64.b64decode(proof["hashes"][0]) == tile_reader.root_of(leaves[4:8])


def test_the_receipts_of_a_decision_hold_record_and_proof(decision, key):
    receipts = Answers(key).get(f"receipts/{decision.id}").json()["receipts"]

    kinds = [each["kind"] for each in receipts]
    assert kinds == [each.kind for each in records_of(decision_id=decision.id)]
    for each in receipts:
        lines = each["proof"].split("\n")
        entry = base64.b64decode(lines[1].removeprefix("extra "))
        end = lines.index("")
        proof = {
            "index": lines[2].removeprefix("index "),
            "size": lines[end + 2],
            "hashes": lines[3:end],
        }
        leaf = hashlib.sha256(b"\0" + entry).digest()
        assert lines[0] == "c2sp.org/tlog-proof@v1"
        assert str(decision.id).encode() in entry
        assert root_from(proof, leaf) == base64.b64decode(lines[end + 3])


def test_a_receipt_is_one_file_to_keep(decision, key):
    (issued, *_) = records_of(decision_id=decision.id)

    answer = Answers(key).get(f"inclusion/{issued.id}.tlog-proof")

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.startswith(b"c2sp.org/tlog-proof@v1\nextra ")


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("tile/0/x001/000", {}, 404),
        ("tile/0/1", {}, 404),
        ("tile/../checkpoint", {}, 404),
        (f"inclusion/{UUID(int=9)}", {}, 404),
        (f"receipts/{UUID(int=9)}", {}, 404),
        ("consistency", {"first": "0", "second": "2"}, 422),
        ("consistency", {"first": "3", "second": "2"}, 422),
        ("consistency", {"first": "1", "second": "9" * 12}, 422),
        ("consistency", {"first": "1", "second": "9" * 60}, 422),
        ("consistency", {"first": "-1", "second": "2"}, 400),
        ("consistency", {"first": "", "second": "2"}, 400),
        ("consistency", {"first": "\u0661", "second": "2"}, 400),
    ],
)
def test_what_the_log_does_not_have_is_refused_with_a_code(decision, key, path, asked, status):
    answer = Answers(key).get(path, **asked)

    assert answer.status_code == status
    assert answer.json()["code"]


def test_a_record_not_yet_sealed_is_to_be_asked_for_again(decision, key):
    refused = authority.decided(authority.payment(amount=10**9), authority.customer())

    answer = Answers(key).get(f"receipts/{refused.id}")

    assert (answer.status_code, answer.headers["Retry-After"]) == (409, "1")
    assert answer.json() == {"code": "not_sequenced_yet"}


def caller_id(key: str) -> str:
    return key.split("_")[1]


def test_a_key_for_something_else_or_for_another_bank_reads_nothing(decision, key):
    other = make_caller(name="shop", triggers=("p/web",), made_by="employee:1")
    with legal_entity(entity="meridian-be"):
        stranger = make_caller(name="regulator", triggers=("log:read",), made_by="employee:1")
    revoked = make_caller(name="old", triggers=("log:read",), made_by="employee:1")
    revoke_caller(caller_id=caller_id(revoked))
    (record, *_) = records_of(decision_id=decision.id)

    for path in ("checkpoint", "tile/0/000.p/1", f"inclusion/{record.id}", "consistency"):
        for wrong in (other, stranger, revoked, "", "flk_x_y"):
            answer = Answers(wrong).get(path)
            assert (answer.status_code, answer.json()) == (401, {"code": "caller_refused"})
    assert Answers(key).get("checkpoint").status_code == 200


def test_the_log_is_only_read(decision, key):
    headers = {"Authorization": f"Bearer {key}"}
    before = [each.id for each in records_of(decision_id=decision.id)]

    answers = [
        Client(enforce_csrf_checks=True).post(f"{LOG}/{path}", headers=headers)
        for path in ("checkpoint", "tile/0/000.p/1", f"receipts/{decision.id}")
    ]

    assert {answer.status_code for answer in answers} == {405}
    assert [each.id for each in records_of(decision_id=decision.id)] == before
    assert all(isinstance(each, UUID) for each in before)
