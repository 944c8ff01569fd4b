"""What Sentinel really records, exported and checked as an outsider would."""

import zipfile

import pytest

from sentinel.log.reading import records_of
from sentinel.log.sequencer import run_sequencer_once
from sentinel.vocabulary import OutcomeKind, Verdict
from tests import authority
from tests.layers.sentinel.log.evidence import Tamperer, export, held
from tests.layers.sentinel.log.evidence import Verdict as Checked

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def bank(settings, tmp_path, request):
    settings.KEYS_DIR = tmp_path / "keys"
    return request.getfixturevalue("rules_in_force")


def sequence():
    while run_sequencer_once():
        pass


def paid():
    """Anna confirms a payment, it is permitted, spent and done."""
    action, anna = authority.payment(), authority.customer()
    decision = authority.confirmed(action, anna)
    assert decision.verdict is Verdict.PERMIT
    authority.spent(decision, action)
    authority.done(decision)
    return action, decision


def test_paid_case_is_complete_and_verified_offline(tmp_path, capsys):
    action, decision = paid()
    sequence()

    path = export(tmp_path / "case.zip", case_id=action.case_id)
    checked = Checked(capsys, path, held())

    assert (checked.status, checked.codes) == (0, [])
    assert decision.id not in checked.report["open_decisions"]
    kinds = [item.kind for item in records_of(case_id=action.case_id)]
    assert kinds[-2:] == ["issued", "executed"]
    assert "step_up" in kinds


def test_refused_and_failed_decisions_are_verified_offline_too(tmp_path, capsys):
    authority.decided(authority.payment(amount=10**9), authority.customer())
    action = authority.payment()
    failed = authority.confirmed(action, authority.customer())
    authority.spent(failed, action)
    authority.done(failed, OutcomeKind.FAILED)
    sequence()

    checked = Checked(capsys, export(tmp_path / "log.zip"), held())

    assert (checked.status, checked.codes) == (0, [])
    assert checked.report["open_decisions"] == []


def test_rules_in_force_travel_with_the_evidence(tmp_path, capsys, superuser_connection):
    paid()
    sequence()
    sound = Checked(capsys, export(tmp_path / "sound.zip"), held())
    Tamperer(superuser_connection).run(
        "UPDATE sentinel_bundle SET content = replace(content, 'forbid', 'permit')"
        " WHERE area = 'bank'"
    )

    altered = Checked(capsys, export(tmp_path / "altered.zip"), held())

    assert sound.status == 0
    assert (altered.status, altered.codes) == (1, ["policy_altered"])


def test_no_personal_data_is_in_the_evidence(tmp_path):
    paid()
    sequence()

    path = export(tmp_path / "log.zip")

    with zipfile.ZipFile(path) as archive:
        entries = archive.read("entries.txt")
    for private in (authority.LANDLORD, "Hendriks", "Rent November", "RENT-11"):
        assert private.encode() not in entries
