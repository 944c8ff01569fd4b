"""Evidence of a customer or a period; clear values that open their records; rules asked again."""

import json
import sys
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from sentinel.log.sequencer import run_sequencer_once
from sentinel.public import public_keys, receipts_of
from sentinel.verify import frontline_verify
from sentinel.vocabulary import Verdict
from tests import authority
from tests.layers.sentinel.log.evidence import Verdict as Checked
from tests.layers.sentinel.log.evidence import export, held

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def bank(settings, tmp_path, request):
    settings.KEYS_DIR = tmp_path / "keys"
    return request.getfixturevalue("rules_in_force")


def sequence():
    while run_sequencer_once():
        pass


def paid(person, **changes):
    action = authority.payment(**changes)
    decision = authority.confirmed(action, person)
    assert decision.verdict is Verdict.PERMIT
    authority.spent(decision, action)
    authority.done(decision)
    return decision


def inputs(path):
    with zipfile.ZipFile(path) as archive:
        return [json.loads(line) for line in archive.read("inputs.jsonl").splitlines()]


def rewritten(path, change):
    """Pack the bundle again with its disclosed values changed."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    lines = [change(json.loads(line)) for line in contents["inputs.jsonl"].splitlines()]
    contents["inputs.jsonl"] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def test_the_bundle_of_a_customer_discloses_that_customer_s_values_only(tmp_path, capsys):
    anna, bob = authority.customer(), authority.customer()
    of_anna = paid(anna, remittance="Rent of Anna")
    of_bob = paid(bob, remittance="Rent of Bob")
    sequence()

    path = export(tmp_path / "anna.zip", customer=anna.id, is_disclosed=True)
    checked = Checked(capsys, path, held())

    assert (checked.status, checked.codes) == (0, [])
    given = {each["decision"]: each["values"] for each in inputs(path)}
    assert str(of_anna.id) in given
    assert str(of_bob.id) not in given
    assert all("Rent of Anna" in values for values in given.values())
    with zipfile.ZipFile(path) as archive:
        whole = b"".join(archive.read(name) for name in archive.namelist())
    assert b"Rent of Bob" not in whole
    assert bob.id.encode() not in whole


def test_nothing_is_disclosed_unless_it_is_asked_for(tmp_path):
    anna = authority.customer()
    paid(anna)
    sequence()

    path = export(tmp_path / "anna.zip", customer=anna.id)

    with zipfile.ZipFile(path) as archive:
        assert "inputs.jsonl" not in archive.namelist()


def test_a_customer_s_period_holds_what_was_recorded_in_it(tmp_path, capsys):
    anna = authority.customer()
    decision = paid(anna)
    sequence()
    now = datetime.now(UTC)
    before = {"customer": anna.id, "since": now - timedelta(hours=1)}

    path = export(tmp_path / "now.zip", **before, until=now + timedelta(hours=1))

    with zipfile.ZipFile(path) as archive:
        assert str(decision.id).encode() in archive.read("entries.txt")
        scope = json.loads(archive.read("manifest.json"))["scope"]
    assert (scope["kind"], scope["id"]) == ("customer", anna.id)
    assert Checked(capsys, path, held()).status == 0


def test_the_rules_are_asked_again_and_agree(tmp_path, capsys):
    anna = authority.customer()
    permitted = paid(anna)
    asked = authority.decided(authority.payment(), authority.customer())
    refused = authority.decided(authority.payment(), anna, authority.facts(screening_status="hit"))
    above = authority.decided(authority.payment(amount=500_001), authority.customer())
    sequence()

    path = export(
        tmp_path / "log.zip", since=datetime.now(UTC) - timedelta(hours=1), is_disclosed=True
    )
    checked = Checked(capsys, path, held())

    again = {each["decision"]: each for each in checked.report["reevaluations"]}
    assert (checked.status, checked.codes) == (0, [])
    verdicts = [each.verdict.value for each in (permitted, asked, refused, above)]
    assert verdicts == ["permit", "needs_step_up", "deny", "needs_approval"]
    for decision in (permitted, asked, refused, above):
        assert again[str(decision.id)]["result"] == "agree", again[str(decision.id)]
    assert "Rules     asked again" in checked.words
    assert "Not proved: that each verdict follows" not in checked.words


def test_what_no_rule_decided_is_not_possible_to_ask_again_and_is_said_so(tmp_path, capsys):
    anna = authority.customer()
    unknown = authority.decided(authority.payment(), anna, purpose="curiosity")
    sequence()

    checked = Checked(
        capsys, export(tmp_path / "c.zip", decision_id=unknown.id, is_disclosed=True), held()
    )

    (again,) = checked.report["reevaluations"]
    assert again["result"] == "not possible"
    assert "unknown_purpose" in again["words"]
    assert checked.status == 0


def test_without_cedarpy_the_rest_is_checked_all_the_same(tmp_path, capsys, monkeypatch):
    anna = authority.customer()
    paid(anna)
    sequence()
    path = export(tmp_path / "c.zip", customer=anna.id, is_disclosed=True)

    monkeypatch.setitem(sys.modules, "cedarpy", None)
    checked = Checked(capsys, path, held())

    assert checked.status == 0
    assert {each["result"] for each in checked.report["reevaluations"]} == {"not possible"}
    assert "cedarpy is not installed here" in checked.words


@pytest.mark.parametrize(
    "change",
    [
        lambda line: {**line, "values": line["values"].replace("Rent November", "Rent December")},
        lambda line: {**line, "key": "00" * 32},
        lambda line: {**line, "key": "not hexadecimal"},
        lambda line: {**line, "decision": "00000000-0000-4000-8000-000000000000"},
        lambda line: {name: value for name, value in line.items() if name != "key"},
    ],
)
def test_values_that_are_not_those_that_were_sealed_are_caught(tmp_path, capsys, change):
    anna = authority.customer()
    paid(anna)
    sequence()
    path = export(tmp_path / "c.zip", customer=anna.id, is_disclosed=True)

    checked = Checked(capsys, rewritten(path, change), held())

    assert checked.status == 1
    assert set(checked.codes) == {"input_altered"}


def test_a_verdict_that_does_not_follow_from_its_rules_is_caught(tmp_path):
    """As if the bank's own engine had let something pass that its rules forbid."""
    anna = authority.customer()
    decision = authority.decided(authority.payment(), anna, authority.facts(screening_status="hit"))
    sequence()
    path = export(tmp_path / "c.zip", decision_id=decision.id, is_disclosed=True)
    bundle = frontline_verify.load(path)
    report = frontline_verify.Report(bundle.origin)
    frontline_verify.check_entries(bundle, report)
    said = json.loads(bundle.decided[str(decision.id)])
    values = json.loads(bundle.inputs[0]["values"])
    content = said["content"] | {"entity": said["entity"]}

    sound = frontline_verify.reevaluate(bundle.policies, content, values)
    lie = content | {"verdict": "permit", "policies": ["customer-pays"]}
    lied = frontline_verify.reevaluate(bundle.policies, lie, values)
    elsewhere = frontline_verify.reevaluate({}, content, values)

    assert sound[0] == "agree"
    assert lied == ("differ", "recorded as permit; its rules now refuse it")
    assert frontline_verify._compared(lie, ["other"], [(True, False, {"other"})])[0] == "differ"
    assert elsewhere[0] == "not possible"


def test_invariant_12_who_was_forgotten_is_not_disclosed_and_every_proof_holds(tmp_path, capsys):
    anna, bob = authority.customer(), authority.customer()
    decision = paid(anna, remittance="Rent of Anna")
    paid(bob)
    sequence()
    before = export(tmp_path / "before.zip", customer=anna.id, is_disclosed=True)
    checkpoint, old = held(), receipts_of(decision_id=decision.id)
    keys = [key.verification_key for key in public_keys() if key.purpose == "log"]

    authority.forgotten(anna.id)
    sequence()
    after = export(tmp_path / "after.zip", customer=anna.id, is_disclosed=True)
    whole = export(tmp_path / "whole.zip")

    assert inputs(before)
    assert {each.get("erased") for each in inputs(after)} == {True}
    with zipfile.ZipFile(after) as archive:
        assert b"Rent of Anna" not in b"".join(archive.read(n) for n in archive.namelist())
    for path in (before, after, whole):
        checked = Checked(capsys, path, checkpoint)
        assert (checked.status, checked.codes) == (0, []), path
    checked = Checked(capsys, after, held())
    assert checked.report["erased"] == [str(each["decision"]) for each in inputs(after)]
    assert "Erased    the values of" in checked.words
    assert "payload shredded, commitment intact" in checked.words
    for each in (*old, *receipts_of(decision_id=decision.id)):
        text = tmp_path / "receipt.tlog-proof"
        text.write_text(each.text)
        assert frontline_verify.main([str(text), *(f"--key={key}" for key in keys)]) == 0


def test_an_erasure_that_the_log_does_not_know_is_caught(tmp_path, capsys):
    anna = authority.customer()
    paid(anna)
    sequence()
    path = export(tmp_path / "c.zip", customer=anna.id, is_disclosed=True)

    forged = rewritten(path, lambda line: {"decision": line["decision"], "erased": True})

    checked = Checked(capsys, forged, held())
    assert checked.status == 1
    assert set(checked.codes) == {"erased_without_record"}


def test_one_key_opens_one_decision(tmp_path):
    anna = authority.customer()
    paid(anna)
    sequence()
    given = inputs(export(tmp_path / "c.zip", customer=anna.id, is_disclosed=True))

    assert len({each["key"] for each in given}) == len(given) > 1


def test_the_policies_were_shown_what_is_sealed(tmp_path):
    anna = authority.customer()
    decision = paid(anna)
    sequence()

    (line,) = [
        each
        for each in inputs(export(tmp_path / "c.zip", customer=anna.id, is_disclosed=True))
        if each["decision"] == str(decision.id)
    ]

    context = json.loads(line["values"])["context"]
    assert context["step_up_done"] is True
    assert context["amount_minor"] == 125_000
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sentinel_decision_parameters")
        assert cursor.fetchone()[0] > 0
